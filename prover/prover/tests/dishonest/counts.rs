//! Counts that are not the model's, and inputs that are not the statement's.

use prover::{Witness, sabotage::Saboteur};
use verifier::{Check, Tape as Name, VerifyError};

use crate::{
    common::{Proved, cells::Cell},
    decided, recounted, refused, step,
};

#[test]
fn a_count_off_by_one_in_one_cell() {
    for (from, to) in [(0, 1), (1, 0)] {
        let proved = step();
        let sample = decided(&proved, from);
        refused(&recounted(proved, sample, from, to), Check::Samples, |_| ());
    }
}

/// Two samples of different cells with different decisions, counted as if they were exchanged.
fn exchanged() -> (Proved, [usize; 2]) {
    let proved = step();
    let decisions = Witness::new(&proved.model, &proved.features).unwrap().decisions;
    let differ =
        |a: usize, b: usize| decisions[a] == 0 && decisions[b] == 1 && proved.cell_of[a] != proved.cell_of[b];
    let pairs = (0..9).flat_map(|a| (0..9).map(move |b| (a, b)));
    let (a, b) = pairs.into_iter().find(|&(a, b)| differ(a, b)).unwrap();
    (recounted(recounted(proved, a, 0, 1), b, 1, 0), [a, b])
}

#[test]
fn two_decisions_exchanged_between_groups() {
    let (proved, [a, b]) = exchanged();
    let sums = |proved: &Proved| {
        proved.counts.chunks(2).fold([0; 2], |sum, cell| [sum[0] + cell[0], sum[1] + cell[1]])
    };
    assert_eq!(sums(&proved), sums(&step()), "the totals stay right");
    refused(&proved, Check::Samples, |_| ());
    // The same with both samples' last values exchanged on the tapes.
    refused(&proved, Check::Samples, |cells| {
        let values = [cells.all(1, a, 0), cells.all(1, b, 0)];
        cells.set_all(1, a, 0, values[1]);
        cells.set_all(1, b, 0, values[0]);
    });
    // And with the hidden layer exchanged too: then the first layer's equations fail.
    refused(&proved, Check::Samples, |cells| {
        for (slot, units) in [(0, 3), (1, 1)] {
            for unit in 0..units {
                let values = [cells.all(slot, a, unit), cells.all(slot, b, unit)];
                cells.set_all(slot, a, unit, values[1]);
                cells.set_all(slot, b, unit, values[0]);
            }
        }
    });
}

#[test]
fn a_decision_of_one_hidden_in_a_mask_cell() {
    let proved = step();
    let sample = decided(&proved, 0);
    refused(&recounted(proved, sample, 0, 1), Check::Samples, |cells| {
        cells.set(Cell { tape: Name::X, slot: 1, sample: 9, unit: 0 }, 1);
    });
}

/// Runs the model on features of its own and proves everything about them.
struct OtherFeatures {
    features: Vec<i16>,
    lies: bool,
}

impl Saboteur for OtherFeatures {
    fn features(&self) -> Option<Vec<i16>> {
        Some(self.features.clone())
    }

    fn lies_about_masks(&self) -> bool {
        self.lies
    }
}

#[test]
fn inputs_that_are_not_the_statements() {
    let mut proved = step();
    let mut features = proved.features.clone();
    features[4] += 50;
    proved.counts = Witness::new(&proved.model, &features).unwrap().counts(&proved.cell_of, 3, 2);
    for (lies, check) in [(false, Check::Contraction), (true, Check::Closing)] {
        let proof = proved.prove_with(1, &mut OtherFeatures { features: features.clone(), lies });
        assert_eq!(proved.verify(&proof), Err(VerifyError::Failed(check)));
    }
    proved.features = features;
    let proof = proved.prove_with(1, &mut OtherFeatures { features: proved.features.clone(), lies: false });
    assert_eq!(proved.verify(&proof), Ok(()), "the features that were claimed");
}
