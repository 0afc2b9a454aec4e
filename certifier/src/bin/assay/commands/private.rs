//! Private models in their owner's hands: files beside the model, and registration.

use std::path::{Path, PathBuf};

use audit::Digest;
use certifier::{
    client::Outcome,
    private::{self, Owned, PrivateError},
};
use clap::Args;
use interface::{ArtefactKind, PRIVATE_MODEL_BYTES};
use prover::ProverSetup;
use serde_json::json;

use super::model::read_model_file;
use crate::{
    arguments::Global,
    failure::{Failure, Result},
    output::Output,
    session,
};

/// The files that open a private model's commitment.
#[derive(Args, Clone)]
pub struct OwnedArguments {
    /// The integer model, weights and all
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    #[command(flatten)]
    pub beside: BesideArguments,
}

/// The files beside an integer model.
#[derive(Args, Clone)]
pub struct BesideArguments {
    /// The commitment's secret; the model's file name with the ending .assay-secret by default
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// The public package; the model's file name with the ending .assay-package by default
    #[arg(long, value_name = "FILE")]
    pub package: Option<PathBuf>,
}

impl BesideArguments {
    fn secret(&self, model: &Path) -> PathBuf {
        self.secret.clone().unwrap_or_else(|| private::secret_path(model))
    }

    fn package(&self, model: &Path) -> PathBuf {
        self.package.clone().unwrap_or_else(|| private::package_path(model))
    }
}

impl OwnedArguments {
    /// Reads the files and checks that they belong together.
    pub fn read(&self, setup: &ProverSetup) -> Result<Owned> {
        let (_, model) = read_model_file(&self.model)?;
        let secret = private::read_secret(&self.beside.secret(&self.model))?;
        let package = read_package(&self.beside.package(&self.model))?;
        Ok(Owned::new(setup, model, secret, &package)?)
    }
}

/// Reads a package of bounded size.
pub fn read_package(path: &Path) -> Result<Vec<u8>> {
    Ok(private::read(path, PRIVATE_MODEL_BYTES)?)
}

/// Generators, keys and multiples for proving.
pub fn prover_setup() -> Result<ProverSetup> {
    Ok(ProverSetup::new().map_err(PrivateError::from)?)
}

/// Commits to a model's weights, proves that they are in range, and registers the package.
pub async fn register(global: &Global, file: &Path, beside: &BesideArguments, output: Output) -> Result<()> {
    let (_, model) = read_model_file(file)?;
    let client = session::client(global, output).await?;
    let owner = client.caller();
    let (secret_path, package_path) = (beside.secret(file), beside.package(file));
    let setup = prover_setup()?;
    let secret = private::secret(&secret_path)?;
    let package = if package_path.exists() {
        // Another package of the same weights would be another model to the canister.
        let package = read_package(&package_path)?;
        let owned = Owned::new(&setup, model.clone(), secret, &package)?;
        if owned.registered.commitment().owner != owner.as_slice() {
            return Err(Failure::new(
                format!("{} belongs to another principal than {owner}", package_path.display()),
                "pass its owner's --identity, or another --package for a new registration",
            ));
        }
        package
    } else {
        let _spinner = output.spinner("committing to the weights, proving that they are in range");
        let package = private::package(&setup, &model, &secret, owner)?;
        private::write(&package_path, &package)?;
        package
    };
    let (kind, bar) = (ArtefactKind::PrivateModel, output.bar("uploading private model", true));
    let outcome = client.upload(kind, &package, &mut |done, total| bar.set(done, total)).await?;
    drop(bar);
    match outcome {
        Outcome::Registered => output.note(format!(
            "registered {}; keep {} and {}: without them nothing can be proved",
            model.name,
            file.display(),
            secret_path.display()
        )),
        Outcome::AlreadyThere => output.note("registered before; nothing was sent"),
    }
    let digest = Digest::of(&package);
    let document = json!({
        "digest": digest,
        "name": model.name,
        "private": true,
        "bytes": package.len(),
        "secret": secret_path,
        "package": package_path,
        "registered": outcome == Outcome::Registered,
    });
    output.result(&document, || digest.to_string())
}
