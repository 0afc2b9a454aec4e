//! Samples: every sample satisfies every layer's equation, and the decisions add up to the counts.
//!
//! One sumcheck over the samples:
//!
//! ```text
//! sum_i E_N(rho_r, i)·(Y(i) - P(i) - O(i) - c) + kappa''·mask(i)·D(i) = kappa''·V
//! Y(i) = sum_l kappa_l·sum_j eq(rho_l, j)·(2^w·Q + R)(i, j)  + terms for arg-max and for claimed outputs
//! P(i) = sum_l kappa_l·sum_k (x_{l-1}(i, k)·[k<D] + 2^16·[k=D] + [k=D+1] + [i>=N]·[k=k*])·M'_l(k, rho_l)
//! D(i) = sum_j w_j·x_L(i, j)      w = (1) for a step, powers of mu for arg-max
//! ```
//!
//! `mask(i)` is `lambda^cell` of the sample's cell, and `V` what the claimed counts make of it. Where outputs are
//! claimed, `O(i) = kappa_o·sum_j eq(rho_L, j)·output(i, j)`, and `Y` has the same of the last layer's `Q`.

use audit::Decision;

use crate::{
    Architecture, Check, F, Layout, Statement, Tape, VerifyError,
    claims::{Claim, Functional, Term},
    contraction,
    ff::Field,
    layout::SAMPLE_DEGREE,
    mle,
    sumcheck::{self, Reduced},
    transcript::Reader,
};

/// Challenges that turn all layer equations and counts into one sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// The random point of the zero test over samples.
    pub rho_samples: Vec<F>,
    /// One random point over the units of each slot.
    pub rho_units: Vec<Vec<F>>,
    /// Separates cells.
    pub lambda: F,
    /// Weight of each class in `D`.
    pub classes: Vec<F>,
    /// `kappa_l` for each dense layer; for arg-max, then the weights of its two equations; then that of the outputs.
    pub kappa: Vec<F>,
    /// `kappa''`, the weight of the counts.
    pub kappa_counts: F,
}

impl Combination {
    /// Draws the challenges.
    pub fn draw(architecture: &Architecture, layout: &Layout, mut challenge: impl FnMut() -> F) -> Self {
        let mut challenges = |count: usize| (0..count).map(|_| challenge()).collect::<Vec<F>>();
        let rho_samples = challenges(layout.sample_bits);
        let rho_units = layout.slots.iter().map(|slot| challenges(slot.unit_bits)).collect();
        let (lambda, mu, kappa) = {
            let drawn = challenges(3);
            let at = |index: usize| drawn.get(index).copied().unwrap_or(F::ZERO);
            (at(0), at(1), at(2))
        };
        let classes = match architecture.decision {
            Decision::Step => vec![F::ONE],
            Decision::ArgMax => mle::powers(mu, architecture.classes.into()),
        };
        let equations = layout.dense + 2 * (layout.slots.len() - layout.dense);
        let mut powers = mle::powers(kappa, equations + 3).split_off(1);
        let kappa_counts = powers.pop().unwrap_or(F::ZERO);
        Self { rho_samples, rho_units, lambda, classes, kappa: powers, kappa_counts }
    }

    /// Weights of a slot's units in `eq(rho_l, ·)`.
    pub fn unit_weights(&self, slot: usize) -> Vec<F> {
        self.rho_units.get(slot).map(|rho| mle::eq_table(rho)).unwrap_or_default()
    }

    /// `kappa_l`.
    pub fn kappa(&self, equation: usize) -> F {
        self.kappa.get(equation).copied().unwrap_or(F::ZERO)
    }

    /// The part `c` of the equations that does not depend on the sample.
    pub fn constant(&self, layout: &Layout) -> F {
        let mut constant = F::ZERO;
        for (index, slot) in layout.slots.iter().take(layout.dense).enumerate() {
            let units = self.rho_units.get(index).map_or(F::ZERO, |rho| mle::below(slot.units, rho));
            constant += self.kappa(index) * F::from(1 << (slot.shift - 1)) * units;
        }
        if layout.slots.len() > layout.dense {
            constant += self.kappa(layout.dense + 1);
        }
        constant
    }

    /// Arg-max: weights of the equation that `x_j + e_j + (chosen units after j)` is equal for all j < H; they sum to zero.
    fn differences(&self, layout: &Layout) -> Vec<F> {
        let Some(slot) = layout.slots.get(layout.dense) else { return Vec::new() };
        let mut weights = self.unit_weights(layout.dense);
        weights.iter_mut().skip(slot.units).for_each(|weight| *weight = F::ZERO);
        let sum: F = weights.iter().sum();
        weights.iter_mut().take(1).for_each(|weight| *weight -= sum);
        weights.iter_mut().for_each(|weight| *weight *= self.kappa(layout.dense));
        weights
    }

    /// Weights of the last dense layer's units in the equation for claimed outputs.
    pub fn output_weights(&self, layout: &Layout) -> Vec<F> {
        let last = layout.dense.saturating_sub(1);
        let units = layout.slots.get(last).map_or(0, |slot| slot.units);
        let kappa = self.kappa.last().copied().unwrap_or(F::ZERO);
        let mut weights: Vec<F> = self.unit_weights(last).into_iter().map(|eq| kappa * eq).collect();
        weights.iter_mut().skip(units).for_each(|weight| *weight = F::ZERO);
        weights
    }

