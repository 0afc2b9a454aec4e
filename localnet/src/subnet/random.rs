//! Randomness of the subnet: a hash chain from a seed, which is either given or taken from the system.

use sha2::{Digest, Sha256};

/// A deterministic source of 32-byte blocks.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Random {
    #[serde(with = "serde_bytes")]
    seed: Vec<u8>,
    drawn: u64,
}

impl Random {
    /// A source with this seed; the same seed gives the same blocks.
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Random { seed: seed.to_vec(), drawn: 0 }
    }

    /// The next block.
    pub(crate) fn next(&mut self) -> [u8; 32] {
        self.drawn += 1;
        derive(b"localnet random", &[&self.seed, &self.drawn.to_be_bytes()])
    }
}

/// Fresh randomness of the operating system.
pub(crate) fn system_seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

/// A 32-byte value that belongs to a purpose and some inputs.
pub(crate) fn derive(purpose: &[u8], inputs: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&purpose).chain(inputs) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
