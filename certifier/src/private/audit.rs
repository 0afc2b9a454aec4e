use audit::{Dataset, draw_sample};
use candid::Principal;
use interface::AuditRecord;
use prover::{ProverSetup, Randomness, Witness, audit_proof};
use verifier::{AuditContext, Parts, RegisteredModel, Sampled, Setup, Statement, Submission};

use super::{Owned, PrivateError};

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
    pub fn new(canister: Principal, record: &AuditRecord, dataset: &Dataset) -> Result<Self, PrivateError> {
        let not_drawn = || PrivateError::NotAwaiting { id: record.id, state: record.state.kind().name() };
        let seed = record.seed.ok_or_else(not_drawn)?.0;
        let sample = draw_sample(&seed, dataset.rows(), record.sample_size);
        Ok(Self { canister, record: record.clone(), seed, dataset: dataset.clone(), sample })
    }

    /// How the sample is cut for a model.
    pub fn parts(&self, model: &RegisteredModel) -> Result<Parts, PrivateError> {
        Ok(Parts::new(&model.commitment().architecture, self.sample.len())?)
    }

    /// Runs the model on a part of the sample and proves what it decides; returns what is handed in.
    pub fn prove(&self, setup: &ProverSetup, owned: &Owned, part: usize) -> Result<Vec<u8>, PrivateError> {
        let (registered, parts) = (&owned.registered, self.parts(&owned.registered)?);
        let sampled = self.sampled(&parts, part)?;
        let blank = self.statement(&sampled, registered, &parts, part, &[])?;
        let witness = Witness::new(&owned.model, blank.features)?;
        let counters = witness.counts(blank.cell_of, blank.cells, blank.classes());
        let statement = Statement { counts: &counters, ..blank };
        let (model, secret, seed) = (&owned.model, &owned.secret, Randomness::fresh()?);
        let (proof, _) = audit_proof::prove(setup, model, secret, registered, &statement, &seed)?;
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        Ok(Submission { part, proof: &proof, counters }.to_bytes())
    }

    /// Verifies what was handed in for a part; returns its counters.
    pub fn verify(
        &self,
        setup: &Setup,
        model: &RegisteredModel,
        part: usize,
        bytes: &[u8],
    ) -> Result<Vec<u32>, PrivateError> {
        let submission =
            Submission::parse(bytes).map_err(|cause| PrivateError::NotAProof(cause.to_string()))?;
        if submission.part as usize != part {
            let message = format!("it is of part {}, expected {part}", submission.part);
            return Err(PrivateError::NotAProof(message));
        }
        let parts = self.parts(model)?;
        let sampled = self.sampled(&parts, part)?;
        let statement = self.statement(&sampled, model, &parts, part, &submission.counters)?;
        verifier::audit_proof::verify(setup, model, &statement, submission.proof)?;
        Ok(submission.counters)
    }

    /// The rows of a part.
    fn sampled(&self, parts: &Parts, part: usize) -> Result<Sampled, PrivateError> {
        let no_part =
            || PrivateError::NotAProof(format!("there is no part {part}, there are {}", parts.count()));
        let mut sampled = Sampled::default();
        for &row in &self.sample[parts.range(part).ok_or_else(no_part)?] {
            if let Some(row) = self.dataset.row(row) {
                sampled.push(self.dataset.schema(), &row);
            }
        }
        Ok(sampled)
    }

    fn statement<'a>(
        &self,
        sampled: &'a Sampled,
        model: &'a RegisteredModel,
        parts: &Parts,
        part: usize,
        counts: &'a [u32],
    ) -> Result<Statement<'a>, PrivateError> {
        let context = AuditContext {
            canister: self.canister.as_slice(),
            audit: self.record.id,
            seed: &self.seed,
            dataset: self.record.dataset.into(),
            package: self.record.model.into(),
        };
        Ok(sampled.statement(model, self.dataset.schema(), context.of_part(parts, part), counts)?)
    }
}
