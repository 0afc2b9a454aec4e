//! Where blinding values come from: the operating system, or a seed where a test needs equal bytes.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};
use verifier::{F, ff::Field as _};

use crate::ProveError;

/// A stream of secret random values.
#[derive(Debug, Clone)]
pub struct Randomness {
    rng: ChaCha20Rng,
}

impl Randomness {
    /// Fresh randomness for one proof.
    pub fn fresh() -> Result<[u8; 32], ProveError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| ProveError::NoRandomness)?;
        Ok(seed)
    }

    /// The stream of a seed for one purpose. Another purpose gives an independent stream, so that proofs of two
    /// statements never share blinding values, even where a seed is used twice.
    pub fn new(seed: &[u8; 32], purpose: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(b"assay prover randomness 1").chain_update(seed);
        Self { rng: ChaCha20Rng::from_seed(hash.chain_update(purpose).finalize().into()) }
    }

    /// A uniform field element.
    pub fn scalar(&mut self) -> F {
        F::random(&mut self.rng)
    }

    /// `count` uniform field elements.
    pub fn scalars(&mut self, count: usize) -> Vec<F> {
        (0..count).map(|_| self.scalar()).collect()
    }

    /// The generator itself.
    pub fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.rng
    }
}
