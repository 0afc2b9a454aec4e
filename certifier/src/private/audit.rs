use audit::{Dataset, draw_sample};
use candid::Principal;
use interface::AuditRecord;
use prover::{ProverSetup, Randomness, Witness, audit_proof};
use verifier::{AuditContext, Parts, RegisteredModel, Setup, Statement, Submission};

use super::{Owned, PrivateError};

/// The public side of an audit's statements, all of it from the canister's record and public bytes.
#[derive(Debug)]
pub struct AuditInputs {
    canister: Principal,
    record: AuditRecord,
    seed: [u8; 32],
    cells: usize,
    features: Vec<i16>,
    cell_of: Vec<u32>,
}

impl AuditInputs {
    /// Draws the sample again and reads its rows.
    pub fn new(canister: Principal, record: &AuditRecord, dataset: &Dataset) -> Result<Self, PrivateError> {
        let not_drawn = || PrivateError::NotAwaiting { id: record.id, state: record.state.kind().name() };
        let seed = record.seed.ok_or_else(not_drawn)?.0;
        let schema = dataset.schema();
        let (mut features, mut cell_of) = (Vec::new(), Vec::new());
        for row in draw_sample(&seed, dataset.rows(), record.sample_size) {
            let Some(row) = dataset.row(row) else { continue };
            features.extend(row.features());
            cell_of.push(schema.cell_of(&row));
        }
        let cells = schema.cells() as usize * schema.classes.len();
        Ok(Self { canister, record: record.clone(), seed, cells, features, cell_of })
    }

    /// How the sample is cut for a model.
    pub fn parts(&self, model: &RegisteredModel) -> Result<Parts, PrivateError> {
        Ok(Parts::new(&model.commitment().architecture, self.cell_of.len())?)
    }

    /// Runs the model on a part of the sample and proves what it decides; returns what is handed in.
    pub fn prove(&self, setup: &ProverSetup, owned: &Owned, part: usize) -> Result<Vec<u8>, PrivateError> {
        let (registered, parts) = (&owned.registered, self.parts(&owned.registered)?);
        let blank = self.statement(registered, &parts, part, &[])?;
        let witness = Witness::new(&owned.model, blank.features)?;
        let counters = witness.counts(blank.cell_of, self.cells, blank.classes());
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
        let statement = self.statement(model, &parts, part, &submission.counters)?;
        verifier::audit_proof::verify(setup, model, &statement, submission.proof)?;
        Ok(submission.counters)
    }

    fn statement<'a>(
        &'a self,
        model: &'a RegisteredModel,
        parts: &Parts,
        part: usize,
        counts: &'a [u32],
    ) -> Result<Statement<'a>, PrivateError> {
        let architecture = &model.commitment().architecture;
        let no_part =
            || PrivateError::NotAProof(format!("there is no part {part}, there are {}", parts.count()));
        let range = parts.range(part).ok_or_else(no_part)?;
        let inputs = architecture.inputs() as usize;
        let context = AuditContext {
            canister: self.canister.as_slice(),
            audit: self.record.id,
            seed: &self.seed,
            dataset: self.record.dataset.into(),
            package: self.record.model.into(),
        };
        Ok(Statement {
            model: model.id(),
            architecture,
            context: context.of_part(parts, part),
            features: self.features.get(range.start * inputs..range.end * inputs).unwrap_or_default(),
            cell_of: &self.cell_of[range],
            counts,
            outputs: &[],
        })
    }
}
