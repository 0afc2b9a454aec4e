//! Weights outside of 16 bits, and commitments taken for another model's.

use std::collections::BTreeMap;

use audit::{Activation, Model};
use prover::{ModelSecret, registration, registration::model_cells, sabotage::Saboteur, tape::Tape};
use verifier::{
    Architecture, Check, ModelCommitment, VerifyError, layout::model_slots, registration::RangeLayout,
};

use crate::common::{Case, setup};

/// Where a weight or bias limb lies in the values of tape `M`.
pub fn position(model: &Model, layer: usize, row: usize, unit: usize) -> usize {
    let slots = model_slots(&Architecture::of(model)).0;
    let slot = &slots[layer];
    model_cells(&slots, model).0.position(slot.base + (row << slot.unit_bits) + unit)
}

/// A commitment to a model with these cells of tape `M` changed.
pub fn commit(model: &Model, secret: &ModelSecret, changed: &[(usize, i32)]) -> ModelCommitment {
    let mut commitment = secret.commit(setup(), model, b"owner");
    let slots = model_slots(&commitment.architecture).0;
    let (domain, mut cells) = model_cells(&slots, model);
    changed.iter().for_each(|&(position, value)| cells[position] = value);
    let tape = Tape::Small { cells, random: BTreeMap::new() };
    let blinds = secret.blinds(model, b"owner");
    let rows: Vec<_> = blinds.iter().map(|&(row, blind)| tape.row_cells(&domain, row, blind)).collect();
    commitment.rows = setup().table.commit(&rows);
    commitment
}

/// Proves the range of changed weights.
#[derive(Default)]
struct Weights {
    changed: Vec<(usize, i32)>,
    /// How much more often an integer is claimed to be used.
    used: Vec<(i32, i32)>,
    lies: bool,
}

impl Saboteur for Weights {
    fn lies_about_masks(&self) -> bool {
        self.lies
    }

    fn weights(&mut self, _: &RangeLayout, weights: &mut [i32], multiplicities: &mut [i32]) {
        self.changed.iter().for_each(|&(position, value)| weights[position] = value);
        self.used.iter().for_each(|&(integer, by)| multiplicities[(integer + (1 << 15)) as usize] += by);
    }
}

fn verdict(model: &Model, mut prover: Weights) -> Result<(), VerifyError> {
    let secret = ModelSecret::new([5; 32]);
    let commitment = commit(model, &secret, &prover.changed);
    let proof =
        registration::prove_with(setup(), model, &secret, &commitment, &[6; 32], &mut prover).unwrap();
    verifier::registration::verify(&setup().verifier, commitment, &proof).map(|_| ())
}

#[track_caller]
fn refused(model: &Model, changed: &[(usize, i32)], used: &[(i32, i32)]) {
    for (lies, check) in [(false, Check::WeightRange), (true, Check::Closing)] {
        let prover = Weights { changed: changed.to_vec(), used: used.to_vec(), lies };
        assert_eq!(verdict(model, prover), Err(VerifyError::Failed(check)));
    }
}

fn model() -> Model {
    Case::new(&[3, 3, 1], 9).model()
}

#[test]
fn weights_at_the_ends_of_the_range_are_accepted() {
    let model = model();
    let weight = position(&model, 0, 1, 2);
    let own = i32::from(model.layers[0].weights[2 * 3 + 1]);
    let prover = |value: i32, lies| {
        let used = vec![(own, -1), (value, 1)];
        Weights { changed: vec![(weight, value)], used, lies }
    };
    assert_eq!(verdict(&model, prover(-(1 << 15), false)), Ok(()));
    assert_eq!(verdict(&model, prover((1 << 15) - 1, true)), Ok(()));
}

#[test]
fn a_weight_outside_of_16_bits() {
    let model = model();
    let (weight, own) = (position(&model, 0, 1, 2), i32::from(model.layers[0].weights[2 * 3 + 1]));
    refused(&model, &[(weight, 1 << 15)], &[(own, -1)]);
    refused(&model, &[(weight, -(1 << 15) - 1)], &[]);
    // Used as the integer that it is modulo 2^16.
    refused(&model, &[(weight, (1 << 16) + 3)], &[(own, -1), (3, 1)]);
}

#[test]
fn a_bias_limb_outside_of_16_bits() {
    let model = model();
    // The high limb's row comes first.
    refused(&model, &[(position(&model, 1, 3, 0), 1 << 15)], &[]);
    refused(&model, &[(position(&model, 1, 4, 0), -(1 << 20))], &[]);
}

