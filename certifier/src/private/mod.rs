//! Private models on their owner's side, and proofs on everyone's: secrets, packages, proofs of audits and of
//! predictions.

mod audit;
mod error;
mod prediction;
mod secret;

use ::audit::{Digest, Model};
use candid::Principal;
use prover::{ModelSecret, ProverSetup, Randomness, registration};
use verifier::{Package, RegisteredModel, Setup};

pub use audit::AuditInputs;
pub use error::PrivateError;
pub use prediction::Prediction;
pub use secret::{package_path, read, read_secret, secret, secret_path, write};

/// Reads a package and verifies its range proof.
pub fn registered(setup: &Setup, package: &[u8]) -> Result<RegisteredModel, PrivateError> {
    Ok(Package::parse(package)?.verify(setup)?)
}

/// Commits to a model's weights and proves that they are in range: what a private model registers.
pub fn package(
    setup: &ProverSetup,
    model: &Model,
    secret: &ModelSecret,
    owner: Principal,
) -> Result<Vec<u8>, PrivateError> {
    let commitment = secret.commit(setup, model, owner.as_slice());
    let proof = registration::prove(setup, model, secret, &commitment, &Randomness::fresh()?)?;
    Ok(Package::to_bytes(&commitment, &proof))
}

/// A registered private model in its owner's hands.
#[derive(Debug)]
pub struct Owned {
    /// Weights and all.
    pub model: Model,
    /// What opens the commitment.
    pub secret: ModelSecret,
    /// The public side.
    pub registered: RegisteredModel,
    /// SHA-256 of the package.
    pub digest: Digest,
}

impl Owned {
    /// Fails unless model and secret open the package's commitment.
    pub fn new(
        setup: &ProverSetup,
        model: Model,
        secret: ModelSecret,
        package: &[u8],
    ) -> Result<Self, PrivateError> {
        let registered = registered(&setup.verifier, package)?;
        let commitment = registered.commitment();
        if secret.commit(setup, &model, &commitment.owner) != *commitment {
            return Err(PrivateError::OtherModel);
        }
        Ok(Self { model, secret, registered, digest: Digest::of(package) })
    }
}
