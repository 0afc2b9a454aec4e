use std::{path::PathBuf, time::Instant};

use audit::Dataset;
use certifier::{
    client::Client,
    private::{self, Owned, PrivateError},
};
use check::proof::AuditInputs;
use clap::Args;
use interface::{ArtefactKind, AuditId, AuditRecord, AuditState, SubmitProof, VerifyAudit};
use prover::ProverSetup;
use serde_json::json;

use super::{
    audit::{WaitArguments, wait, wait_and_show},
    private::{OwnedArguments, prover_setup},
};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session,
};

#[derive(Args)]
#[command(after_help = "Example:\n  \
        assay prove 2 --model logistic.assay-model\n\n\
        Downloads the audit's record and dataset, draws the sample again, runs the model on it, proves what \
        it decides, and hands the proof in. The weights do not leave this computer. A large sample is \
        proved in parts; what was accepted stays accepted when this is interrupted and repeated. Exit code \
        3 if the canister refuses a proof.")]
pub struct ProveArguments {
    /// Number of the audit
    audit: AuditId,
    #[command(flatten)]
    owned: OwnedArguments,
    /// Only ask the canister whether it would accept the proofs; hand nothing in
    #[arg(long)]
    dry_run: bool,
    /// Write the proofs to this folder too, as part-N.assay-proof
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    waiting: WaitArguments,
}

pub async fn run(global: &Global, arguments: ProveArguments, output: Output) -> Result<Exit> {
    let setup = prover_setup()?;
    let owned = arguments.owned.read(&setup)?;
    let client = session::client(global, output).await?;
    let record = wait(&client, arguments.audit, None, output).await?;
    if record.model != owned.digest.into() {
        return Err(Failure::new(
            format!("audit {} is of model {}, the package is {}", record.id, record.model, owned.digest),
            "pass the --model that was registered, with its package",
        ));
    }
    let run = ProofRun { client: &client, setup: &setup, owned: &owned, output };
    if arguments.dry_run {
        let (parts, bytes) = run.dry(&record, arguments.output.as_ref()).await?;
        let document = json!({ "audit": record.id, "parts": parts, "bytes": bytes, "accepted": true });
        output.result(&document, || {
            format!("the canister would accept {parts} proofs, {bytes} bytes; nothing was handed in")
        })?;
        return Ok(Exit::Ok);
    }
    run.hand_in(&record, arguments.output.as_ref()).await?;
    wait_and_show(&client, record.id, arguments.waiting, output).await
}

/// What a proof of an audit needs.
pub struct ProofRun<'a> {
    pub client: &'a Client,
    pub setup: &'a ProverSetup,
    pub owned: &'a Owned,
    pub output: Output,
}

impl ProofRun<'_> {
    /// Proves what is left of an audit and hands it in, part by part; returns the proofs.
    pub async fn hand_in(&self, record: &AuditRecord, folder: Option<&PathBuf>) -> Result<Vec<Vec<u8>>> {
        let AuditState::AwaitingProof { done, .. } = record.state else {
            let state = record.state.kind().name();
            return Err(PrivateError::NotAwaiting { id: record.id, state }.into());
        };
        let inputs = self.inputs(record).await?;
        let parts = inputs.parts(&self.owned.registered)?;
        let mut proofs = Vec::new();
        for part in parts.starting_at(done as usize).unwrap_or(0)..parts.count() {
            let bytes = self.prove(&inputs, part, parts.count(), folder)?;
            let bar = self.output.bar("uploading proof", true);
            let set = &mut |done, total| bar.set(done, total);
            self.client.put(ArtefactKind::Proof, &bytes, set).await?;
            let proof = audit::Digest::of(&bytes).into();
            self.client.submit_proof(SubmitProof { audit: record.id, proof }).await?;
            proofs.push(bytes);
        }
        Ok(proofs)
    }

    /// Proves everything and asks the canister about it; returns the number of parts and their bytes.
    async fn dry(&self, record: &AuditRecord, folder: Option<&PathBuf>) -> Result<(usize, usize)> {
        let inputs = self.inputs(record).await?;
        let count = inputs.parts(&self.owned.registered)?.count();
        let mut total = 0;
        for part in 0..count {
            let proof = self.prove(&inputs, part, count, folder)?;
            total += proof.len();
            self.client.verify_audit(VerifyAudit { audit: record.id, proof }).await?;
        }
        Ok((count, total))
    }

    async fn inputs(&self, record: &AuditRecord) -> Result<AuditInputs> {
        let bar = self.output.bar("downloading dataset", true);
        let set = &mut |done, total| bar.set(done, total);
        let bytes = self.client.download(ArtefactKind::Dataset, record.dataset.into(), set).await?;
        let dataset = Dataset::parse(bytes).map_err(anyhow::Error::from)?;
        Ok(AuditInputs::new(self.client.canister(), record, &dataset)?)
    }

    fn prove(
        &self,
        inputs: &AuditInputs,
        part: usize,
        of: usize,
        folder: Option<&PathBuf>,
    ) -> Result<Vec<u8>> {
        let spinner = self.output.spinner(&format!("proving part {} of {of}", part + 1));
        let start = Instant::now();
        let bytes = self.owned.prove_part(self.setup, inputs, part)?;
        let seconds = start.elapsed().as_secs_f64();
        // What leaves here is verified first: it tells the owner, and nobody else, about a mistake.
        inputs.verify(&self.setup.verifier, &self.owned.registered, part, &bytes)?;
        drop(spinner);
        self.output.note(format!(
            "proved   part {} of {of}: {seconds:.2} s, {} bytes",
            part + 1,
            bytes.len()
        ));
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            private::write(&folder.join(format!("part-{part}.assay-proof")), &bytes)?;
        }
        Ok(bytes)
    }
}