#[test]
fn two_weights_outside_of_the_range_that_cancel() {
    let model = model();
    let cells = [position(&model, 0, 0, 0), position(&model, 0, 0, 1)];
    refused(&model, &[(cells[0], 1 << 20), (cells[1], -(1 << 20))], &[]);
}

#[test]
fn a_multiplicity_of_an_integer_that_is_not_used_so_often() {
    let model = model();
    refused(&model, &[], &[(17, 1)]);
    let own = i32::from(model.layers[0].weights[0]);
    refused(&model, &[], &[(own, -1), (own + 1, 1)]);
}

/// A verified commitment and its proof.
fn registered() -> (ModelCommitment, Vec<u8>) {
    let (model, secret) = (model(), ModelSecret::new([5; 32]));
    let commitment = secret.commit(setup(), &model, b"owner");
    let proof = registration::prove(setup(), &model, &secret, &commitment, &[6; 32]).unwrap();
    (commitment, proof)
}

fn verify(commitment: &ModelCommitment, proof: &[u8]) -> Result<(), VerifyError> {
    verifier::registration::verify(&setup().verifier, commitment.clone(), proof).map(|_| ())
}

#[test]
fn a_commitment_registered_by_another_owner_or_under_another_architecture() {
    let (commitment, proof) = registered();
    assert_eq!(verify(&commitment, &proof), Ok(()));
    let changes: [fn(&mut ModelCommitment); 10] = [
        |commitment| commitment.owner = b"thief".to_vec(),
        |commitment| commitment.owner = Vec::new(),
        |commitment| commitment.architecture.name.push('2'),
        |commitment| commitment.architecture.encoding.0[0] += 1,
        |commitment| commitment.architecture.layers[0].shift += 1,
        |commitment| commitment.architecture.layers[0].activation = Activation::Identity,
        |commitment| commitment.architecture.tables[0].values[3] += 1,
        |commitment| commitment.architecture.tables.clear(),
        // Other layouts: another number of inputs, and units that take the place of others' weights.
        |commitment| commitment.architecture.layers[0].inputs = 4,
        |commitment| {
            commitment.architecture.layers[0].units = 4;
            commitment.architecture.layers[1].inputs = 4;
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut other = commitment.clone();
        change(&mut other);
        assert_ne!(other.id(), commitment.id());
        other.architecture.validate().unwrap();
        assert_eq!(verify(&other, &proof), Err(VerifyError::Failed(Check::WeightRange)), "change {index}");
    }
}

#[test]
fn a_proof_of_another_commitment() {
    let (commitment, proof) = registered();
    let same_weights = ModelSecret::new([8; 32]).commit(setup(), &model(), b"owner");
    let mut other_weights = model();
    other_weights.layers[0].weights[0] += 1;
    let other_weights = ModelSecret::new([5; 32]).commit(setup(), &other_weights, b"owner");
    for other in [same_weights, other_weights] {
        assert_ne!(other.id(), commitment.id());
        assert_eq!(verify(&other, &proof), Err(VerifyError::Failed(Check::WeightRange)));
    }
}

/// 70 inputs of 8 columns need three rows.
#[test]
fn rows_exchanged_or_left_out() {
    let (model, secret) = (Case::new(&[70, 7, 1], 2).model(), ModelSecret::new([5; 32]));
    let right = secret.commit(setup(), &model, b"owner");
    assert!(right.rows.len() > 2);
    let changes: [fn(&mut ModelCommitment); 3] = [
        |commitment| commitment.rows.swap(0, 1),
        |commitment| commitment.rows[1] = commitment.rows[0],
        |commitment| commitment.rows[1] = setup().blinding,
    ];
    for change in changes {
        let mut other = right.clone();
        change(&mut other);
        // The proof is made for what is registered, with what was committed.
        let proof =
            registration::prove_with(setup(), &model, &secret, &other, &[6; 32], &mut Weights::default());
        let expected = Err(VerifyError::Failed(Check::ClosingCommitments));
        assert_eq!(verify(&other, &proof.unwrap()), expected);
    }
    for rows in [0, 1, right.rows.len() - 1] {
        let mut other = right.clone();
        other.rows.truncate(rows);
        let proof = registration::prove(setup(), &model, &secret, &right, &[6; 32]).unwrap();
        assert!(matches!(verify(&other, &proof), Err(VerifyError::Statement { .. })));
    }
}
