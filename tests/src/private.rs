//! Private models in a test's world.

use anyhow::Result;
use audit::{Dataset, Digest, Model};
use certifier::{
    client::ClientError,
    private::{Owned, package},
};
use check::proof::AuditInputs;
use interface::{ArtefactKind, AuditId, AuditRecord, SubmitProof};
use prover::{ModelSecret, ProverSetup};

use crate::{Answer, OWNER, World};

impl World {
    /// Commits to a model as its owner, proves the range of its weights and registers the package.
    pub async fn register_private(&self, setup: &ProverSetup, model: &Model, seed: u8) -> Result<Owned> {
        let (secret, client) = (ModelSecret::new([seed; 32]), self.client(OWNER)?);
        let package = package(setup, model, &secret, client.caller())?;
        client.upload(ArtefactKind::PrivateModel, &package, &mut |_, _| ()).await?;
        Ok(Owned::new(setup, model.clone(), secret, &package)?)
    }

    /// Requests an audit of a private model and waits until its sample is drawn.
    pub async fn drawn(&self, owned: &Owned, dataset: &Dataset, size: u32) -> Result<AuditRecord> {
        let audit = self.request(owned.digest, dataset, Some(size)).await?;
        self.until(audit, |record| record.seed.is_some()).await
    }

    /// Proves one part of an audit.
    pub fn prove(
        &self,
        setup: &ProverSetup,
        owned: &Owned,
        record: &AuditRecord,
        dataset: &Dataset,
        part: usize,
    ) -> Result<Vec<u8>> {
        let inputs = AuditInputs::new(self.canister, record, dataset)?;
        Ok(owned.prove_part(setup, &inputs, part)?)
    }

    /// Uploads bytes as a proof and hands them in, as this person.
    pub async fn hand_in(&self, number: u8, audit: AuditId, proof: &[u8]) -> Result<Answer<()>> {
        match self.client(number)?.put(ArtefactKind::Proof, proof, &mut |_, _| ()).await {
            Err(ClientError::Refused { refusal, .. }) => return Ok(Err(*refusal)),
            put => put?,
        };
        let request = SubmitProof { audit, proof: Digest::of(proof).into() };
        self.call(number, "submit_proof", request).await
    }
}
