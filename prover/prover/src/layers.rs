//! Proves the layer equations and counts: see `verifier::layers`.

use rayon::prelude::*;
use verifier::{
    F, Layout, Statement,
    claims::Claim,
    dot::{self, SmallDot},
    ff::Field as _,
    layers::{Combination, Values, claims},
    layout::SAMPLE_DEGREE,
    mle,
    sumcheck::Reduced,
};

use crate::{
    audit_proof::Tapes,
    sumcheck::{self, Mask, Part, Tables},
    tape::{Domain, Tape},
    transcript::Writer,
};

/// What the contraction goes on with.
#[derive(Debug)]
pub struct Sampled {
    /// The challenges.
    pub combination: Combination,
    /// The random sample point.
    pub reduced: Reduced,
    /// `P` there.
    pub products: F,
    /// `M'_l(k, rho_l)` for each layer and row.
    pub contracted: Vec<Vec<F>>,
    /// Claims about tapes.
    pub claims: Vec<Claim>,
}

/// Runs the sumcheck.
pub fn prove(
    writer: &mut Writer,
    statement: &Statement<'_>,
    layout: &Layout,
    tapes: &Tapes<'_>,
    mask: &Mask,
) -> Sampled {
    let combination = Combination::draw(statement.architecture, layout, || writer.challenge());
    let contracted = contract(layout, tapes, &combination);
    let size = 1 << layout.sample_bits;

    let mut equations = vec![F::ZERO; size];
    for (tape, slot, weights) in combination.equation_terms(statement, layout) {
        add_units(&mut equations, layout, tapes, tapes.tape(tape), slot, &weights);
    }
    let outputs = outputs(statement, layout, &combination);
    let mut decision = vec![F::ZERO; size];
    let last = layout.slots.len() - 1;
    add_units(&mut decision, layout, tapes, &tapes.x, last, &combination.decision_weights(layout));
    let products = products(statement, layout, tapes, &combination, &contracted);

    let mut selected = mle::eq_table(&combination.rho_samples);
    selected[layout.samples..].fill(F::ZERO);
    let powers = mle::powers(combination.lambda, statement.cells);
    let mut cells: Vec<F> =
        statement.cell_of.iter().map(|&cell| combination.kappa_counts * powers[cell as usize]).collect();
    cells.resize(size, F::ZERO);
    let constant = combination.constant(layout);
    let left =
        equations.iter().zip(&products).zip(&outputs).map(|((y, p), o)| y - p - o - constant).collect();

    let sum = combination.kappa_counts * combination.counts_value(statement);
    let columns = [selected, left, cells, decision.clone()];
    let polynomial = |[selected, left, cells, decision]: &[F; 4]| selected * left + cells * decision;
    let domain = Domain::below(size);
    let mut parts: Vec<Box<dyn Part>> =
        vec![Box::new(Tables::new(layout.sample_bits, &domain, columns, polynomial, None))];
    let (reduced, mask_value) =
        sumcheck::prove(writer, layout.sample_bits, SAMPLE_DEGREE, sum, &mut parts, mask);

    let eq = mle::eq_table(&reduced.point);
    let at = |values: &[F]| eq.iter().zip(values).map(|(eq, value)| eq * value).sum::<F>();
    let values = Values {
        equations: at(&equations),
        products: at(&products),
        decision: at(&decision),
        mask: mask_value,
    };
    writer.scalars(&[values.equations, values.products, values.decision, values.mask]);
    let claims = claims(statement, layout, &combination, &reduced, values);
    Sampled { combination, reduced, products: values.products, contracted, claims }
}

