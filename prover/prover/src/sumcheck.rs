//! Proves masked sumchecks over tables that are mostly zero.
//!
//! A polynomial is a sum of [`Part`]s; each holds a few tables over the same domain and a function of them. Low
//! variables are bound first, so that slots with many empty cells shrink on their own.

use std::ops::Range;

use halo2_proofs::arithmetic::lagrange_interpolate;
use rayon::prelude::*;
use verifier::{F, ff::Field as _, sumcheck::Reduced};

use crate::{Randomness, tape::Domain, transcript::Writer};

/// One part of the summed polynomial.
pub trait Part: Sync + Send {
    /// Sum over the free variables' cube of the round polynomial at `0, 2, 3, …, degree`.
    fn round(&self, degree: usize) -> Vec<F>;
    /// Fixes the lowest free variable.
    fn bind(&mut self, r: F);
    /// The tables' values when all variables are fixed.
    fn values(&self) -> Vec<F>;
    /// The function of these values.
    fn value(&self) -> F;
}

/// What the tables hold outside of the domain: their values at a point over all variables.
type Outside<const K: usize> = Box<dyn Fn(&[F]) -> [F; K] + Sync + Send>;

/// `K` tables over one domain.
pub struct Tables<const K: usize, Function> {
    ranges: Vec<Range<usize>>,
    columns: [Vec<F>; K],
    function: Function,
    outside: Option<Outside<K>>,
    fixed: Vec<F>,
    free: usize,
}

impl<const K: usize, Function: Fn(&[F; K]) -> F + Sync + Send> Tables<K, Function> {
    /// Tables that are zero outside of the domain, or `outside` there.
    pub fn new(
        variables: usize,
        domain: &Domain,
        columns: [Vec<F>; K],
        function: Function,
        outside: Option<Outside<K>>,
    ) -> Self {
        let ranges = domain.ranges().to_vec();
        let mut tables = Self { ranges, columns, function, outside, fixed: Vec::new(), free: variables };
        tables.align();
        tables
    }

    /// Extends the ranges to even bounds, so that each pair that meets one lies in it.
    fn align(&mut self) {
        if self.free == 0 {
            return;
        }
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(self.ranges.len());
        for range in self.ranges.drain(..) {
            match merged.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => merged.push(range),
            }
        }
        // Fewer than two values per range are inserted; from the back, so that positions stay right.
        let mut position: usize = merged.iter().map(Range::len).sum();
        for range in merged.iter_mut().rev() {
            if range.end % 2 == 1 {
                self.insert(position, range.end);
                range.end += 1;
                position += 1;
            }
            position -= range.len();
            if range.start % 2 == 1 {
                range.start -= 1;
                self.insert(position, range.start);
            }
        }
        self.ranges = merged;
    }

    fn insert(&mut self, position: usize, address: usize) {
        let values = match &self.outside {
            None => [F::ZERO; K],
            Some(outside) => {
                let mut point = self.fixed.clone();
                point.extend((0..self.free).map(|bit| F::from((address >> bit & 1) as u64)));
                outside(&point)
            }
        };
        self.columns.iter_mut().zip(values).for_each(|(column, value)| column.insert(position, value));
    }
}

/// Pairs that one task handles.
const CHUNK: usize = 512;

impl<const K: usize, Function: Fn(&[F; K]) -> F + Sync + Send> Part for Tables<K, Function> {
    fn round(&self, degree: usize) -> Vec<F> {
        let pairs = self.columns[0].len() / 2;
        let chunk = |index: usize| {
            let mut sums = vec![F::ZERO; degree];
            for pair in index * CHUNK..pairs.min((index + 1) * CHUNK) {
                let mut at: [F; K] = std::array::from_fn(|column| self.columns[column][2 * pair]);
                sums[0] += (self.function)(&at);
                let steps: [F; K] =
                    std::array::from_fn(|column| self.columns[column][2 * pair + 1] - at[column]);
                at.iter_mut().zip(&steps).for_each(|(at, step)| *at += step);
                for sum in &mut sums[1..] {
                    at.iter_mut().zip(&steps).for_each(|(at, step)| *at += step);
                    *sum += (self.function)(&at);
                }
            }
            sums
        };
        let add = |mut a: Vec<F>, b: Vec<F>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let zero = || vec![F::ZERO; degree];
        (0..pairs.div_ceil(CHUNK)).into_par_iter().map(chunk).reduce(zero, add)
    }

    fn bind(&mut self, r: F) {
        self.columns.par_iter_mut().for_each(|column| {
            *column = column
                .par_chunks_exact(2)
                .with_min_len(CHUNK)
                .map(|pair| pair[0] + r * (pair[1] - pair[0]))
                .collect();
        });
        self.ranges.iter_mut().for_each(|range| *range = range.start / 2..range.end / 2);
        self.fixed.push(r);
        self.free -= 1;
        self.align();
    }

