//! Values of a run that are not the model's.

use prover::{sabotage::Saboteur, tape::Tape};
use verifier::{
    Check, F, Layout, Tape as Name, VerifyError,
    dot::signed,
    ff::Field as _,
    layout::{Entry, shift_tag},
};

use crate::{
    common::{
        Case, Proved,
        cells::{Cell, Cells},
    },
    decided, recounted, refused, step, verdict,
};

const HIDDEN: usize = 0;
const LAST: usize = 1;
const SHIFT: i32 = 9;

/// A false statement: a sample that is decided 0 counts as 1.
fn flipped() -> (Proved, usize) {
    let proved = step();
    let sample = decided(&proved, 0);
    (recounted(proved, sample, 0, 1), sample)
}

#[test]
fn quotient_and_remainder_shifted_against_each_other() {
    let (proved, sample) = flipped();
    refused(&proved, Check::Lookups, |cells| {
        let [q, r, _] = cells.all(LAST, sample, 0);
        cells.set_all(LAST, sample, 0, [1, r - ((1 - q) << SHIFT), 1]);
        cells.recount();
    });
    let proved = step();
    for by in [1, -1] {
        refused(&proved, Check::Lookups, |cells| {
            let [q, r, x] = cells.all(HIDDEN, 2, 1);
            cells.set_all(HIDDEN, 2, 1, [q + by, r - (by << SHIFT), x]);
            cells.recount();
        });
    }
}

#[test]
fn values_that_agree_modulo_the_prime_only() {
    let (proved, sample) = flipped();
    refused(&proved, Check::Lookups, |cells| {
        // Another remainder in range; q is whatever field element fits the equation.
        let [q, r, _] = cells.all(LAST, sample, 0);
        let other = (r + 1) % (1 << SHIFT);
        let two_to = F::from(1 << SHIFT);
        let quotient = signed(q.into()) + signed((r - other).into()) * two_to.invert().unwrap();
        cells.set_all(LAST, sample, 0, [0, other, 1]);
        cells.set_field(Cell { tape: Name::Q, slot: LAST, sample, unit: 0 }, quotient);
        cells.recount();
    });
    refused(&proved, Check::Lookups, |cells| {
        // The q that flips the decision; the remainder is far outside of its range.
        let [q, r, _] = cells.all(LAST, sample, 0);
        cells.set_all(LAST, sample, 0, [100, 0, 1]);
        let rest = signed(r.into()) - signed(i64::from(100 - q) << SHIFT);
        cells.set_field(Cell { tape: Name::R, slot: LAST, sample, unit: 0 }, rest);
        cells.recount();
    });
}

#[test]
fn an_activation_that_is_not_the_functions_value() {
    let (proved, sample) = flipped();
    refused(&proved, Check::Lookups, |cells| {
        cells.set(Cell { tape: Name::X, slot: LAST, sample, unit: 0 }, 1);
        cells.recount();
    });
    let proved = step();
    refused(&proved, Check::Lookups, |cells| {
        let x = Cell { tape: Name::X, slot: HIDDEN, sample: 4, unit: 2 };
        cells.set(x, cells.at(x) + 1);
        cells.rerun(&proved.model, 4, LAST);
        cells.recount();
    });
}

#[test]
fn a_decision_flipped_with_quotient_and_multiplicities() {
    let (proved, sample) = flipped();
    refused(&proved, Check::Samples, |cells| {
        let [_, r, _] = cells.all(LAST, sample, 0);
        cells.set_all(LAST, sample, 0, [1, r, 1]);
        cells.recount();
    });
}

#[test]
fn a_hidden_activation_of_one_sample_changed_with_all_that_follows() {
    let proved = step();
    for sample in [0, 8] {
        refused(&proved, Check::Samples, |cells| {
            let [q, r, _] = cells.all(HIDDEN, sample, 0);
            cells.set_all(HIDDEN, sample, 0, [q + 1, r, (q + 1).max(0)]);
            cells.rerun(&proved.model, sample, LAST);
            cells.recount();
        });
    }
}

/// Two layers of different functions and shifts share one table; tags keep their entries apart.
fn two_tags() -> Proved {
    let mut case = Case::new(&[3, 3, 1], 9);
    case.shifts = vec![SHIFT as u8, 7];
    case.prepare(7)
}

/// Counts another look-up of an entry.
fn look_up(cells: &mut Cells<'_, '_>, entry: Entry) {
    let index = cells.layout.entries(cells.architecture).position(|own| own == entry).unwrap();
    *cells.multiplicity(index) += 1;
}

#[test]
fn a_remainder_that_only_another_layers_shift_allows() {
    let proved = two_tags();
    assert_eq!(verdict(&proved, false, |_| ()), Ok(()));
    refused(&proved, Check::Lookups, |cells| {
        let [q, r, _] = cells.all(LAST, 3, 0);
        let (q, r) = (q - 1, r + (1 << 7));
        cells.set_all(LAST, 3, 0, [q, r, i32::from(q > 0)]);
        cells.recount();
        look_up(cells, Entry { key: r, value: 0, tag: shift_tag(SHIFT as u8) });
    });
}

