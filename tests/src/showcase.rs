//! A canister with something of everything that pages show: for tests in a browser, for screenshots, for measurements.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use audit::{Dataset, Digest, Model};
use interface::{AuditRequest, RevokeCertificate};
use localnet::Config;
use prover::ProverSetup;
use serde_json::json;

use crate::{CONTROLLER, OWNER, World, audit_request, import_model, linear_model, repository, wasm};

/// The node's keys and the samples that it draws, so that figures are the same each time.
const SEED: [u8; 32] = [7; 32];
/// What the audits ask for. A model that never decides favourably has no precision, and fails nothing by that.
const POLICY: &str = r#"{"name":"credit: better than guessing, no gap by sex","min_group_size":30,"criteria":[
  {"metric":"accuracy","comparator":">=","threshold":"0.65"},
  {"metric":"precision","comparator":">=","threshold":"0.6"},
  {"metric":"aif360.disparate_impact","attributes":["sex"],"comparator":">=","threshold":"4/5"},
  {"metric":"aif360.equal_opportunity_difference","attributes":["sex"],"comparator":"abs<=","threshold":"0.15"}]}"#;
/// Why the certificate that is revoked is revoked.
const REASON: &str = "a wrong copy of the model was audited";

/// The canister, and what is where on it.
pub struct Showcase {
    /// Node and canister.
    pub world: World,
    /// Certificate of a public model; its verdict is pass.
    pub replayed: u64,
    /// Certificate of a private one; its verdict is pass.
    pub proved: u64,
    /// Certificate of a model whose precision is undefined.
    pub undefined: u64,
    /// Certificate that was revoked.
    pub revoked: u64,
    /// Certificate that was replaced by [`Self::replayed`]'s model's newest one.
    pub superseded: u64,
    /// The dataset that all but one of them are about.
    pub dataset: Digest,
    /// The model with several certificates.
    pub model: Digest,
}

impl Showcase {
    /// Starts a node and has everything audited.
    pub async fn start() -> Result<Self> {
        let world = World::start_with(Config { seed: Some(SEED), ..Config::default() }).await?;
        let german = world.register_dataset("german").await?;
        let logistic = named("credit-logistic", "datasets/german/models/logistic.onnx", &german)?;
        let model = world.register_model(&logistic).await?;
        let replayed = world.certified(model, &german, None, None).await?;

        let setup = ProverSetup::new()?;
        let private = Model { name: "credit-private".to_owned(), ..logistic.clone() };
        let owned = world.register_private(&setup, &private, 1).await?;
        let request =
            AuditRequest { policy: POLICY.to_owned(), ..audit_request(owned.digest, &german, Some(300)) };
        let audit = world.client(OWNER)?.request_audit(request).await?;
        let record = world.until(audit, |record| record.seed.is_some()).await?;
        let proof = world.prove(&setup, &owned, &record, &german, 0)?;
        world.hand_in(OWNER, audit, &proof).await??;
        let proved = world.certificate_of(audit).await?;

        let mut refuses = linear_model(&german, "refuses-everyone", 0, 8);
        refuses.layers[0].bias = vec![-1 << 8];
        let refuses = world.register_model(&refuses).await?;
        let undefined = world.certified(refuses, &german, Some(200), None).await?;
        let network = named("credit-network", "datasets/german/models/mlp-16-8.onnx", &german)?;
        let network = world.register_model(&network).await?;
        let revoked = world.certified(network, &german, Some(500), None).await?;
        let reason = REASON.to_owned();
        world.client(CONTROLLER)?.revoke_certificate(RevokeCertificate { id: revoked, reason }).await?;
        world.certified(network, &german, Some(600), None).await?;
        let superseded = world.certified(model, &german, Some(300), None).await?;
        world.certified(model, &german, Some(700), Some(superseded)).await?;

        let compas = world.register_dataset("compas").await?;
        let recidivism = named("recidivism-svc", "datasets/compas/models/linear-svc.onnx", &compas)?;
        let recidivism = world.register_model(&recidivism).await?;
        world.certified(recidivism, &compas, Some(1000), None).await?;
        let dataset = german.digest();
        Ok(Self { world, replayed, proved, undefined, revoked, superseded, dataset, model })
    }

    /// Origin of the canister's pages.
    pub fn origin(&self) -> String {
        self.world.url().replace("127.0.0.1", &format!("{}.localhost", self.world.canister))
    }

    /// `node` with `arguments`, told what is where.
    pub fn node<const N: usize>(&self, arguments: [&str; N]) -> Result<Command> {
        let told = json!({
            "origin": self.origin(), "canister": self.world.canister.to_text(),
            "rootKey": hex::encode(&self.world.root_key), "module": Digest::of(&wasm()?),
            "version": concat!("assay-canister ", env!("CARGO_PKG_VERSION")),
            "replayed": self.replayed, "proved": self.proved, "undefined": self.undefined,
            "revoked": self.revoked, "superseded": self.superseded,
            "dataset": self.dataset, "model": self.model,
        });
        let mut node = Command::new("node");
        node.args(arguments).current_dir(repository("")).env("ASSAY_SHOWCASE", told.to_string());
        if std::env::var_os("ASSAY_CLIENTS").is_none() {
            node.env("ASSAY_CLIENTS", repository("target/clients"));
        }
        Ok(node)
    }

    /// Runs a script of `tests/web` and fails when it does. The node answers meanwhile.
    pub async fn run(self, script: &str, argument: &str) -> Result<()> {
        let path = Path::new("tests/web").join(script);
        let mut node = self.node([&path.to_string_lossy(), argument])?;
        let status =
            tokio::task::spawn_blocking(move || node.status()).await?.context("cannot start node")?;
        self.world.stop().await;
        ensure!(status.success(), "{script} failed: {status}");
        Ok(())
    }
}

fn named(name: &str, path: &str, dataset: &Dataset) -> Result<Model> {
    Ok(Model { name: name.to_owned(), ..import_model(path, dataset)? })
}

impl World {
    /// Has a model audited under the showcase's policy and returns the certificate's number.
    async fn certified(
        &self,
        model: Digest,
        dataset: &Dataset,
        size: Option<u32>,
        supersedes: Option<u64>,
    ) -> Result<u64> {
        let request =
            AuditRequest { policy: POLICY.to_owned(), supersedes, ..audit_request(model, dataset, size) };
        let audit = self.client(OWNER)?.request_audit(request).await?;
        self.certificate_of(audit).await
    }
}
