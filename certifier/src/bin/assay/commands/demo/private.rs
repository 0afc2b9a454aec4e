//! The private half of the demo: commitment, proofs of audits and predictions, and what must be refused.

use std::{path::Path, time::Instant};

use audit::{Dataset, Digest, Model, Policy};
use certifier::private::{self, Owned};
use check::prediction::Prediction;
use interface::{ArtefactKind, PRIVATE_MODEL_BYTES, VerifyAudit, export::CertificateFile};
use prover::ProverSetup;
use serde_json::{Value, json};
use verifier::Submission;

use super::{
    super::{audit::wait, private::prover_setup, prove::ProofRun},
    Demo,
};
use crate::failure::{Exit, Failure, Result};

/// What proving takes, made once.
pub struct Prover {
    setup: ProverSetup,
}

impl Prover {
    pub fn new() -> Result<Self> {
        Ok(Self { setup: prover_setup()? })
    }
}

/// What was proved of one model.
pub struct Proved {
    /// Seconds from the drawn sample to the accepted proof: download, proving, upload, verification.
    pub seconds: f64,
    /// Number of proofs.
    pub parts: usize,
    /// Bytes of all.
    pub bytes: usize,
    /// Why the canister refused a proof with another count.
    pub false_proof: String,
    /// Seconds to prove one prediction.
    pub prediction_seconds: f64,
    /// Bytes of its proof.
    pub prediction_bytes: usize,
    /// Why a prediction of another class is refused.
    pub false_prediction: String,
}

impl Proved {
    /// As JSON.
    pub fn document(&self) -> Value {
        json!({
            "seconds": self.seconds,
            "parts": self.parts,
            "bytes": self.bytes,
            "falseProofRefused": self.false_proof,
            "prediction": {
                "seconds": self.prediction_seconds,
                "bytes": self.prediction_bytes,
                "falseClassRefused": self.false_prediction,
            },
        })
    }
}

impl Demo<'_> {
    /// Registers a commitment, has the audit's sample drawn, proves it, and proves a prediction.
    pub(super) async fn audit_private(
        &self,
        prover: &Prover,
        model: &Model,
        file: &Path,
        data: &Dataset,
        policy: &Policy,
    ) -> Result<((CertificateFile, u64), Proved)> {
        let owned = self.register_private(prover, model, file).await?;
        let id = self.request(owned.digest, data, policy).await?;
        let record = wait(&self.client, id, None, self.output).await?;
        let start = Instant::now();
        let run = ProofRun { client: &self.client, setup: &prover.setup, owned: &owned, output: self.output };
        let proofs = run.hand_in(&record, None).await?;
        let seconds = start.elapsed().as_secs_f64();
        let audited = self.completed(&wait(&self.client, id, None, self.output).await?).await?;

        let false_proof = self.refused_count(id, &proofs[0]).await?;
        let row = data.row(0).ok_or_else(|| Failure::new("the dataset is empty", "add rows"))?;
        let start = Instant::now();
        let features = vec![row.features().collect()];
        let prediction = owned.prove_prediction(&prover.setup, Digest::of(b"demo"), features)?;
        let prediction_seconds = start.elapsed().as_secs_f64();
        let package = private::package_path(file);
        prediction.verify(&prover.setup.verifier, &private::read(&package, PRIVATE_MODEL_BYTES)?)?;
        self.client.verify_inference(prediction.request()?).await?;
        let false_prediction = self.refused_class(&prediction).await?;
        let proved = Proved {
            seconds,
            parts: proofs.len(),
            bytes: proofs.iter().map(Vec::len).sum(),
            false_proof,
            prediction_seconds,
            prediction_bytes: prediction.proof()?.len(),
            false_prediction,
        };
        self.output.note(format!(
            "proved   a prediction in {prediction_seconds:.2} s, verified here and by the canister"
        ));
        Ok((audited, proved))
    }

    async fn register_private(&self, prover: &Prover, model: &Model, file: &Path) -> Result<Owned> {
        let secret = private::secret(&private::secret_path(file))?;
        let owner = self.client.caller();
        let start = Instant::now();
        let package = private::package(&prover.setup, model, &secret, owner)?;
        private::write(&private::package_path(file), &package)?;
        let seconds = start.elapsed().as_secs_f64();
        self.upload(ArtefactKind::PrivateModel, &package).await?;
        self.output.note(format!(
            "private  a commitment to the weights and the proof of their range: {seconds:.2} s, {} bytes",
            package.len()
        ));
        Ok(Owned::new(&prover.setup, model.clone(), secret, &package)?)
    }

    /// Moves one sample to another class in the counts of an accepted proof.
    async fn refused_count(&self, audit: u64, proof: &[u8]) -> Result<String> {
        let mut submission = Submission::parse(proof).map_err(anyhow::Error::from)?;
        let counters = &mut submission.counters;
        let counted = counters.iter().position(|&count| count > 0).unwrap_or(0);
        counters[counted] -= 1;
        counters[counted ^ 1] += 1;
        let request = VerifyAudit { audit, proof: submission.to_bytes() };
        refusal(self.client.verify_audit(request).await, "an audit's proof with another count")
    }

    async fn refused_class(&self, prediction: &Prediction) -> Result<String> {
        let mut request = prediction.request()?;
        request.classes[0] ^= 1;
        refusal(self.client.verify_inference(request).await, "a prediction's proof with another class")
    }
}

fn refusal(answer: std::result::Result<(), impl ToString>, what: &str) -> Result<String> {
    match answer {
        Err(cause) => Ok(cause.to_string()),
        Ok(()) => Err(Failure {
            exit: Exit::Mismatch,
            ..Failure::new(format!("{what} is accepted"), "report this: the verifier is broken")
        }),
    }
}
