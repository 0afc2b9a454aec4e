//! Private models on their owner's side: secrets, packages, and the proofs that only an owner can make.

mod error;
mod proving;
mod secret;

use std::path::Path;

use audit::{Digest, Model};
use candid::Principal;
use check::{
    prediction::{MAX_PREDICTION, Prediction},
    proof::registered,
};
use prover::{ModelSecret, ProverSetup, Randomness, registration};
use verifier::{Package, RegisteredModel};

pub use error::PrivateError;
pub use secret::{package_path, read, read_secret, secret, secret_path, write};

/// Reads a file with a prediction and its proof; nothing is verified yet.
pub fn read_prediction(path: &Path) -> Result<Prediction, PrivateError> {
    Ok(Prediction::from_json(&read(path, MAX_PREDICTION)?)?)
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
