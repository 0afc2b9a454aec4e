//! Lookups: every cell's pair `(q, x)` is an entry of its function's table, and every remainder is below `2^w`.
//!
//! logUp: with `L1 = q + alpha·x + alpha²·tag_f` and `L2 = r + alpha²·tag_w`, the tape `H` holds
//! `1/(beta-L1) + 1/(beta-L2)` on layer cells and `-m/(beta-t)` on table cells, and sums to zero. One sumcheck over
//! all cells shows both the definition, weighted with `eq(tau, ·)`, and the sum:
//!
//! ```text
//! 0 = sum of  EL·(H·(beta-L1)·(beta-L2) - (2·beta-L1-L2)) + ET·(H·(beta-t) + Q) + kappa·S·H
//! ```
//!
//! `EL` and `ET` are the extensions of `eq(tau, ·)` on layer and table cells, `S` that of both selectors.

use crate::{
    Architecture, Check, F, Layout, Tape, VerifyError,
    claims::{Claim, Functional},
    dot::signed,
    ff::Field,
    layout::{LOOKUP_DEGREE, Slot, shift_tag},
    mle,
    sumcheck::{self, Reduced},
    table,
    transcript::Reader,
};

/// Challenges drawn before `H` is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression {
    /// Combines key, value and tag.
    pub alpha: F,
    /// The point where the fractions are compared.
    pub beta: F,
}

/// Values that the prover reveals at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values {
    /// `Q`, `R`, `X` and `H` at the point.
    pub tapes: [F; 4],
    /// The mask at the point.
    pub mask: F,
}

/// Challenges that turn all constraints into one sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combination {
    /// The random point of the zero test.
    pub tau: Vec<F>,
    /// Weight of the sum of `H`.
    pub kappa: F,
}

/// Follows the sumcheck and returns its claims about tapes.
pub fn verify(
    reader: &mut Reader<'_>,
    architecture: &Architecture,
    layout: &Layout,
    compression: Compression,
) -> Result<Vec<Claim>, VerifyError> {
    let combination = Combination { tau: reader.challenges(layout.address_bits), kappa: reader.challenge() };
    let reduced = sumcheck::verify(reader, layout.address_bits, LOOKUP_DEGREE, F::ZERO)?;
    let tapes = [reader.scalar()?, reader.scalar()?, reader.scalar()?, reader.scalar()?];
    let values = Values { tapes, mask: reader.scalar()? };
    let expected = expected(architecture, layout, compression, &combination, &reduced.point, tapes);
    if !reduced.holds(expected, values.mask) {
        return Err(VerifyError::Failed(Check::Lookups));
    }
    Ok(claims(layout, &reduced, values))
}

/// What the revealed values say about the tapes.
pub fn claims(layout: &Layout, reduced: &Reduced, values: Values) -> Vec<Claim> {
    let at = |(tape, value)| Claim::one(tape, Functional::Point(reduced.point.clone()), value);
    let mut claims: Vec<Claim> =
        [Tape::Q, Tape::R, Tape::X, Tape::H].into_iter().zip(values.tapes).map(at).collect();
    claims.push(Claim::mask(layout.masks.lookup, &reduced.point, LOOKUP_DEGREE, values.mask));
    claims
}

/// The summed polynomial at `point`, given the tapes' values there.
fn expected(
    architecture: &Architecture,
    layout: &Layout,
    Compression { alpha, beta }: Compression,
    combination: &Combination,
    point: &[F],
    [q, r, x, h]: [F; 4],
) -> F {
    let (mut weighted_layers, mut selected, mut function_tags, mut shift_tags) =
        (F::ZERO, F::ZERO, F::ZERO, F::ZERO);
    for slot in &layout.slots {
        weighted_layers += slot_selector(layout, slot, |bound, range| {
            mle::eq_below(bound, at(&combination.tau, &range), at(point, &range))
        }) * slot_prefix(layout, slot, point)
            * slot_prefix(layout, slot, &combination.tau);
        let selector = slot_selector(layout, slot, |bound, range| mle::below(bound, at(point, &range)))
            * slot_prefix(layout, slot, point);
        selected += selector;
        function_tags += selector * F::from(slot.function.tag());
        shift_tags += selector * F::from(shift_tag(slot.shift));
    }
    let slot = &layout.table;
    let (low, high) = point.split_at(slot.bits.min(point.len()));
    let (tau_low, tau_high) = combination.tau.split_at(slot.bits.min(point.len()));
    let prefix = mle::eq_index(slot.base >> slot.bits, high);
    let tau_prefix = mle::eq_index(slot.base >> slot.bits, tau_high);
    let weighted_table = prefix * tau_prefix * mle::eq_below(slot.entries, tau_low, low);
    selected += prefix * mle::below(slot.entries, low);

    let alpha2 = alpha.square();
    let first = beta - q - alpha * x - alpha2 * function_tags;
    let second = beta - r - alpha2 * shift_tags;
    let entry = beta - prefix * table::extension(architecture, layout, alpha, low);
    weighted_layers * (h * first * second - first - second)
        + weighted_table * (h * entry + q)
        + combination.kappa * selected * h
}

/// The product over unit and sample bits of `part(bound, bits)`.
fn slot_selector(layout: &Layout, slot: &Slot, part: impl Fn(usize, std::ops::Range<usize>) -> F) -> F {
    let units = 0..slot.unit_bits;
    let samples = slot.unit_bits..slot.unit_bits + layout.sample_bits;
    part(slot.units, units) * part(layout.samples, samples)
}

fn slot_prefix(layout: &Layout, slot: &Slot, point: &[F]) -> F {
    let low = slot.unit_bits + layout.sample_bits;
    mle::eq_index(slot.base >> low, at(point, &(low..point.len())))
}

fn at<'a>(point: &'a [F], range: &std::ops::Range<usize>) -> &'a [F] {
    point.get(range.clone()).unwrap_or_default()
}

/// An entry's compressed value.
pub fn compress(alpha: F, key: i64, value: i64, tag: u64) -> F {
    signed(key) + alpha * (signed(value) + alpha * F::from(tag))
}