#[test]
fn an_activation_of_another_layers_function() {
    let proved = two_tags();
    refused(&proved, Check::Lookups, |cells| {
        // The first layer is a relu, the last one a step.
        let places = (0..9).flat_map(|sample| (0..3).map(move |unit| (sample, unit)));
        let (sample, unit, q) = places
            .map(|(sample, unit)| (sample, unit, cells.all(HIDDEN, sample, unit)[0]))
            .find(|&(_, _, q)| q > 1)
            .unwrap();
        cells.set(Cell { tape: Name::X, slot: HIDDEN, sample, unit }, 1);
        cells.rerun(&proved.model, sample, LAST);
        cells.recount();
        let tag = cells.layout.slots[LAST].function.tag();
        look_up(cells, Entry { key: q, value: 1, tag });
    });
}

#[test]
fn a_multiplicity_off_by_one() {
    let proved = step();
    let entries = proved.layout().table.entries;
    for entry in [0, 128, entries - 1] {
        refused(&proved, Check::Lookups, |cells| *cells.multiplicity(entry) += 1);
    }
    // The number of look-ups stays right.
    refused(&proved, Check::Lookups, |cells| {
        let used = (0..entries).find(|&entry| *cells.multiplicity(entry) > 0).unwrap();
        *cells.multiplicity(used) -= 1;
        *cells.multiplicity(used + 1) += 1;
    });
}

/// A false activation whose missing inverse is added elsewhere on `H`, so that the sum is zero again.
struct Balanced {
    sample: usize,
    place: fn(&Layout) -> usize,
}

impl Saboteur for Balanced {
    fn tapes(&mut self, layout: &Layout, tapes: &mut prover::audit_proof::Tapes<'_>) {
        let address = layout.slots[LAST].base + (self.sample << layout.slots[LAST].unit_bits);
        let position = tapes.domain.position(address);
        let Tape::Small { cells, .. } = &mut tapes.x else { panic!("X is a small tape") };
        cells[position] = 1;
    }

    fn inverses(&mut self, layout: &Layout, domain: &prover::tape::Domain, h: &mut Tape) {
        let Tape::Full { cells } = h else { panic!("H is a full tape") };
        let units = |slot: &verifier::layout::Slot, sample: usize| {
            let first = domain.position(slot.base) + (sample << slot.unit_bits);
            first..first + slot.units
        };
        let slots = layout.slots.iter();
        let table = domain.position(layout.table.base);
        let selected = slots
            .flat_map(|slot| (0..layout.samples).flat_map(move |sample| units(slot, sample)))
            .chain(table..table + layout.table.entries);
        let sum: F = selected.map(|position| cells[position]).sum();
        assert_ne!(sum, F::ZERO);
        cells[domain.position((self.place)(layout))] -= sum;
    }
}

#[test]
fn an_inverse_that_balances_a_false_activation() {
    let (proved, sample) = flipped();
    let cell = |layout: &Layout| layout.slots[LAST].base;
    let entry = |layout: &Layout| layout.table.base + 3;
    let mask = |layout: &Layout| layout.mask_cells(&layout.slots[HIDDEN]).start;
    let padding = |layout: &Layout| layout.slots[HIDDEN].base + 3;
    for place in [cell, entry, mask, padding] {
        let proof = proved.prove_with(1, &mut Balanced { sample, place });
        assert_eq!(proved.verify(&proof), Err(VerifyError::Failed(Check::Lookups)));
    }
}

#[test]
fn quotients_and_remainders_in_padding_units() {
    let proved = step();
    for tape in [Name::Q, Name::R] {
        refused(&proved, Check::Samples, |cells| {
            cells.set_field(Cell { tape, slot: HIDDEN, sample: 0, unit: 3 }, F::from(5));
        });
    }
}

/// Nothing reads them, so they may hold anything; the point is that they change no statement.
#[test]
fn activations_in_padding_units_and_values_in_padding_samples_change_no_claim() {
    let hide = |cells: &mut Cells<'_, '_>| {
        for sample in 0..9 {
            cells.set_field(Cell { tape: Name::X, slot: HIDDEN, sample, unit: 3 }, F::from(1000));
        }
        for (tape, slot) in [(Name::Q, LAST), (Name::R, LAST), (Name::X, LAST), (Name::X, HIDDEN)] {
            // The first sample after the last is where the mask cells lie.
            cells.set_field(Cell { tape, slot, sample: 9, unit: 0 }, F::ONE);
        }
    };
    assert_eq!(verdict(&step(), false, hide), Ok(()));
    refused(&flipped().0, Check::Samples, hide);
}
