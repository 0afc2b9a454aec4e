//! Contraction: the products of activations and weights that the sample sumcheck left open.
//!
//! One sumcheck over the row index `k` of all layers at once, shorter ones padded with zeros:
//!
//! ```text
//! sum_k sum_l kappa_l·(x_{l-1}(r_i, k)·[k<D] + 2^16·[k=D] + [k=D+1] + (1-LT_N(r_i))·[k=k*])·M'_l(k, rho_l) = P(r_i)
//! ```
//!
//! The first layer reads the public samples: their extension is computed here, so there is nothing to forge.

use crate::{
    Check, F, Layout, Statement, Tape, VerifyError,
    claims::{Claim, Functional, Term},
    dot,
    ff::Field,
    layers::{Combination, Sampled},
    layout::{CONTRACTION_DEGREE, ModelSlot},
    mle,
    sumcheck::{self, Reduced},
    transcript::Reader,
};

/// Values that the prover reveals at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// `x_{l-1}(r_i, r_k)` for every layer but the first.
    pub activations: Vec<F>,
    /// `M'_l(r_k, rho_l)` for every layer.
    pub weights: Vec<F>,
    /// The mask at the point.
    pub mask: F,
}

/// Follows the sumcheck and returns its claims about tapes.
pub fn verify(
    reader: &mut Reader<'_>,
    statement: &Statement<'_>,
    layout: &Layout,
    sampled: &Sampled,
) -> Result<Vec<Claim>, VerifyError> {
    let reduced = sumcheck::verify(reader, layout.contraction_bits, CONTRACTION_DEGREE, sampled.products)?;
    let activations = reader.scalars(layout.dense - 1)?;
    let weights = reader.scalars(layout.dense)?;
    let values = Values { activations, weights, mask: reader.scalar()? };
    let inputs = inputs_at(statement, &sampled.point, &reduced.point);
    let activations = [inputs].into_iter().chain(values.activations.iter().copied());
    let padding = F::ONE - mle::below(layout.samples, &sampled.point);
    let mut expected = F::ZERO;
    for (index, ((slot, x), m)) in layout.model.iter().zip(activations).zip(&values.weights).enumerate() {
        let read = x * mle::below(slot.inputs, &reduced.point) + fixed_reads(slot, padding, &reduced.point);
        expected += sampled.combination.kappa(index) * read * m;
    }
    if !reduced.holds(expected, values.mask) {
        return Err(VerifyError::Failed(Check::Contraction));
    }
    Ok(claims(layout, &sampled.combination, &sampled.point, &reduced, &values))
}

/// What multiplies the rows of bias limbs and the mask row, extended over rows; `padding` is `1-LT_N(r_i)`.
pub fn fixed_reads(slot: &ModelSlot, padding: F, row_point: &[F]) -> F {
    let row = |row: usize| mle::eq_index(row, row_point);
    F::from(1 << 16) * row(slot.inputs) + row(slot.inputs + 1) + padding * row(slot.mask_row())
}

/// What the revealed values say about the tapes.
pub fn claims(
    layout: &Layout,
    combination: &Combination,
    sample_point: &[F],
    reduced: &Reduced,
    values: &Values,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (slot, &value) in layout.slots.iter().zip(&values.activations) {
        let units = padded(&reduced.point, slot.unit_bits);
        let functional = Functional::Slot { base: slot.base, rows: sample_point.to_vec(), units };
        claims.push(Claim::one(Tape::X, functional, value));
    }
    for (index, (slot, &value)) in layout.model.iter().zip(&values.weights).enumerate() {
        let (rows, padding) = reduced.point.split_at(slot.row_bits.min(reduced.point.len()));
        let padding = mle::zeros(padding);
        let eq_units = combination.unit_weights(index);
        let first = eq_units.first().copied().unwrap_or(F::ZERO);
        let mask = |offset| mle::eq_index(slot.mask_row() + offset, &reduced.point) * first;
        let units = eq_units.iter().map(|unit| unit * padding).collect();
        let data = Functional::Slot { base: slot.base, rows: rows.to_vec(), units };
        let masks =
            Functional::Cells { start: layout.masks.model + 2 * index, weights: vec![mask(0), mask(1)] };
        let terms = vec![Term { tape: Tape::M, functional: data }, Term { tape: Tape::Z, functional: masks }];
        claims.push(Claim { terms, value });
    }
    claims.push(Claim::mask(layout.masks.contraction, &reduced.point, CONTRACTION_DEGREE, values.mask));
    claims
}

/// `eq(point, k)` for `k < 2^bits`: the other coordinates select zero.
pub fn padded(point: &[F], bits: usize) -> Vec<F> {
    let (low, high) = point.split_at(bits.min(point.len()));
    let padding = mle::zeros(high);
    mle::eq_table(low).into_iter().map(|eq| eq * padding).collect()
}

/// The extension of the public samples, zero outside of them.
pub fn inputs_at(statement: &Statement<'_>, sample_point: &[F], row_point: &[F]) -> F {
    samples_at(statement.features, &mle::eq_table(row_point), statement.inputs(), sample_point)
}

/// `sum_i eq(point, i)·sum_j weights[j]·values[i·width + j]`, column by column: a small product per value, and a
/// multiplication in the field only per column.
pub fn samples_at(values: &[i16], weights: &[F], width: usize, point: &[F]) -> F {
    let columns = columns_at(values, width, &mle::eq_table(point));
    weights.iter().zip(columns).map(|(weight, column)| column * weight).sum()
}

/// `sum_i eq[i]·values[i·width + k]` for each column `k`.
pub fn columns_at(values: &[i16], width: usize, eq: &[F]) -> Vec<F> {
    let width = width.max(1);
    let mut columns = vec![dot::SmallDot::default(); width];
    for (eq, values) in eq.iter().zip(values.chunks_exact(width)) {
        let eq = dot::limbs(eq);
        columns.iter_mut().zip(values).for_each(|(column, &value)| column.add(&eq, value.into()));
    }
    columns.into_iter().map(dot::SmallDot::finish).collect()
}