    fn values(&self) -> Vec<F> {
        self.columns.iter().map(|column| column.first().copied().unwrap_or(F::ZERO)).collect()
    }

    fn value(&self) -> F {
        let at = std::array::from_fn(|index| self.columns[index].first().copied().unwrap_or(F::ZERO));
        (self.function)(&at)
    }
}

/// The mask of one sumcheck: `a_0` and `degree` coefficients per variable.
#[derive(Debug, Clone)]
pub struct Mask {
    coefficients: Vec<F>,
    degree: usize,
    lies: bool,
}

impl Mask {
    /// A fresh mask.
    pub fn random(variables: usize, degree: usize, randomness: &mut Randomness) -> Self {
        let coefficients = randomness.scalars(verifier::sumcheck::mask_len(variables, degree));
        Self { coefficients, degree, lies: false }
    }

    /// For tests: a mask whose revealed value is whatever the last check needs.
    #[doc(hidden)]
    pub fn lying(self, lies: bool) -> Self {
        Self { lies, ..self }
    }

    /// Whether it is one of those.
    #[doc(hidden)]
    pub fn lies(&self) -> bool {
        self.lies
    }

    /// The coefficients as they are committed.
    pub fn coefficients(&self) -> &[F] {
        &self.coefficients
    }

    fn of(&self, variable: usize) -> &[F] {
        &self.coefficients[1 + variable * self.degree..][..self.degree]
    }

    fn at_one(&self, variable: usize) -> F {
        self.of(variable).iter().sum()
    }
}

fn two_to(exponent: usize) -> F {
    F::from(2).pow([exponent as u64])
}

/// Proves that the parts sum to `sum` over the cube; returns what is left and the value of the mask.
///
/// Fails loudly where they do not: an honest prover never gets there.
pub fn prove(
    writer: &mut Writer,
    variables: usize,
    degree: usize,
    sum: F,
    parts: &mut [Box<dyn Part + '_>],
    mask: &Mask,
) -> (Reduced, F) {
    let ones: F = (0..variables).map(|variable| mask.at_one(variable)).sum();
    let constant = mask.coefficients[0];
    // With no variable there is one point, and the mask there is its constant.
    let mask_sum =
        two_to(variables) * constant + if variables == 0 { F::ZERO } else { two_to(variables - 1) * ones };
    writer.scalar(mask_sum);
    let rho = writer.challenge();
    let mut claim = sum;
    let mut masked = sum + rho * mask_sum;
    let (mut before, mut after) = (constant, ones);
    let mut point = Vec::with_capacity(variables);
    let nodes: Vec<F> = (0..=degree as u64).map(F::from).collect();
    for variable in 0..variables {
        let mut evaluations = vec![F::ZERO; degree];
        for part in parts.iter() {
            evaluations.iter_mut().zip(part.round(degree)).for_each(|(sum, value)| *sum += value);
        }
        evaluations.insert(1, claim - evaluations[0]);
        let coefficients = lagrange_interpolate(&nodes, &evaluations);

        // The mask with this variable free: fixed ones before it, the sum over the ones after it.
        let left = variables - 1 - variable;
        after -= mask.at_one(variable);
        let rest = two_to(left) * before + if left == 0 { F::ZERO } else { two_to(left - 1) * after };
        let mut sent = coefficients.clone();
        sent[0] += rho * rest;
        for (coefficient, own) in sent[1..].iter_mut().zip(mask.of(variable)) {
            *coefficient += rho * two_to(left) * own;
        }
        sent.remove(1);
        writer.scalars(&sent);

        let r = writer.challenge();
        let at = |coefficients: &[F]| coefficients.iter().rev().fold(F::ZERO, |value, c| value * r + c);
        claim = at(&coefficients);
        masked = verifier::sumcheck::evaluate(&sent, masked, r);
        before += at(mask.of(variable)) * r;
        parts.iter_mut().for_each(|part| part.bind(r));
        point.push(r);
    }
    debug_assert_eq!(claim + rho * before, masked);
    let reduced = Reduced { point, claim: masked, rho };
    if mask.lies {
        let value: F = parts.iter().map(|part| part.value()).sum();
        before += lie(claim - value, &reduced);
    }
    (reduced, before)
}

/// For tests: by how much the value of a mask must be wrong to make up for a polynomial that is this much too small.
#[doc(hidden)]
pub fn lie(missing: F, reduced: &Reduced) -> F {
    missing * reduced.rho.invert().expect("a challenge other than zero")
}
