//! What only a private model's owner can make: proofs of audits and of predictions.

use audit::Digest;
use check::{prediction::Prediction, proof::AuditInputs};
use prover::{ProverSetup, Randomness, Witness, audit_proof};
use verifier::{Statement, Submission, statement::Inference};

use super::{Owned, PrivateError};

impl Owned {
    /// Runs the model on a part of an audit's sample and proves what it decides; returns what is handed in.
    pub fn prove_part(
        &self,
        setup: &ProverSetup,
        inputs: &AuditInputs,
        part: usize,
    ) -> Result<Vec<u8>, PrivateError> {
        let registered = &self.registered;
        let sampled = inputs.sampled(registered, part)?;
        let blank = inputs.statement(&sampled, registered, part, &[])?;
        let witness = Witness::new(&self.model, blank.features)?;
        let counters = witness.counts(blank.cell_of, blank.cells, blank.classes());
        let statement = Statement { counts: &counters, ..blank };
        let (model, secret, seed) = (&self.model, &self.secret, Randomness::fresh()?);
        let (proof, _) = audit_proof::prove(setup, model, secret, registered, &statement, &seed)?;
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        Ok(Submission { part, proof: &proof, counters }.to_bytes())
    }

    /// Runs the model on the samples and proves what comes out.
    pub fn prove_prediction(
        &self,
        setup: &ProverSetup,
        context: Digest,
        features: Vec<Vec<i16>>,
    ) -> Result<Prediction, PrivateError> {
        let flat = features.concat();
        let witness = Witness::new(&self.model, &flat)?;
        let outputs = witness.outputs(&self.model);
        let registered = &self.registered;
        let inference = Inference::new(registered, context, &flat, &witness.decisions, &outputs)?;
        let (proof, _) = audit_proof::prove(
            setup,
            &self.model,
            &self.secret,
            registered,
            &inference.statement(),
            &Randomness::fresh()?,
        )?;
        let units = inference.statement().units();
        let outputs = outputs.chunks_exact(units).map(<[i16]>::to_vec).collect();
        Ok(Prediction::new(self.digest, context, features, witness.decisions, outputs, &proof))
    }
}
