//! Claims about committed tapes: public linear functionals of them with a claimed value.

use crate::{F, Tape, ff::Field, layout::bits, mle};

/// A public linear functional of one tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Functional {
    /// The tape's multilinear extension at a point.
    Point(Vec<F>),
    /// `sum over i, j of eq(rows, i)·units[j]·cell(i, j)` over a slot of `2^(rows.len()) × units.len()` cells.
    Slot {
        /// First address.
        base: usize,
        /// A point over the index of the rows.
        rows: Vec<F>,
        /// A weight for each unit; their number is a power of two.
        units: Vec<F>,
    },
    /// `sum of weights[a]·cell(start + a)`.
    Cells {
        /// First address.
        start: usize,
        /// A weight for each cell.
        weights: Vec<F>,
    },
}

impl Functional {
    /// The multilinear extension of the functional's weights at `point`, which has one coordinate per address bit.
    pub fn evaluate(&self, point: &[F]) -> F {
        match self {
            Self::Point(own) => mle::eq(own, point),
            Self::Slot { base, rows, units } => {
                let (unit_point, rest) = point.split_at(bits(units.len()).min(point.len()));
                let (row_point, slot_point) = rest.split_at(rows.len().min(rest.len()));
                let unit = mle::eq_table(unit_point).iter().zip(units).map(|(eq, unit)| eq * unit).sum::<F>();
                let slot = base >> (unit_point.len() + row_point.len());
                unit * mle::eq(rows, row_point) * mle::eq_index(slot, slot_point)
            }
            Self::Cells { start, weights } => {
                let cell = |(offset, weight): (usize, &F)| mle::eq_index(start + offset, point) * weight;
                weights.iter().enumerate().map(cell).sum()
            }
        }
    }
}

/// One part of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The tape it reads.
    pub tape: Tape,
    /// How.
    pub functional: Functional,
}

/// The sum of the terms is `value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is summed.
    pub terms: Vec<Term>,
    /// The claimed sum.
    pub value: F,
}

impl Claim {
    /// A claim with one term.
    pub fn one(tape: Tape, functional: Functional, value: F) -> Self {
        Self { terms: vec![Term { tape, functional }], value }
    }

    /// The value of a mask, whose coefficients start at `start` on tape `Z`, at `point`.
    pub fn mask(start: usize, point: &[F], degree: usize, value: F) -> Self {
        let weights = crate::sumcheck::mask_monomials(point, degree);
        Self::one(Tape::Z, Functional::Cells { start, weights }, value)
    }
}

/// The claims' values combined with powers of `delta`.
pub fn combined_value(claims: &[Claim], delta: F) -> F {
    claims.iter().rev().fold(F::ZERO, |sum, claim| sum * delta + claim.value)
}

/// For each tape, the value at `point` of the functionals combined with powers of `delta`.
pub fn combined_weights(claims: &[Claim], delta: F, point: &[F]) -> [(Tape, F); Tape::ALL.len()] {
    let mut sums = Tape::ALL.map(|tape| (tape, F::ZERO));
    for (claim, power) in claims.iter().zip(mle::powers(delta, claims.len())) {
        for term in &claim.terms {
            let value = power * term.functional.evaluate(point);
            sums.iter_mut().filter(|(tape, _)| *tape == term.tape).for_each(|(_, sum)| *sum += value);
        }
    }
    sums
}
