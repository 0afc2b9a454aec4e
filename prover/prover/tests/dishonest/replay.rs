//! True proofs, handed in for something else.

use audit::Digest;
use prover::{ModelSecret, sabotage::Honest};
use verifier::{Check, RegisteredModel, VerifyError, audit_proof, statement::Inference};

use crate::{
    common::{Case, Proved, setup},
    step,
};

/// Fails unless an honest proof is refused by the first check of the changed statement.
#[track_caller]
fn refused(change: impl FnOnce(&mut Proved)) {
    refused_of(step(), change);
}

#[track_caller]
fn refused_of(mut proved: Proved, change: impl FnOnce(&mut Proved)) {
    let proof = proved.prove_with(1, &mut Honest);
    assert_eq!(proved.verify(&proof), Ok(()));
    change(&mut proved);
    proved.statement().check().unwrap();
    assert_eq!(proved.verify(&proof), Err(VerifyError::Failed(Check::Lookups)));
}

#[test]
fn a_proof_for_another_request_or_dataset() {
    refused(|proved| proved.context = Digest([4; 32]));
    refused(|proved| proved.context.0[31] ^= 0x80);
}

#[test]
fn a_proof_for_another_registered_model() {
    let register = |proved: &mut Proved, seed, owner: &[u8]| {
        let commitment = ModelSecret::new([seed; 32]).commit(setup(), &proved.model, owner);
        proved.registered = RegisteredModel::trusted(commitment);
    };
    refused(|proved| register(proved, 8, b"owner"));
    refused(|proved| register(proved, 7, b"thief"));
    refused(|proved| {
        proved.model.layers[0].weights[0] += 1;
        register(proved, 7, b"owner");
    });
}

#[test]
fn a_statement_about_another_model_than_the_registered_one() {
    let proved = step();
    let proof = proved.prove_with(1, &mut Honest);
    let verify = |statement| audit_proof::verify(&setup().verifier, &proved.registered, &statement, &proof);
    assert_eq!(verify(proved.statement()), Ok(()));
    let mut architecture = proved.architecture.clone();
    architecture.layers[0].shift = 8;
    let others = [
        verifier::Statement { model: Digest([9; 32]), ..proved.statement() },
        verifier::Statement { architecture: &architecture, ..proved.statement() },
    ];
    for statement in others {
        assert!(matches!(verify(statement), Err(VerifyError::Statement { .. })));
    }
}

#[test]
fn a_proof_for_other_samples() {
    refused(|proved| proved.features[0] += 1);
    refused(|proved| *proved.features.last_mut().unwrap() = 0);
    // The same samples in another order.
    refused(|proved| {
        let (one, other) = proved.features.split_at_mut(3);
        one.swap_with_slice(&mut other[..3]);
    });
    // One sample less, in the same layout: the proof's length is right.
    refused_of(Case::new(&[3, 3, 1], 10).prepare(7), |proved| {
        let length = audit_proof::proof_len(&proved.layout());
        proved.features.truncate(9 * 3);
        let cell = proved.cell_of.pop().unwrap() as usize;
        let counts = &mut proved.counts[2 * cell..][..2];
        *counts.iter_mut().find(|count| **count > 0).unwrap() -= 1;
        assert_eq!(audit_proof::proof_len(&proved.layout()), length);
    });
}

#[test]
fn a_proof_for_other_cells_or_counts() {
    refused(|proved| {
        assert_ne!(proved.cell_of[0], proved.cell_of[1]);
        proved.cell_of.swap(0, 1);
    });
    // Two groups that change their names.
    refused(|proved| {
        proved.cell_of.iter_mut().for_each(|cell| *cell = 2 - *cell);
        let counts: Vec<u32> = proved.counts.chunks(2).rev().flatten().copied().collect();
        proved.counts = counts;
    });
    // One more group without samples.
    refused(|proved| {
        proved.cells += 1;
        proved.counts.extend([0, 0]);
    });
    refused(|proved| {
        let counts = &mut proved.counts[..2];
        let from = usize::from(counts[0] == 0);
        counts[from] -= 1;
        counts[1 - from] += 1;
    });
}

/// A model with another number of classes: were cells counted by it, its decisions could be read as others'.
#[test]
fn counts_of_other_classes_than_the_cells_are_made_of() {
    let mut proved = step();
    let proof = proved.prove_with(1, &mut Honest);
    for cells in [0, 1, 2, 4, usize::MAX] {
        proved.cells = cells;
        assert!(matches!(proved.verify(&proof), Err(VerifyError::Statement { what: "counters", .. })));
    }
}

#[test]
fn counts_that_are_not_the_cells_sizes() {
    let mut proved = step();
    let proof = proved.prove_with(1, &mut Honest);
    proved.counts[0] += 1;
    assert!(matches!(proved.verify(&proof), Err(VerifyError::Statement { .. })));
    proved.counts[0] -= 1;
    proved.cell_of[0] = 3;
    assert!(matches!(proved.verify(&proof), Err(VerifyError::Statement { .. })));
}

/// Predictions have a domain of their own: the same context never serves both.
#[test]
fn a_prediction_taken_for_an_audit() {
    let mut proved = step();
    let classes = prover::Witness::new(&proved.model, &proved.features).unwrap().decisions;
    let (registered, features) = (proved.registered.clone(), proved.features.clone());
    let inference = Inference::new(&registered, proved.context, &features, &classes, &[]).unwrap();
    let statement = inference.statement();
    proved.cell_of = statement.cell_of.to_vec();
    proved.cells = statement.cells;
    proved.counts = statement.counts.to_vec();
    let audit = proved.prove_with(1, &mut Honest);
    let verify = |proof: &[u8]| audit_proof::verify(&setup().verifier, &registered, &statement, proof);
    assert_eq!(proved.verify(&audit), Ok(()));
    assert_eq!(verify(&audit), Err(VerifyError::Failed(Check::Lookups)));
    proved.context = statement.context;
    assert_eq!(verify(&proved.prove_with(1, &mut Honest)), Ok(()));
}
