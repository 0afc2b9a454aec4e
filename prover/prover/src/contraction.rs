//! Proves the products of activations and weights: see `verifier::contraction`.

use verifier::{
    F, Layout, Statement,
    claims::Claim,
    contraction::{Values, claims, columns_at, inputs_at},
    dot::{self, SmallDot},
    ff::Field as _,
    layout::CONTRACTION_DEGREE,
    mle,
};

use crate::{
    audit_proof::Tapes,
    layers::{Sampled, split},
    sumcheck::{self, Mask, Part, Tables},
    tape::{Domain, Tape},
    transcript::Writer,
};

/// Runs the sumcheck; returns its claims. `claimed` holds the samples that the verifier reads, which are
/// `statement`'s unless the prover is dishonest.
pub fn prove(
    writer: &mut Writer,
    claimed: &Statement<'_>,
    statement: &Statement<'_>,
    layout: &Layout,
    tapes: &Tapes<'_>,
    sampled: &Sampled,
    mask: &Mask,
) -> Vec<Claim> {
    let eq = mle::eq_table(&sampled.reduced.point);
    let padding = F::ONE - mle::below(layout.samples, &sampled.reduced.point);
    let size = 1 << layout.contraction_bits;
    let domain = Domain::below(size);
    let mut parts: Vec<Box<dyn Part>> = Vec::new();
    for (index, slot) in layout.model.iter().enumerate() {
        let mut activations = match index.checked_sub(1) {
            None => columns_at(statement.features, statement.inputs(), &eq),
            Some(before) => slot_at(layout, tapes, before, &eq),
        };
        activations.resize(size, F::ZERO);
        let mut read = vec![F::ZERO; size];
        read[..slot.inputs].fill(F::ONE);
        let mut fixed = vec![F::ZERO; size];
        fixed[slot.inputs] = F::from(1 << 16);
        fixed[slot.inputs + 1] = F::ONE;
        fixed[slot.mask_row()] = padding;
        let kappa = sampled.combination.kappa(index);
        let mut weights: Vec<F> = sampled.contracted[index].iter().map(|row| kappa * row).collect();
        weights.resize(size, F::ZERO);
        let polynomial = |[x, read, fixed, weight]: &[F; 4]| (x * read + fixed) * weight;
        let columns = [activations, read, fixed, weights];
        parts.push(Box::new(Tables::new(layout.contraction_bits, &domain, columns, polynomial, None)));
    }
    let (reduced, mut mask_value) = sumcheck::prove(
        writer,
        layout.contraction_bits,
        CONTRACTION_DEGREE,
        sampled.products,
        &mut parts,
        mask,
    );
    if mask.lies() {
        // The check that must hold is the verifier's, with the claimed samples.
        let first = parts[0].values();
        let inputs = inputs_at(claimed, &sampled.reduced.point, &reduced.point);
        mask_value += sumcheck::lie((first[0] - inputs) * first[1] * first[3], &reduced);
    }
    let activations = parts.iter().skip(1).map(|part| part.values()[0]).collect();
    let weights = sampled.contracted.iter().map(|rows| {
        let eq = mle::eq_table(&reduced.point);
        eq.iter().zip(rows).map(|(eq, row)| eq * row).sum()
    });
    let values = Values { activations, weights: weights.collect(), mask: mask_value };
    writer.scalars(&values.activations);
    writer.scalars(&values.weights);
    writer.scalar(values.mask);
    claims(layout, &sampled.combination, &sampled.reduced.point, &reduced, &values)
}

/// `sum_i eq_i·x(i, j)` for each unit `j` of a slot, mask cells included.
fn slot_at(layout: &Layout, tapes: &Tapes<'_>, slot: usize, eq: &[F]) -> Vec<F> {
    let Tape::Small { cells, random } = &tapes.x else { unreachable!("only H is a full tape") };
    let slot = &layout.slots[slot];
    let start = tapes.domain.position(slot.base);
    let mut sums = vec![SmallDot::default(); 1 << slot.unit_bits];
    for (sample, eq) in eq.iter().enumerate().take(layout.samples) {
        let eq = dot::limbs(eq);
        let cells = &cells[start + (sample << slot.unit_bits)..][..slot.units];
        sums.iter_mut().zip(cells).for_each(|(sum, &cell)| sum.add(&eq, cell));
    }
    let mut sums: Vec<F> = sums.into_iter().map(SmallDot::finish).collect();
    for (&position, value) in random.range(start..start + layout.active(slot).len()) {
        let (sample, unit) = split(position - start, slot.unit_bits);
        sums[unit] += eq[sample] * value;
    }
    sums
}
