//! The plainest cheats in every shape: one sample, a full power of two, one input, one unit, one layer, eight layers.

use audit::Decision;
use prover::Witness;
use verifier::{Check, Tape as Name, VerifyError};

use crate::{
    common::{Case, Proved, cells::Cell},
    recounted, refused, verdict,
};

/// The statement in which the last sample counts as the next class; both classes.
fn last_counted_wrongly(proved: Proved) -> (Proved, [usize; 2]) {
    let decisions = Witness::new(&proved.model, &proved.features).unwrap().decisions;
    let class = *decisions.last().unwrap();
    let other = (class + 1) % proved.architecture.classes;
    (recounted(proved, decisions.len() - 1, class, other), [class.into(), other.into()])
}

#[test]
fn a_count_off_by_one() {
    for case in Case::shapes() {
        refused(&last_counted_wrongly(case.prepare(7)).0, Check::Samples, |_| ());
    }
}

#[test]
fn a_decision_that_is_not_the_functions_value() {
    for case in Case::shapes() {
        let (proved, [class, other]) = last_counted_wrongly(case.prepare(7));
        let (slot, sample) = (proved.layout().slots.len() - 1, case.samples - 1);
        let result = verdict(&proved, false, |cells| {
            let mut set = |unit, value| cells.set(Cell { tape: Name::X, slot, sample, unit }, value);
            match proved.architecture.decision {
                Decision::Step => set(0, other as i32),
                Decision::ArgMax => {
                    set(class, 0);
                    set(other, 1);
                }
            }
            cells.recount();
        });
        // Where both units are equal, their look-ups are entries of the table, and the equations fail.
        let tie = matches!(proved.architecture.decision, Decision::ArgMax);
        let refused = result == Err(VerifyError::Failed(Check::Lookups))
            || tie && result == Err(VerifyError::Failed(Check::Samples));
        assert!(refused, "{result:?} of {case:?}");
    }
}

#[test]
fn quotient_or_remainder_of_the_last_unit_changed() {
    for case in Case::shapes() {
        let proved = case.prepare(7);
        let (sample, unit) = (case.samples - 1, case.widths[1] as usize - 1);
        let changed = |change: fn([i32; 3]) -> [i32; 3]| {
            verdict(&proved, false, |cells| {
                cells.set_all(0, sample, unit, change(cells.all(0, sample, unit)));
                cells.recount();
            })
        };
        // The equation holds, with a remainder outside of its range; or all is in range and it does not hold.
        let result = changed(|[q, r, x]| [q + 1, r - (1 << 9), x]);
        assert_eq!(result, Err(VerifyError::Failed(Check::Lookups)), "{case:?}");
        let result = changed(|[q, r, x]| [q, r ^ 1, x]);
        assert_eq!(result, Err(VerifyError::Failed(Check::Samples)), "{case:?}");
    }
}
