//! What a proof is made of, in the order of the transcript.

use verifier::{
    Check, Layout, Tape,
    layout::{CONTRACTION_DEGREE, LOOKUP_DEGREE, OPENING_DEGREE, SAMPLE_DEGREE},
    registration::{RANGE_DEGREE, RangeLayout},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Point,
    Scalar,
}

/// Consecutive elements of one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub count: usize,
    pub kind: Kind,
    /// The check that refuses a proof in which one of them is another.
    pub caught: Check,
}

fn points(name: &'static str, count: usize, caught: Check) -> Field {
    Field { name, count, kind: Kind::Point, caught }
}

fn scalars(name: &'static str, count: usize, caught: Check) -> Field {
    Field { name, count, kind: Kind::Scalar, caught }
}

/// A commitment that is changed changes every later challenge: the first check after it fails.
pub fn audit_fields(layout: &Layout) -> Vec<Field> {
    use Check::{Contraction, Lookups, Samples};
    let rows = |tape| layout.rows(tape).len();
    let mut fields = vec![
        points("rows of Q", rows(Tape::Q), Lookups),
        points("rows of R", rows(Tape::R), Lookups),
        points("rows of X", rows(Tape::X), Lookups),
        points("rows of Z", rows(Tape::Z), Lookups),
        points("blinding of the combined row", 1, Lookups),
        points("opening mask", 1, Lookups),
        points("rows of H", rows(Tape::H), Lookups),
        scalars("lookups: sum of the mask", 1, Lookups),
        scalars("lookups: rounds", layout.address_bits * LOOKUP_DEGREE, Lookups),
        scalars("lookups: Q, R, X, H", 4, Lookups),
        scalars("lookups: mask", 1, Lookups),
        scalars("samples: sum of the mask", 1, Samples),
        scalars("samples: rounds", layout.sample_bits * SAMPLE_DEGREE, Samples),
        scalars("samples: equations, products, decision", 3, Samples),
        scalars("samples: mask", 1, Samples),
        scalars("contraction: sum of the mask", 1, Contraction),
        scalars("contraction: rounds", layout.contraction_bits * CONTRACTION_DEGREE, Contraction),
        scalars("contraction: activations", layout.dense - 1, Contraction),
        scalars("contraction: weights", layout.dense, Contraction),
        scalars("contraction: mask", 1, Contraction),
    ];
    fields.extend(opening_fields(layout.address_bits));
    fields
}

pub fn registration_fields(layout: &RangeLayout) -> Vec<Field> {
    use Check::WeightRange;
    let rows = |tape| layout.rows(tape).len();
    let mut fields = vec![
        points("rows of multiplicities", rows(Tape::Q), WeightRange),
        points("rows of Z", rows(Tape::Z), WeightRange),
        points("blinding of the combined row", 1, WeightRange),
        points("opening mask", 1, WeightRange),
        points("rows of H", rows(Tape::H), WeightRange),
        scalars("range: sum of the mask", 1, WeightRange),
        scalars("range: rounds", layout.address_bits * RANGE_DEGREE, WeightRange),
        scalars("range: weights, inverses, multiplicities", 3, WeightRange),
        scalars("range: mask", 1, WeightRange),
    ];
    fields.extend(opening_fields(layout.address_bits));
    fields
}

/// The batch opening has no check of its own: what it leaves decides what the closing proof must be about.
fn opening_fields(address_bits: usize) -> [Field; 14] {
    use Check::{Closing, ClosingCommitments};
    [
        scalars("opening: sum of the mask", 1, ClosingCommitments),
        scalars("opening: rounds", address_bits * OPENING_DEGREE, ClosingCommitments),
        points("closing: combined row", 1, ClosingCommitments),
        points("closing: opening mask", 1, ClosingCommitments),
        points("closing: accumulator", 1, Closing),
        points("closing: random polynomial", 1, Closing),
        points("closing: parts of the quotient", 2, Closing),
        scalars("closing: values of columns", 10, Closing),
        points("closing: polynomial of the multi-opening", 1, Closing),
        scalars("closing: values of the multi-opening", 2, Closing),
        points("closing: blinding polynomial", 1, Closing),
        points("closing: inner product, 9 rounds", 18, Closing),
        scalars("closing: last scalar", 1, Closing),
        scalars("closing: last blinding", 1, Closing),
    ]
}
