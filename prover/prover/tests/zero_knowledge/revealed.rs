//! Bytes of proofs: what depends on values, what repeats.

use std::collections::{BTreeMap, BTreeSet};

use prover::{
    ModelSecret, ProverSetup,
    audit_proof::Tapes,
    closing::Blinding,
    registration,
    sabotage::{Honest, Saboteur},
    tape::{Domain, Tape as Values},
};
use verifier::{
    F, Layout, Point, Tape, audit_proof,
    closing::BLINDING_ROWS,
    ff::PrimeField as _,
    layout::{MASK_CELLS, OPENING_DEGREE},
    sumcheck::mask_len,
    transcript::ELEMENT,
};

use crate::{
    cases,
    common::{Case, setup},
    models,
};

/// Follows the protocol and writes down what it commits to.
#[derive(Default)]
struct Observer {
    rows: BTreeMap<Tape, usize>,
    points: Vec<Point>,
    masks: Vec<F>,
}

impl Saboteur for Observer {
    fn tapes(&mut self, layout: &Layout, tapes: &mut Tapes<'_>) {
        let cells = layout.slots.iter().flat_map(|slot| layout.mask_cells(slot));
        let mut positions: Vec<usize> = cells.map(|address| tapes.domain.position(address)).collect();
        positions.sort_unstable();
        for tape in [&tapes.q, &tapes.r, &tapes.x] {
            let Values::Small { random, .. } = tape else { panic!("only H is a full tape") };
            assert!(random.keys().eq(&positions), "random values in the mask cells and nowhere else");
            self.masks.extend(random.values());
        }
        assert_eq!(tapes.model_masks.len(), 2 * layout.dense);
        self.masks.extend(tapes.model_masks);
    }

    fn inverses(&mut self, layout: &Layout, domain: &Domain, h: &mut Values) {
        let Values::Full { cells } = h else { panic!("H is a full tape") };
        for address in layout.slots.iter().flat_map(|slot| layout.mask_cells(slot)) {
            self.masks.push(cells[domain.position(address)]);
        }
    }

    fn row_commitment(&mut self, setup: &ProverSetup, blinding: &Blinding) -> Point {
        self.masks.extend(blinding.rows.iter().chain([&blinding.factor]));
        Honest.row_commitment(setup, blinding)
    }

    fn mask_commitment(&mut self, setup: &ProverSetup, mask: &[F], blinding: &Blinding) -> Point {
        self.masks.extend(mask.iter().chain(&blinding.rows).chain([&blinding.factor]));
        Honest.mask_commitment(setup, mask, blinding)
    }

    fn commitments(&mut self, _: &ProverSetup, tape: Tape, rows: &mut [Point]) {
        self.rows.insert(tape, rows.len());
        self.points.extend(rows.iter());
    }
}

/// Fails if a value is there twice, or is too small to be a random one.
fn fresh(seen: &mut BTreeSet<[u8; ELEMENT]>, values: impl IntoIterator<Item = [u8; ELEMENT]>) {
    for (index, value) in values.into_iter().enumerate() {
        assert!(value[8..24].iter().any(|&byte| byte != 0), "element {index} is small");
        assert!(seen.insert(value), "element {index} was seen before");
    }
}

fn elements(proof: &[u8]) -> impl Iterator<Item = [u8; ELEMENT]> + '_ {
    assert_eq!(proof.len() % ELEMENT, 0);
    proof.as_chunks::<ELEMENT>().0.iter().copied()
}

/// A few of the corner cases, with all their weights.
fn proved_cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(&[1, 1], 1),
        Case::new(&[3, 1], 8),
        Case::new(&[4, 3, 2], 1),
        Case::new(&[3, 2, 3, 2, 3, 2, 3, 2, 1], 3),
    ];
    cases.push(Case::new(&[5, 16, 3], 16));
    cases
}

