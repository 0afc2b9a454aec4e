//! What is revealed about the tapes is independent on their mask cells.

use audit::Digest;
use verifier::{
    Architecture, F, Layout, Statement, Tape,
    claims::{Claim, Functional},
    contraction,
    ff::Field as _,
    layers::{self, Combination},
    lookup, mle,
    registration::{self, RangeLayout},
    sumcheck::Reduced,
};

use crate::{cases, common::Case, corner, matrix::rank, randomness};

/// What an audit reveals, at random challenges.
struct Revealed {
    layout: Layout,
    combination: Combination,
    sample_point: Vec<F>,
    claims: Vec<Claim>,
}

fn reduced(point: Vec<F>) -> Reduced {
    Reduced { point, claim: F::ZERO, rho: F::ONE }
}

/// Claims of the contraction at a point over rows.
fn contracted(layout: &Layout, combination: &Combination, sample_point: &[F], rows: Vec<F>) -> Vec<Claim> {
    let (activations, weights) = (vec![F::ZERO; layout.dense - 1], vec![F::ZERO; layout.dense]);
    let values = contraction::Values { activations, weights, mask: F::ZERO };
    contraction::claims(layout, combination, sample_point, &reduced(rows), &values)
}

fn reveal(case: &Case, outputs: &[i16]) -> Revealed {
    let architecture = Architecture::of(&case.model());
    let none = Digest([0; 32]);
    // What is revealed depends on whether outputs are claimed, not on what the statement says.
    let statement = Statement {
        model: none,
        architecture: &architecture,
        context: none,
        features: &[],
        cell_of: &[],
        cells: 0,
        counts: &[],
        outputs,
    };
    let layout = Layout::new(&architecture, case.samples).unwrap();
    let mut challenges = randomness("challenges");
    let at = reduced(challenges.scalars(layout.address_bits));
    let mut claims = lookup::claims(&layout, &at, lookup::Values { tapes: [F::ZERO; 4], mask: F::ZERO });
    let combination = Combination::draw(&architecture, &layout, || challenges.scalar());
    let at = reduced(challenges.scalars(layout.sample_bits));
    let (equations, products, decision, mask) = (F::ZERO, F::ZERO, F::ZERO, F::ZERO);
    let values = layers::Values { equations, products, decision, mask };
    claims.extend(layers::claims(&statement, &layout, &combination, &at, values));
    let rows = challenges.scalars(layout.contraction_bits);
    claims.extend(contracted(&layout, &combination, &at.point, rows));
    Revealed { layout, combination, sample_point: at.point, claims }
}

/// A claim's weights of these cells.
fn weights(claim: &Claim, cells: &[(Tape, usize)], bits: usize) -> Vec<F> {
    let weight = |&(tape, address): &(Tape, usize)| {
        let terms = claim.terms.iter().filter(|term| term.tape == tape);
        terms.map(|term| term.functional.evaluate(&corner(address, bits))).sum()
    };
    cells.iter().map(weight).collect()
}

fn reads(claim: &Claim, tapes: &[Tape]) -> bool {
    claim.terms.iter().any(|term| tapes.contains(&term.tape))
}

const RUN: [Tape; 4] = [Tape::Q, Tape::R, Tape::X, Tape::H];

impl Revealed {
    /// Mask cells of the tapes of a run.
    fn run_cells(&self) -> Vec<(Tape, usize)> {
        let slots = &self.layout.slots;
        let cells =
            |tape| slots.iter().flat_map(|slot| self.layout.mask_cells(slot)).map(move |cell| (tape, cell));
        RUN.into_iter().flat_map(cells).collect()
    }

    /// Mask cells of the model.
    fn model_cells(&self) -> Vec<(Tape, usize)> {
        let first = self.layout.masks.model;
        (first..first + 2 * self.layout.dense).map(|cell| (Tape::Z, cell)).collect()
    }

    fn matrix(&self, tapes: &[Tape], cells: &[(Tape, usize)]) -> Vec<Vec<F>> {
        let claims = self.claims.iter().filter(|claim| reads(claim, tapes));
        claims.map(|claim| weights(claim, cells, self.layout.address_bits)).collect()
    }

    /// `P(r_i)` on these cells of `Z`: every row of every layer, as it is read beside the activations.
    fn products(&self, padding: F, cells: &[(Tape, usize)]) -> Vec<F> {
        let Self { layout, combination, sample_point, .. } = self;
        let mut sums = vec![F::ZERO; cells.len()];
        for row in 0..1 << layout.contraction_bits {
            let row = corner(row, layout.contraction_bits);
            let claims = contracted(layout, combination, sample_point, row.clone());
            let weighed = claims.iter().filter(|claim| reads(claim, &[Tape::M]));
            for (index, (slot, claim)) in layout.model.iter().zip(weighed).enumerate() {
                let factor = combination.kappa(index) * contraction::fixed_reads(slot, padding, &row);
                if factor != F::ZERO {
                    let own = weights(claim, cells, layout.address_bits);
                    sums.iter_mut().zip(own).for_each(|(sum, weight)| *sum += factor * weight);
                }
            }
        }
        sums
    }

