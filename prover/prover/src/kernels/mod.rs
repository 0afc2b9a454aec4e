//! The hot loops. [`mod@reference`] is the definition, kept as oracle; [`fast`] is what proofs use.

pub mod fast;
pub mod reference;

use verifier::F;

/// What one row's commitment is to: values by column, and the blinding value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowCells {
    /// Small integers.
    pub small: Vec<(usize, i32)>,
    /// Field elements.
    pub full: Vec<(usize, F)>,
    /// Factor of the blinding generator.
    pub blind: F,
}
