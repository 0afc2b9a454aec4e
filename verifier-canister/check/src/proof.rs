//! The proofs behind a certificate of level `proved`: what they must say follows from public bytes.

use audit::{Dataset, draw_sample};
use candid::Principal;
use interface::AuditRecord;
use verifier::{
    AuditContext, Package, Parts, RegisteredModel, Sampled, Setup, Statement, Submission, VerifyError,
    package::PackageError,
};

/// Why a package or a proof does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Not a prediction with its proof.
    #[error("not a proved prediction: {0}")]
    NotAPrediction(String),
    /// Not what an owner hands in for a part of an audit.
    #[error("not a proof of this audit: {0}")]
    NotAProof(String),
    /// The package names another owner than the audit's record.
    #[error("the package is not of the audited model's owner")]
    OtherOwner,
    /// The audit has no sample (yet).
    #[error("audit {id} is {state}")]
    NoSample {
        /// The audit.
        id: u64,
        /// Its state.
        state: &'static str,
    },
    /// A package is refused.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A proof is refused.
    #[error(transparent)]
    Refused(#[from] VerifyError),
}

/// Reads a package and verifies its range proof.
pub fn registered(setup: &Setup, package: &[u8]) -> Result<RegisteredModel, ProofError> {
    Ok(Package::parse(package)?.verify(setup)?)
}

/// The public side of an audit's statements, all of it from the canister's record and public bytes.
#[derive(Debug)]
pub struct AuditInputs {
    canister: Principal,
    record: AuditRecord,
    seed: [u8; 32],
    dataset: Dataset,
    sample: Vec<u32>,
}

impl AuditInputs {
    /// Draws the sample again and reads its rows.
    pub fn new(canister: Principal, record: &AuditRecord, dataset: &Dataset) -> Result<Self, ProofError> {
        let not_drawn = || ProofError::NoSample { id: record.id, state: record.state.kind().name() };
        let seed = record.seed.ok_or_else(not_drawn)?.0;
        let sample = draw_sample(&seed, dataset.rows(), record.sample_size);
        Ok(Self { canister, record: record.clone(), seed, dataset: dataset.clone(), sample })
    }

    /// How the sample is cut for a model.
    pub fn parts(&self, model: &RegisteredModel) -> Result<Parts, ProofError> {
        Ok(Parts::new(&model.commitment().architecture, self.sample.len())?)
    }

    /// Verifies what was handed in for a part; returns its counters.
    pub fn verify(
        &self,
        setup: &Setup,
        model: &RegisteredModel,
        part: usize,
        bytes: &[u8],
    ) -> Result<Vec<u32>, ProofError> {
        let submission =
            Submission::parse(bytes).map_err(|cause| ProofError::NotAProof(cause.to_string()))?;
        if submission.part as usize != part {
            let message = format!("it is of part {}, expected {part}", submission.part);
            return Err(ProofError::NotAProof(message));
        }
        let sampled = self.sampled(model, part)?;
        let statement = self.statement(&sampled, model, part, &submission.counters)?;
        verifier::audit_proof::verify(setup, model, &statement, submission.proof)?;
        Ok(submission.counters)
    }

    /// The rows of a part.
    pub fn sampled(&self, model: &RegisteredModel, part: usize) -> Result<Sampled, ProofError> {
        let parts = self.parts(model)?;
        let rows = parts.range(part).and_then(|range| self.sample.get(range));
        let no_part =
            || ProofError::NotAProof(format!("there is no part {part}, there are {}", parts.count()));
        let mut sampled = Sampled::default();
        for &row in rows.ok_or_else(no_part)? {
            if let Some(row) = self.dataset.row(row) {
                sampled.push(self.dataset.schema(), &row);
            }
        }
        Ok(sampled)
    }

    /// "The model makes these counts on the rows of this part."
    pub fn statement<'a>(
        &self,
        sampled: &'a Sampled,
        model: &'a RegisteredModel,
        part: usize,
        counts: &'a [u32],
    ) -> Result<Statement<'a>, ProofError> {
        let parts = self.parts(model)?;
        let context = AuditContext {
            canister: self.canister.as_slice(),
            audit: self.record.id,
            seed: &self.seed,
            dataset: self.record.dataset.into(),
            package: self.record.model.into(),
        };
        Ok(sampled.statement(model, self.dataset.schema(), context.of_part(&parts, part), counts)?)
    }
}