    fn padding(&self) -> F {
        F::ONE - mle::below(self.layout.samples, &self.sample_point)
    }
}

#[test]
fn claims_about_a_run_have_full_rank_on_its_mask_cells() {
    for (case, outputs) in cases().into_iter().flat_map(|case| [(case.clone(), &[][..]), (case, &[0])]) {
        let revealed = reveal(&case, outputs);
        let matrix = revealed.matrix(&RUN, &revealed.run_cells());
        // Four at a cell, equations and decision, and what each layer but the first reads.
        assert_eq!(matrix.len(), 4 + 2 + revealed.layout.dense - 1);
        assert_eq!(rank(matrix.clone()), matrix.len(), "{case:?}");
        // Each claim alone depends on a mask cell, and so do the claims about any one tape.
        for tape in RUN {
            let cells: Vec<_> = revealed.run_cells().into_iter().filter(|cell| cell.0 == tape).collect();
            let own = revealed.matrix(&[tape], &cells);
            assert_eq!(rank(own.clone()), own.len(), "{tape:?} of {case:?}");
        }
    }
}

#[test]
fn products_and_weights_have_full_rank_on_the_models_mask_cells_alone() {
    for case in cases() {
        let revealed = reveal(&case, &[]);
        let cells = revealed.model_cells();
        let weights = revealed.matrix(&[Tape::M], &cells);
        assert_eq!(weights.len(), revealed.layout.dense);
        let with = |padding| {
            let products = revealed.products(padding, &cells);
            rank(weights.iter().cloned().chain([products]).collect())
        };
        assert_eq!(with(revealed.padding()), revealed.layout.dense + 1, "{case:?}");
        // Without the mask row in padding samples, weights alone would hide the products.
        assert_eq!(with(F::ZERO), revealed.layout.dense);
    }
}

#[test]
fn everything_revealed_about_tapes_and_model_together() {
    for case in cases() {
        let revealed = reveal(&case, &[]);
        let cells = [revealed.run_cells(), revealed.model_cells()].concat();
        let mut matrix = revealed.matrix(&[&RUN[..], &[Tape::M]].concat(), &cells);
        matrix.push(revealed.products(revealed.padding(), &cells));
        assert_eq!(matrix.len(), 4 + 2 + 2 * revealed.layout.dense - 1 + 1);
        assert_eq!(rank(matrix.clone()), matrix.len(), "{case:?}");
    }
}

#[test]
fn no_claim_but_its_own_reads_a_sumchecks_mask() {
    for case in cases() {
        let Revealed { layout, claims, .. } = reveal(&case, &[]);
        let mut ranges = Vec::new();
        for term in claims.iter().flat_map(|claim| &claim.terms).filter(|term| term.tape == Tape::Z) {
            let Functional::Cells { start, weights } = &term.functional else { panic!("another functional") };
            ranges.push(*start..start + weights.len());
        }
        // Three sumchecks, and two cells for each layer of the model, tile what is committed of Z.
        assert_eq!(ranges.len(), 3 + layout.dense);
        ranges.sort_by_key(|range| range.start);
        assert_eq!(ranges[0].start, 0);
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(ranges.last().unwrap().end, layout.masks.len);
        assert!(layout.masks.len <= layout.rows(Tape::Z).len() * verifier::layout::ROW);
    }
}

#[test]
fn mask_cells_lie_outside_of_all_data_and_inside_of_their_slot() {
    for case in cases() {
        let layout = reveal(&case, &[]).layout;
        for slot in &layout.slots {
            let cells = layout.mask_cells(slot);
            assert_eq!(cells.len(), verifier::layout::MASK_CELLS);
            assert_eq!(cells.start, slot.base + (layout.samples << slot.unit_bits));
            assert!(cells.end <= slot.base + (1 << (layout.sample_bits + slot.unit_bits)), "{case:?}");
        }
    }
}

#[test]
fn claims_of_a_registration_have_full_rank_on_its_mask_cells() {
    for case in cases() {
        let layout = RangeLayout::new(&Architecture::of(&case.model())).unwrap();
        let at = reduced(randomness("range").scalars(layout.address_bits));
        let claims =
            registration::claims(&layout, &at, registration::Values { tapes: [F::ZERO; 3], mask: F::ZERO });
        let masks = layout.model_masks..layout.model_masks + 2 * layout.model.len();
        let mut cells: Vec<_> = masks.map(|cell| (Tape::Z, cell)).collect();
        cells.extend([Tape::H, Tape::Q].map(|tape| (tape, layout.mask_cell)));
        let matrix: Vec<_> = claims
            .iter()
            .filter(|claim| reads(claim, &[Tape::M, Tape::H, Tape::Q]))
            .map(|claim| weights(claim, &cells, layout.address_bits))
            .collect();
        assert_eq!(matrix.len(), 3);
        assert_eq!(rank(matrix), 3, "{case:?}");
        // The mask cell is neither a weight nor an entry of the table.
        let slot = &layout.model[0];
        assert!(layout.mask_cell >= slot.base + ((slot.inputs + 2) << slot.unit_bits));
        assert!(layout.mask_cell < slot.base + (1 << (slot.row_bits + slot.unit_bits)));
        assert!(layout.mask_cell < layout.table);
    }
}