#[test]
fn rows_and_lengths_do_not_depend_on_values() {
    for case in proved_cases() {
        for model in models(&case) {
            let proved = case.prepare_model(model, 3);
            let layout = proved.layout();
            let mut observer = Observer::default();
            let proof = proved.prove_with(1, &mut observer);
            assert_eq!(proof.len(), audit_proof::proof_len(&layout));
            for (tape, rows) in &observer.rows {
                assert_eq!(*rows, layout.rows(*tape).len(), "{tape:?} of {case:?}");
            }
            assert_eq!(observer.rows.len(), 5);
            // On three tapes and H, two a layer for the model, the opening's mask, and two columns' blinding rows.
            let opening = mask_len(layout.address_bits, OPENING_DEGREE);
            let masks = 4 * MASK_CELLS * layout.slots.len() + 2 * layout.dense + opening;
            assert_eq!(observer.masks.len(), masks + 2 * (BLINDING_ROWS + 1));
            // Fresh blinding: no two rows have one commitment, though most hold the same zeros.
            let points: BTreeSet<_> = elements(&proof[..observer.points.len() * ELEMENT]).collect();
            assert_eq!(points.len(), observer.points.len());
            fresh(&mut BTreeSet::new(), observer.masks.iter().map(F::to_repr));
        }
    }
}

#[test]
fn no_revealed_value_repeats_in_or_between_two_proofs_of_one_statement() {
    for case in proved_cases() {
        for model in models(&case) {
            let proved = case.prepare_model(model, 3);
            let mut seen = BTreeSet::new();
            let proofs = [1, 2].map(|seed| proved.prove_with(seed, &mut Honest));
            for proof in &proofs {
                assert_eq!(proved.verify(proof), Ok(()), "{case:?}");
                let (own, closing) = proof.split_at(proof.len() - verifier::closing::CLOSING_BYTES);
                fresh(&mut seen, elements(own));
                // The closing proof starts with two commitments: one was sent before, and must be the same.
                let (first, rest) = closing.split_at(2 * ELEMENT);
                let known: Vec<_> = elements(first).map(|element| seen.contains(&element)).collect();
                assert_eq!(known, [false, true]);
                fresh(&mut seen, elements(&first[..ELEMENT]).chain(elements(rest)));
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_statement_others() {
    let mut proved = Case::new(&[4, 3, 2], 8).prepare(3);
    let proof = proved.prove_with(1, &mut Honest);
    assert_eq!(proved.prove_with(1, &mut Honest), proof);
    assert_ne!(proved.prove_with(2, &mut Honest), proof);
    // A seed that is used twice shares nothing between proofs of two statements.
    proved.context.0[0] ^= 1;
    let mut seen: BTreeSet<_> = elements(&proof).collect();
    let other = proved.prove_with(1, &mut Honest);
    let (own, _) = other.split_at(other.len() - verifier::closing::CLOSING_BYTES);
    fresh(&mut seen, elements(own));
}

#[test]
fn registrations_do_not_show_their_weights() {
    let case = Case::new(&[4, 3, 2], 8);
    let mut seen = BTreeSet::new();
    let mut lengths = BTreeSet::new();
    for model in models(&case) {
        for seed in [1, 2] {
            let secret = ModelSecret::new([seed; 32]);
            let commitment = secret.commit(setup(), &model, b"owner");
            let proof = registration::prove(setup(), &model, &secret, &commitment, &[seed; 32]).unwrap();
            fresh(&mut seen, elements(&commitment.row_bytes()));
            let (own, _) = proof.split_at(proof.len() - verifier::closing::CLOSING_BYTES);
            fresh(&mut seen, elements(own));
            lengths.insert(proof.len());
            let again = registration::prove(setup(), &model, &secret, &commitment, &[seed; 32]).unwrap();
            assert_eq!(again, proof);
        }
    }
    assert_eq!(lengths.len(), 1);
}

#[test]
fn layouts_of_all_cases_are_those_of_their_architecture() {
    for case in cases() {
        let layouts = models(&case).map(|model| {
            let architecture = verifier::Architecture::of(&model);
            Layout::new(&architecture, case.samples).unwrap()
        });
        assert!(layouts.iter().all(|layout| *layout == layouts[0]), "{case:?}");
    }
}
