//! Arg-max: any choice but the smallest index of the largest unit.

use verifier::{Check, Tape as Name};

use crate::{
    common::{
        Case, Proved,
        cells::{Cell, Cells},
    },
    recounted, refused, verdict,
};

const UNITS: usize = 3;
const OUTPUT: usize = 1;
const CHOICE: usize = 2;

fn three_classes() -> Proved {
    Case::new(&[4, 3, 3], 7).prepare(7)
}

/// Every sample's first two units are equal and the largest, or the second is `ahead`.
fn ties(ahead: i32) -> Proved {
    let case = Case::new(&[4, 3, 3], 7);
    let mut model = case.model();
    let last = &mut model.layers[OUTPUT];
    let (first, rest) = last.weights.split_at_mut(3);
    rest[..3].copy_from_slice(first);
    last.bias = vec![20_000, 20_000 + (ahead << last.shift), -20_000];
    rest[3..].fill(0);
    case.prepare_model(model, 7)
}

fn outputs(cells: &Cells<'_, '_>, sample: usize) -> [i32; UNITS] {
    std::array::from_fn(|unit| cells.all(OUTPUT, sample, unit)[2])
}

fn right(cells: &Cells<'_, '_>, sample: usize) -> usize {
    (0..UNITS).find(|&unit| cells.all(CHOICE, sample, unit)[2] == 1).unwrap()
}

/// Chooses these units; each unit's distance is what the first one's equation makes it, or `bent` to be in the table.
fn choose(cells: &mut Cells<'_, '_>, sample: usize, chosen: &[usize], bent: bool) {
    let x = outputs(cells, sample);
    let after = |unit: usize| chosen.iter().filter(|&&other| other > unit).count() as i32;
    let top = match chosen.first() {
        Some(&first) => x[first] + after(first),
        None => *x.iter().max().unwrap(),
    };
    for (unit, output) in x.into_iter().enumerate() {
        let (distance, is_chosen) = (top - output - after(unit), chosen.contains(&unit));
        let allowed = if is_chosen { 0 } else { distance.max(0) };
        let distance = if bent { allowed } else { distance };
        cells.set_all(CHOICE, sample, unit, [distance, 0, is_chosen.into()]);
    }
    cells.recount();
}

/// The statement in which sample 0 is decided as `unit`.
fn decided_as(proved: Proved, unit: impl Fn(usize) -> usize) -> (Proved, usize) {
    let class = prover::Witness::new(&proved.model, &proved.features).unwrap().decisions[0];
    let other = unit(class.into());
    (recounted(proved, 0, class, other as u8), other)
}

#[test]
fn the_right_choice_is_accepted() {
    for proved in [three_classes(), ties(0)] {
        let same = |cells: &mut Cells<'_, '_>| {
            let right = right(cells, 0);
            choose(cells, 0, &[right], false);
        };
        assert_eq!(verdict(&proved, false, same), Ok(()));
    }
}

#[test]
fn a_unit_that_is_not_the_largest() {
    for step in 1..UNITS {
        let (proved, other) = decided_as(three_classes(), |class| (class + step) % UNITS);
        refused(&proved, Check::Lookups, |cells| choose(cells, 0, &[other], false));
        refused(&proved, Check::Samples, |cells| choose(cells, 0, &[other], true));
    }
}

#[test]
fn a_tie_won_by_the_later_index() {
    let (proved, other) = decided_as(ties(0), |class| {
        assert_eq!(class, 0);
        1
    });
    refused(&proved, Check::Lookups, |cells| {
        let x = outputs(cells, 0);
        assert_eq!(x[0], x[1]);
        choose(cells, 0, &[other], false);
    });
    refused(&proved, Check::Samples, |cells| choose(cells, 0, &[other], true));
}

#[test]
fn two_units_or_none() {
    for (all, counted) in [([0, 1], 0), ([0, 1], 1), ([0, 2], 2), ([1, 2], 1)] {
        let (proved, _) = decided_as(three_classes(), |_| counted);
        refused(&proved, Check::Samples, |cells| choose(cells, 0, &all, true));
    }
    for counted in 0..UNITS {
        let (proved, _) = decided_as(three_classes(), |_| counted);
        refused(&proved, Check::Samples, |cells| choose(cells, 0, &[], true));
    }
}

/// A later unit that is larger by one fits the equation of an earlier one, so only their number is wrong.
#[test]
fn two_units_that_fit_each_others_equations() {
    for counted in [0, 1] {
        let (proved, _) = decided_as(ties(1), |class| {
            assert_eq!(class, 1);
            counted
        });
        refused(&proved, Check::Samples, |cells| {
            let x = outputs(cells, 0);
            assert_eq!(x[0] + 1, x[1]);
            choose(cells, 0, &[0, 1], false);
            let distances = [0, 1].map(|unit| cells.all(CHOICE, 0, unit)[0]);
            assert_eq!(distances, [0, 0]);
        });
    }
}

/// Counts, equations and look-ups are all right: only that each sample chooses one unit is not.
#[test]
fn two_units_for_one_sample_and_none_for_another_of_its_cell() {
    let proved = ties(1);
    assert_eq!(proved.cell_of[0], proved.cell_of[3]);
    refused(&recounted(proved, 3, 1, 0), Check::Samples, |cells| {
        choose(cells, 0, &[0, 1], false);
        choose(cells, 3, &[], false);
    });
}

#[test]
fn a_choice_in_a_padding_unit() {
    let proved = three_classes();
    // There it is read by nothing, so no unit is chosen.
    refused(&proved, Check::Samples, |cells| {
        let right = right(cells, 0);
        cells.set(Cell { tape: Name::X, slot: CHOICE, sample: 0, unit: right }, 0);
        cells.set_field(Cell { tape: Name::X, slot: CHOICE, sample: 0, unit: 3 }, 1.into());
        cells.recount();
    });
}

#[test]
fn a_choice_by_halves() {
    let proved = three_classes();
    refused(&proved, Check::Lookups, |cells| {
        let half = verifier::ff::Field::invert(&verifier::F::from(2)).unwrap();
        for unit in 0..2 {
            cells.set_field(Cell { tape: Name::X, slot: CHOICE, sample: 0, unit }, half);
        }
        cells.recount();
    });
}