/// `M'_l(k, rho_l)` for all rows `k < 2^d`.
fn contract(layout: &Layout, tapes: &Tapes<'_>, combination: &Combination) -> Vec<Vec<F>> {
    let contract = |(index, slot): (usize, &verifier::layout::ModelSlot)| {
        let eq = combination.unit_weights(index);
        let limbs: Vec<_> = eq.iter().map(dot::limbs).collect();
        let start = tapes.model_domain.position(slot.base);
        let mut rows: Vec<F> = (0..slot.inputs + 2)
            .into_par_iter()
            .map(|row| {
                let cells = &tapes.model[start + (row << slot.unit_bits)..][..1 << slot.unit_bits];
                let mut sum = SmallDot::default();
                limbs.iter().zip(cells).for_each(|(eq, &cell)| sum.add(eq, cell));
                sum.finish()
            })
            .collect();
        rows.resize(1 << slot.row_bits, F::ZERO);
        for offset in 0..2 {
            rows[slot.mask_row() + offset] = eq[0] * tapes.model_masks[2 * index + offset];
        }
        rows
    };
    layout.model.iter().enumerate().map(contract).collect()
}

/// Adds `sum_j weights[j]·cell(i, j)` of a slot to each sample `i`, mask cells included.
fn add_units(sums: &mut [F], layout: &Layout, tapes: &Tapes<'_>, tape: &Tape, slot: usize, weights: &[F]) {
    let Tape::Small { cells, random } = tape else { unreachable!("only H is a full tape") };
    let slot = &layout.slots[slot];
    let limbs: Vec<_> = weights.iter().map(dot::limbs).collect();
    let start = tapes.domain.position(slot.base);
    sums.par_iter_mut().take(layout.samples).enumerate().with_min_len(64).for_each(|(sample, sum)| {
        let cells = &cells[start + (sample << slot.unit_bits)..][..slot.units];
        let mut own = SmallDot::default();
        limbs.iter().zip(cells).for_each(|(weight, &cell)| own.add(weight, cell));
        *sum += own.finish();
    });
    for (&position, value) in random.range(start..start + layout.active(slot).len()) {
        let (sample, unit) = split(position - start, slot.unit_bits);
        sums[sample] += weights[unit] * value;
    }
}

/// `P(i)` for all `i`.
fn products(
    statement: &Statement<'_>,
    layout: &Layout,
    tapes: &Tapes<'_>,
    combination: &Combination,
    contracted: &[Vec<F>],
) -> Vec<F> {
    let mut sums = vec![F::ZERO; 1 << layout.sample_bits];
    for (index, (slot, rows)) in layout.model.iter().zip(contracted).enumerate() {
        let rows: Vec<F> = rows.iter().map(|row| combination.kappa(index) * row).collect();
        let bias = F::from(1 << 16) * rows[slot.inputs] + rows[slot.inputs + 1];
        sums.iter_mut().for_each(|sum| *sum += bias);
        sums[layout.samples..].iter_mut().for_each(|sum| *sum += rows[slot.mask_row()]);
        match index.checked_sub(1) {
            None => {
                let limbs: Vec<_> = rows[..slot.inputs].iter().map(dot::limbs).collect();
                sums.par_iter_mut()
                    .zip(statement.features.par_chunks_exact(slot.inputs))
                    .with_min_len(64)
                    .for_each(|(sum, features)| {
                        let mut own = SmallDot::default();
                        limbs.iter().zip(features).for_each(|(row, &feature)| own.add(row, feature.into()));
                        *sum += own.finish();
                    });
            }
            Some(before) => {
                let mut weights = rows[..slot.inputs].to_vec();
                weights.resize(1 << layout.slots[before].unit_bits, F::ZERO);
                add_units(&mut sums, layout, tapes, &tapes.x, before, &weights);
            }
        }
    }
    sums
}

/// `O(i)` for all `i`.
fn outputs(statement: &Statement<'_>, layout: &Layout, combination: &Combination) -> Vec<F> {
    let weights = combination.output_weights(layout);
    let of_sample = |values: &[i16]| dot::small_dot(&weights, values.iter().map(|&value| value.into()));
    let mut outputs: Vec<F> = statement.outputs.par_chunks_exact(statement.units()).map(of_sample).collect();
    outputs.resize(1 << layout.sample_bits, F::ZERO);
    outputs
}

/// Sample and unit of an offset in a slot.
pub fn split(offset: usize, unit_bits: usize) -> (usize, usize) {
    (offset >> unit_bits, offset & ((1 << unit_bits) - 1))
}
