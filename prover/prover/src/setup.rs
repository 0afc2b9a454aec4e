//! Generators, multiples and keys for proving: the same for every model.

use halo2_proofs::plonk::{ProvingKey, keygen_pk, keygen_vk};
use verifier::{
    Point, Setup, VerifyError,
    closing::{CLOSING_BITS, ClosingCircuit},
    group::GroupEncoding as _,
    layout::ROW,
    setup::GENERATORS,
};

use crate::kernels::fast::Table;

/// What every proof needs.
#[derive(Debug)]
pub struct ProverSetup {
    /// The verifier's part.
    pub verifier: Setup,
    /// Key of the closing circuit.
    pub key: ProvingKey<Point>,
    /// Lagrange generators.
    pub bases: Vec<Point>,
    /// The blinding generator.
    pub blinding: Point,
    /// Multiples of the generators of a row.
    pub table: Table,
}

impl ProverSetup {
    /// Reads the generators and makes keys and multiples.
    pub fn new() -> Result<Self, VerifyError> {
        let verifier = Setup::new()?;
        let failed = |_| VerifyError::Setup("the closing circuit does not fit");
        let circuit = ClosingCircuit::default();
        let key = keygen_vk(&verifier.params, &circuit).map_err(failed)?;
        let key = keygen_pk(&verifier.params, key, &circuit).map_err(failed)?;
        // The layout of `Params::write`: k, the generators, the Lagrange generators, W, U.
        let count = 1 << CLOSING_BITS;
        let points = GENERATORS.get(4..).unwrap_or_default().as_chunks::<32>().0;
        let decode = |bytes: &[u8; 32]| {
            Option::from(Point::from_bytes(bytes)).ok_or(VerifyError::Setup("the generators cannot be read"))
        };
        let mut bases =
            points.iter().skip(count).take(count + 1).map(decode).collect::<Result<Vec<_>, _>>()?;
        let blinding = bases.pop().ok_or(VerifyError::Setup("generators are missing"))?;
        let table = Table::new(&bases[..ROW], &blinding);
        Ok(Self { verifier, key, bases, blinding, table })
    }
}