    /// The terms of `Y`: a tape, a slot and a weight for each of the slot's units.
    pub fn equation_terms(&self, statement: &Statement<'_>, layout: &Layout) -> Vec<(Tape, usize, Vec<F>)> {
        let mut terms = Vec::new();
        for (index, slot) in layout.slots.iter().take(layout.dense).enumerate() {
            let scaled = |factor: F| self.unit_weights(index).into_iter().map(|eq| eq * factor).collect();
            terms.push((Tape::Q, index, scaled(self.kappa(index) * F::from(1 << slot.shift))));
            terms.push((Tape::R, index, scaled(self.kappa(index))));
        }
        if let Some(slot) = layout.slots.get(layout.dense) {
            let differences = self.differences(layout);
            // A unit chosen at j counts for all units before j; exactly one is chosen.
            let mut before = F::ZERO;
            let mut chosen = Vec::with_capacity(differences.len());
            for (unit, &weight) in differences.iter().enumerate() {
                chosen.push(if unit < slot.units { before + self.kappa(layout.dense + 1) } else { F::ZERO });
                before += weight;
            }
            terms.push((Tape::X, layout.dense.saturating_sub(1), differences.clone()));
            terms.push((Tape::Q, layout.dense, differences));
            terms.push((Tape::X, layout.dense, chosen));
        }
        if !statement.outputs.is_empty() {
            terms.push((Tape::Q, layout.dense.saturating_sub(1), self.output_weights(layout)));
        }
        terms
    }

    /// The weights of `D`, over the units of the last slot.
    pub fn decision_weights(&self, layout: &Layout) -> Vec<F> {
        let units = layout.slots.last().map_or(0, |slot| 1 << slot.unit_bits);
        let mut weights = self.classes.clone();
        weights.resize(units, F::ZERO);
        weights
    }

    /// `V`: the claimed counts, combined.
    pub fn counts_value(&self, statement: &Statement<'_>) -> F {
        let classes = statement.classes().max(1);
        let mut value = F::ZERO;
        for (counts, power) in statement.counts.chunks(classes).zip(mle::powers(self.lambda, statement.cells))
        {
            value += power * self.class_value(counts);
        }
        value
    }

    /// `sum_j w_j·count_j`; a step's single unit counts class 1.
    fn class_value(&self, counts: &[u32]) -> F {
        let first = counts.len() - self.classes.len().min(counts.len());
        let counted = counts.iter().skip(first);
        self.classes.iter().zip(counted).map(|(weight, &count)| weight * F::from(u64::from(count))).sum()
    }
}

/// Values that the prover reveals at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values {
    /// `Y` at the point.
    pub equations: F,
    /// `P` at the point.
    pub products: F,
    /// `D` at the point.
    pub decision: F,
    /// The mask at the point.
    pub mask: F,
}

/// What the sample sumcheck leaves for the contraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// The challenges.
    pub combination: Combination,
    /// The random sample point.
    pub point: Vec<F>,
    /// `P` there.
    pub products: F,
    /// Claims about tapes.
    pub claims: Vec<Claim>,
}

/// Follows the sumcheck.
pub fn verify(
    reader: &mut Reader<'_>,
    statement: &Statement<'_>,
    layout: &Layout,
) -> Result<Sampled, VerifyError> {
    let combination = Combination::draw(statement.architecture, layout, || reader.challenge());
    let sum = combination.kappa_counts * combination.counts_value(statement);
    let reduced = sumcheck::verify(reader, layout.sample_bits, SAMPLE_DEGREE, sum)?;
    let (equations, products) = (reader.scalar()?, reader.scalar()?);
    let values = Values { equations, products, decision: reader.scalar()?, mask: reader.scalar()? };
    let selected = mle::eq_below(layout.samples, &combination.rho_samples, &reduced.point);
    let outputs = match statement.outputs {
        [] => F::ZERO,
        outputs => contraction::samples_at(
            outputs,
            &combination.output_weights(layout),
            statement.units(),
            &reduced.point,
        ),
    };
    let expected = selected * (values.equations - values.products - outputs - combination.constant(layout))
        + combination.kappa_counts
            * cells_at(statement, combination.lambda, &reduced.point)
            * values.decision;
    if !reduced.holds(expected, values.mask) {
        return Err(VerifyError::Failed(Check::Samples));
    }
    let claims = claims(statement, layout, &combination, &reduced, values);
    Ok(Sampled { combination, point: reduced.point, products, claims })
}

/// What the revealed values say about the tapes.
pub fn claims(
    statement: &Statement<'_>,
    layout: &Layout,
    combination: &Combination,
    reduced: &Reduced,
    values: Values,
) -> Vec<Claim> {
    let slot = |index: usize, units: Vec<F>| Functional::Slot {
        base: layout.slots.get(index).map_or(0, |slot| slot.base),
        rows: reduced.point.clone(),
        units,
    };
    let terms = combination.equation_terms(statement, layout);
    let terms = terms.into_iter().map(|(tape, index, units)| Term { tape, functional: slot(index, units) });
    let last = layout.slots.len() - 1;
    vec![
        Claim { terms: terms.collect(), value: values.equations },
        Claim::one(Tape::X, slot(last, combination.decision_weights(layout)), values.decision),
        Claim::mask(layout.masks.samples, &reduced.point, SAMPLE_DEGREE, values.mask),
    ]
}

/// The extension of `lambda^cell` over the samples.
fn cells_at(statement: &Statement<'_>, lambda: F, point: &[F]) -> F {
    let mut sums = vec![F::ZERO; statement.cells];
    for (eq, &cell) in mle::eq_table(point).iter().zip(statement.cell_of) {
        if let Some(sum) = sums.get_mut(cell as usize) {
            *sum += eq;
        }
    }
    sums.iter().rev().fold(F::ZERO, |value, sum| value * lambda + sum)
}
