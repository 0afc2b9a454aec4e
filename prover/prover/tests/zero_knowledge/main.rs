//! Nothing but the statement is shown, as linear algebra: every value that a prover reveals is masked by cells of its
//! own, and no two of them by the same combination.
//!
//! A value that only secret weights hide is no secret: from one such number lattice reduction finds all weights of a
//! layer. So ranks are counted on the mask cells alone, with the verifier's own functionals, in every corner case.

#[path = "../common/mod.rs"]
mod common;
mod matrix;
mod revealed;
mod sumchecks;
mod tapes;

use audit::Model;
use common::Case;
use prover::Randomness;
use verifier::F;

/// Corner cases: N = 1, N = 2^n and one less, one layer, one unit, eight layers, many units, arg-max.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Case::shapes();
    for samples in [1, 7, 8, 9, 16] {
        cases.extend([&[1, 1][..], &[4, 3, 2], &[2, 1, 1, 1]].map(|widths| Case::new(widths, samples)));
    }
    cases.extend([Case::new(&[3, 2, 3, 2, 3, 2, 3, 2, 1], 1), Case::new(&[3, 8, 16, 12], 8)]);
    cases
}

/// The case's own weights, all-zero ones, and sparse ones.
pub(crate) fn models(case: &Case) -> [Model; 3] {
    let own = case.model();
    let (mut zero, mut sparse) = (own.clone(), own.clone());
    for layer in &mut zero.layers {
        layer.weights.fill(0);
        layer.bias.fill(0);
    }
    for layer in &mut sparse.layers {
        layer.weights.iter_mut().skip(1).for_each(|weight| *weight = 0);
        layer.bias.fill(0);
    }
    [own, zero, sparse]
}

/// Challenges.
pub(crate) fn randomness(purpose: &str) -> Randomness {
    Randomness::new(&[9; 32], purpose.as_bytes())
}

/// An index as a point of the cube.
pub(crate) fn corner(index: usize, bits: usize) -> Vec<F> {
    (0..bits).map(|bit| F::from((index >> bit & 1) as u64)).collect()
}
