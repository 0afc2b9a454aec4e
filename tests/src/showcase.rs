//! A canister with something of everything that pages show: for tests in a browser, for screenshots, for measurements.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};
use audit::{Certificate, Dataset, Digest, Engine, Model, draw_sample};
use certifier::log::Source;
use interface::{AuditRequest, DisputePrediction, RevokeCertificate};
use localnet::Config;
use prover::ProverSetup;
use serde_json::json;

use crate::{
    CONTROLLER, OWNER, STRANGER, World, audit_request, import_model, linear_model, repository, wasm,
};

/// The node's keys and the samples that it draws, so that figures are the same each time.
const SEED: [u8; 32] = [7; 32];
/// What the audits ask for. Precision is undefined where nothing is decided favourably.
const POLICY: &str = r#"{"name":"better than guessing, no gap by sex","min_group_size":30,"criteria":[
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
    /// Certificate of a log, some of whose predictions the canister ran again; its verdict is pass.
    pub spot_checked: u64,
    /// Certificate of a log with predictions that its model does not make.
    pub suspended: u64,
    /// The dataset that most of them are about.
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
        let svc = world.register_model(&recidivism).await?;
        world.certified(svc, &compas, Some(1000), None).await?;
        let other = named("recidivism-logistic", "datasets/compas/models/logistic.onnx", &compas)?;
        let logistic = world.register_model(&other).await?;
        world.add_key().await?;
        let spot_checked = world.logged(logistic, &compas, &other, 300).await?;
        let suspended = world.logged(logistic, &compas, &recidivism, 0).await?;
        let index = first_difference(&world, suspended, &compas, (&recidivism, &other)).await?;
        let dispute = DisputePrediction { certificate: suspended, index };
        world.client(STRANGER)?.dispute_prediction(dispute).await?;
        let dataset = german.digest();
        Ok(Self {
            world,
            replayed,
            proved,
            undefined,
            revoked,
            superseded,
            spot_checked,
            suspended,
            dataset,
            model,
        })
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
            "spotChecked": self.spot_checked, "suspended": self.suspended,
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

/// The first place in a certificate's sample where two models differ.
async fn first_difference(
    world: &World,
    certificate: u64,
    dataset: &Dataset,
    models: (&Model, &Model),
) -> Result<u32> {
    let body = Certificate::parse(&world.client(STRANGER)?.certificate(certificate).await?.body)?;
    let sample = &body.predicate.sample;
    let (mut one, mut other) = (Engine::new(models.0), Engine::new(models.1));
    let rows = draw_sample(&sample.seed.0, dataset.rows(), sample.size);
    for (index, row) in (0..).zip(rows) {
        let row = dataset.row(row).context("a row is missing")?;
        if one.decide(row.features()).ok() != other.decide(row.features()).ok() {
            return Ok(index);
        }
    }
    bail!("the models decide alike")
}

fn named(name: &str, path: &str, dataset: &Dataset) -> Result<Model> {
    Ok(Model { name: name.to_owned(), ..import_model(path, dataset)? })
}

impl World {
    /// Has a log of `model` audited that `ran` made, and returns the certificate's number.
    async fn logged(&self, model: Digest, dataset: &Dataset, ran: &Model, openings: u32) -> Result<u64> {
        let folder = std::env::temp_dir().join(format!("assay-showcase-{}-{openings}", std::process::id()));
        let bytes = ran.to_bytes();
        let record = self.request_log(model, dataset, 2000, openings).await?;
        let source = Source::Integer { bytes: &bytes };
        let mut record = self.log(&record, dataset, source, model, &folder).await?;
        if openings > 0 {
            record = self.open(&record, &folder).await?.1;
        }
        std::fs::remove_dir_all(&folder)?;
        self.certificate_of(record.id).await
    }

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
