//! A sumcheck's messages are as many as its mask's coefficients, and independent on them.

use std::collections::BTreeSet;

use halo2_proofs::arithmetic::lagrange_interpolate;
use prover::{
    sumcheck::{Mask, prove},
    transcript::Writer,
};
use verifier::{
    Architecture, F, Layout,
    ff::{Field as _, PrimeField as _},
    layout::{CONTRACTION_DEGREE, LOOKUP_DEGREE, OPENING_DEGREE, SAMPLE_DEGREE},
    registration::{RANGE_DEGREE, RangeLayout},
    sumcheck::{mask_len, mask_monomials},
    transcript::ELEMENT,
};

use crate::{cases, corner, matrix::rank, randomness};

/// The mask's monomials summed over all corners of the last `free` variables.
fn summed(fixed: &[F], free: usize, degree: usize) -> Vec<F> {
    let at = |value| mask_monomials(&[fixed, &vec![value; free]].concat(), degree);
    let Some(half) = free.checked_sub(1) else { return at(F::ZERO) };
    // Each monomial reads one variable, so its mean is that of two opposite corners.
    let factor = F::from(2).pow([half as u64]);
    at(F::ZERO).iter().zip(at(F::ONE)).map(|(zero, one)| factor * (zero + one)).collect()
}

/// What multiplies each coefficient in `S` and, with `rho`, in what is sent of each round.
fn messages(point: &[F], degree: usize) -> Vec<Vec<F>> {
    let mut rows = vec![summed(&[], point.len(), degree)];
    let nodes: Vec<F> = (0..=degree as u64).map(F::from).collect();
    for round in 0..point.len() {
        let at = |node: &F| summed(&[&point[..round], &[*node]].concat(), point.len() - 1 - round, degree);
        let values: Vec<Vec<F>> = nodes.iter().map(at).collect();
        let polynomials: Vec<Vec<F>> = (0..values[0].len())
            .map(|monomial| values.iter().map(|values| values[monomial]).collect::<Vec<F>>())
            .map(|values| lagrange_interpolate(&nodes, &values))
            .collect();
        // The linear coefficient is not sent.
        let sent = (0..=degree).filter(|&power| power != 1);
        rows.extend(sent.map(|power| polynomials.iter().map(|polynomial| polynomial[power]).collect()));
    }
    rows
}

#[test]
fn sums_of_monomials_are_sums_over_corners() {
    let fixed = randomness("fixed").scalars(2);
    for (free, degree) in [(0, 2), (1, 3), (2, 4), (4, 2)] {
        let mut sums = vec![F::ZERO; mask_len(2 + free, degree)];
        for index in 0..1 << free {
            let point = [fixed.clone(), corner(index, free)].concat();
            sums.iter_mut().zip(mask_monomials(&point, degree)).for_each(|(sum, own)| *sum += own);
        }
        assert_eq!(summed(&fixed, free, degree), sums);
    }
}

/// Variables and degree of every sumcheck.
fn sumchecks() -> BTreeSet<(usize, usize)> {
    let mut sumchecks = BTreeSet::new();
    for case in cases() {
        let architecture = Architecture::of(&case.model());
        let layout = Layout::new(&architecture, case.samples).unwrap();
        sumchecks.extend([
            (layout.address_bits, LOOKUP_DEGREE),
            (layout.sample_bits, SAMPLE_DEGREE),
            (layout.contraction_bits, CONTRACTION_DEGREE),
            (layout.address_bits, OPENING_DEGREE),
            (RangeLayout::new(&architecture).unwrap().address_bits, RANGE_DEGREE),
        ]);
    }
    sumchecks
}

#[test]
fn sum_and_rounds_have_full_rank_on_the_masks_coefficients() {
    for (variables, degree) in sumchecks() {
        let point = randomness("point").scalars(variables);
        let mut rows = messages(&point, degree);
        assert_eq!(rows.len(), mask_len(variables, degree));
        assert_eq!(rank(rows.clone()), mask_len(variables, degree), "{variables} variables, degree {degree}");
        // The mask's value at the point follows from them, so revealing it shows nothing more.
        rows.push(mask_monomials(&point, degree));
        assert_eq!(rank(rows), mask_len(variables, degree));
    }
}

#[test]
fn the_prover_sends_these_messages() {
    for (variables, degree) in [(1, 2), (5, 3), (9, 4)] {
        let mask = Mask::random(variables, degree, &mut randomness("mask"));
        let distinct: BTreeSet<_> = mask.coefficients().iter().map(F::to_repr).collect();
        assert_eq!(distinct.len(), mask_len(variables, degree));
        assert!(!mask.coefficients().contains(&F::ZERO));
        let mut writer = Writer::new(&[1; 32]);
        // The mask alone, of a polynomial that is zero.
        let (reduced, value) = prove(&mut writer, variables, degree, F::ZERO, &mut [], &mask);
        let sent = writer.finish();
        let sent = sent.as_chunks::<ELEMENT>().0.iter().map(|bytes| F::from_repr(*bytes).unwrap());
        let on_mask = |row: Vec<F>| row.iter().zip(mask.coefficients()).map(|(a, b)| a * b).sum::<F>();
        let mut expected: Vec<F> = messages(&reduced.point, degree).into_iter().map(on_mask).collect();
        expected[1..].iter_mut().for_each(|round| *round *= reduced.rho);
        assert_eq!(sent.collect::<Vec<F>>(), expected);
        assert_eq!(value, on_mask(mask_monomials(&reduced.point, degree)));
    }
}
