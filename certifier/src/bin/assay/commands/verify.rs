use std::path::PathBuf;

use audit::Digest;
use candid::Principal;
use certifier::{client::Client, private::read_prediction};
use check::{prediction::Prediction, proof::ProofError};
use clap::Args;
use interface::{ArtefactKind, CertificatesRequest};
use serde_json::{Value, json};
use verifier::Setup;

use super::{infer::predictions_text, private::read_package};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay verify prediction.json\n  \
        assay verify prediction.json --package logistic.assay-package   offline\n  \
        assay verify prediction.json --model DIGEST --context HEX      as asked for, certified model\n\n\
        Verifies on this computer that the private model with the named package makes exactly these classes \
        and outputs for these features. Without --package it is downloaded from the canister, by the digest \
        in the file, and the certificates of that model are listed. Exit code 3 if the proof does not hold.")]
pub struct VerifyArguments {
    /// File that `assay infer --prove` wrote
    file: PathBuf,
    /// The private model's package; downloaded by its digest if not given
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Fail unless the proof is bound to these 32 bytes, as 64 hex digits
    #[arg(long, value_name = "HEX")]
    context: Option<Digest>,
    /// Fail unless the model's package has this SHA-256, e.g. that of a certificate
    #[arg(long, value_name = "DIGEST")]
    model: Option<Digest>,
    /// Ask the canister to verify the proof as well
    #[arg(long, conflicts_with = "package")]
    by_canister: bool,
}

pub async fn run(global: &Global, arguments: VerifyArguments, output: Output) -> Result<Exit> {
    let prediction = read_prediction(&arguments.file)?;
    same("context", arguments.context, prediction.context)?;
    same("model", arguments.model, prediction.model)?;
    let client = match arguments.package {
        Some(_) => None,
        None => Some(session::client(global, output).await?),
    };
    let package = match (&arguments.package, &client) {
        (Some(path), _) => read_package(path)?,
        (None, Some(client)) => {
            let bar = output.bar("downloading private model", true);
            let set = &mut |done, total| bar.set(done, total);
            client.download(ArtefactKind::PrivateModel, prediction.model, set).await?
        }
        (None, None) => Vec::new(),
    };
    let setup = Setup::new().map_err(ProofError::from)?;
    let model = prediction.verify(&setup, &package)?;
    let commitment = model.commitment();
    let owner = Principal::try_from_slice(&commitment.owner)
        .map_or_else(|_| "no principal".to_owned(), |owner| owner.to_text());
    if let (true, Some(client)) = (arguments.by_canister, &client) {
        client.verify_inference(prediction.request()?).await?;
    }
    let certificates = match &client {
        Some(client) => Some(certificates(client, &prediction).await?),
        None => None,
    };
    let document = json!({
        "verified": true,
        "verifiedByCanister": arguments.by_canister,
        "model": prediction.model,
        "name": commitment.architecture.name,
        "owner": owner,
        "context": prediction.context,
        "features": prediction.features,
        "classes": prediction.classes,
        "outputs": prediction.outputs,
        "certificates": certificates,
    });
    output.result(&document, || {
        let by = if arguments.by_canister { ", here and by the canister" } else { "" };
        let mut text = predictions_text(&prediction.classes, &prediction.outputs, None, None);
        // Only the canister knows that the package's owner is who registered it.
        let whose = if client.is_some() { "registered by" } else { "whose package names" };
        text.push_str(&format!(
            "\nverified{by}: model {} ({}), {whose} {owner}, makes these predictions; context {}\n",
            prediction.model, commitment.architecture.name, prediction.context
        ));
        match certificates.as_deref() {
            None => text.push_str("whether it is certified was not asked: the package was given\n"),
            Some([]) => text.push_str("it has no certificate\n"),
            Some(some) => some.iter().for_each(|line| {
                text.push_str(&format!(
                    "certificate {}: {}, {}\n",
                    line["id"],
                    word(&line["verdict"]),
                    word(&line["state"])
                ))
            }),
        }
        text
    })?;
    Ok(Exit::Ok)
}

fn same(what: &str, wanted: Option<Digest>, got: Digest) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != got => Err(Failure {
            exit: Exit::Mismatch,
            ..Failure::new(format!("the prediction is for {what} {got}, not {wanted}"), "do not rely on it")
        }),
        _ => Ok(()),
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn certificates(client: &Client, prediction: &Prediction) -> Result<Vec<Value>> {
    let request = CertificatesRequest { model: Some(prediction.model.into()), ..Default::default() };
    Ok(client.certificates(request).await?.items.iter().map(show::certificate_summary).collect())
}
