//! Makes the closing proof: see `verifier::closing`.
//!
//! `create_proof` draws the blinding values of its columns from the generator it is given. The first ones are
//! replayed, so that its first two commitments are the combined row's and the opening mask's.

use std::{collections::VecDeque, convert::Infallible};

use halo2_proofs::{
    arithmetic::best_multiexp,
    plonk::{Circuit, create_proof},
};
use rand_core::{Rng as _, TryRng};
use verifier::{
    Curve, F, Point,
    closing::{BLINDING_ROWS, CLOSING_BITS, ClosingCircuit, MASK_START, weights},
    ff::PrimeField as _,
    sumcheck::Reduced,
};

use crate::{ProveError, ProverSetup, Randomness, transcript::Writer};

/// Blinding values of one column of the closing proof.
#[derive(Debug, Clone)]
pub struct Blinding {
    /// Values of the rows that halo2 reserves.
    pub rows: Vec<F>,
    /// Factor of the blinding generator.
    pub factor: F,
}

impl Blinding {
    /// Fresh values.
    pub fn random(randomness: &mut Randomness) -> Self {
        Self { rows: randomness.scalars(BLINDING_ROWS), factor: randomness.scalar() }
    }

    /// Commits to a column that holds `values` from row `start` on, and these blinding values.
    pub fn commit(&self, setup: &ProverSetup, start: usize, values: &[F]) -> Point {
        let reserved = (1 << CLOSING_BITS) - BLINDING_ROWS;
        let scalars: Vec<F> = values.iter().chain(&self.rows).copied().chain([self.factor]).collect();
        let bases = setup.bases[start..start + values.len()].iter().chain(&setup.bases[reserved..]);
        let bases: Vec<Point> = bases.copied().chain([setup.blinding]).collect();
        Point::from(best_multiexp::<Point>(&scalars, &bases) as Curve)
    }
}

/// Commits to the coefficients of the opening mask.
pub fn commit_mask(setup: &ProverSetup, coefficients: &[F], blinding: &Blinding) -> Point {
    blinding.commit(setup, MASK_START, coefficients)
}

/// What the closing proof is about.
#[derive(Debug, Clone)]
pub struct Combined<'a> {
    /// The opening sumcheck's outcome.
    pub reduced: &'a Reduced,
    /// The combined row.
    pub row: Vec<F>,
    /// Its blinding.
    pub row_blinding: Blinding,
    /// Coefficients of the opening mask.
    pub mask: &'a [F],
    /// Its blinding.
    pub mask_blinding: &'a Blinding,
}

/// Appends the closing proof.
pub fn prove(
    setup: &ProverSetup,
    writer: &mut Writer,
    combined: Combined<'_>,
    randomness: &mut Randomness,
) -> Result<(), ProveError> {
    let weights = weights(combined.reduced);
    let blindings = [&combined.row_blinding, combined.mask_blinding];
    let circuit =
        ClosingCircuit { row: combined.row, mask: combined.mask.to_vec(), weights: weights.clone() };
    prove_circuit(setup, writer, &circuit, &weights, blindings, randomness)
}

/// Appends a proof of a circuit with the closing circuit's columns; its first two have these blinding values.
#[doc(hidden)]
pub fn prove_circuit(
    setup: &ProverSetup,
    writer: &mut Writer,
    circuit: &impl Circuit<F>,
    weights: &[F],
    [row_blinding, mask_blinding]: [&Blinding; 2],
    randomness: &mut Randomness,
) -> Result<(), ProveError> {
    // halo2 draws the reserved rows of each column first, then each column's factor.
    let own = Blinding::random(randomness);
    let columns = [row_blinding, mask_blinding, &own];
    let rows = columns.iter().flat_map(|column| column.rows.iter());
    let replayed = rows.chain(columns.iter().map(|column| &column.factor));
    let mut rng = Replay { words: replayed.flat_map(words).collect(), then: randomness };
    create_proof(
        &setup.verifier.params,
        &setup.key,
        std::slice::from_ref(circuit),
        &[&[weights]],
        &mut rng,
        writer.halo2(),
    )
    .map_err(|error| ProveError::Closing(error.to_string()))?;
    assert!(rng.words.is_empty(), "halo2 drew fewer values than its columns need");
    Ok(())
}

/// What `Field::random` must read to give this value: the value, and a high half of zeros.
fn words(value: &F) -> impl Iterator<Item = u64> {
    let bytes = value.to_repr();
    (0..4)
        .map(move |word| u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * word + byte])))
        .chain([0; 4])
}

/// Gives set words first, then random ones.
struct Replay<'a> {
    words: VecDeque<u64>,
    then: &'a mut Randomness,
}

impl TryRng for Replay<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.words.pop_front().unwrap_or_else(|| self.then.rng().next_u64()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use verifier::ff::Field as _;

    use super::*;

    #[test]
    fn replayed_words_give_the_value() {
        let mut randomness = Randomness::new(&[1; 32], b"test");
        for value in [F::ZERO, F::ONE, -F::ONE, randomness.scalar()] {
            let mut rng = Replay { words: words(&value).collect(), then: &mut randomness };
            assert_eq!(F::random(&mut rng), value);
            assert!(rng.words.is_empty());
        }
    }
}
