//! Generators and the closing proof's key: the same for every model, built once.
//!
//! The generators are `halo2_proofs`' own, hashed to the curve; nobody knows a relation between them. Reading
//! them is much cheaper than making them, so their bytes are kept in `generators.bin`; a test makes them again.

use halo2_proofs::{
    plonk::{VerifyingKey, keygen_vk},
    poly::commitment::Params,
};

use crate::{
    Point, VerifyError,
    closing::{CLOSING_BITS, ClosingCircuit},
};

/// `Params::<EqAffine>::new(CLOSING_BITS)` as `Params::write` gives it.
pub const GENERATORS: &[u8] = include_bytes!("generators.bin");

/// What every verification needs beside statement and proof.
#[derive(Debug)]
pub struct Setup {
    /// Generators.
    pub params: Params<Point>,
    /// Key of the closing circuit.
    pub key: VerifyingKey<Point>,
}

impl Setup {
    /// Reads the generators and makes the key.
    pub fn new() -> Result<Self, VerifyError> {
        let failed = |_| VerifyError::Setup("the generators cannot be read");
        let params = Params::read(&mut &*GENERATORS).map_err(failed)?;
        if params.k() != CLOSING_BITS {
            return Err(VerifyError::Setup("the generators have another size"));
        }
        let key = keygen_vk(&params, &ClosingCircuit::default())
            .map_err(|_| VerifyError::Setup("the closing circuit does not fit"))?;
        Ok(Self { params, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_are_halo2s_own() {
        let mut bytes = Vec::new();
        Params::<Point>::new(CLOSING_BITS).write(&mut bytes).unwrap();
        if std::env::var_os("ASSAY_BLESS").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/generators.bin"), &bytes).unwrap();
        }
        assert!(bytes == GENERATORS, "generators.bin is not what Params::new makes; ASSAY_BLESS=1 writes it");
    }
}
