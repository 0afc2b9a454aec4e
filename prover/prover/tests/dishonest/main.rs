//! Dishonest provers, each built to follow the protocol wherever its cheat allows, and the check that refuses it.
//!
//! Each is tried twice: as it is, and *lying*, where it reveals whatever value of a mask makes each sumcheck's last
//! check hold. A lie passes every check up to the closing proof, which shows that the masks are committed too.

#[path = "../common/mod.rs"]
mod common;

mod arg_max;
mod closing;
mod commitments;
mod counts;
mod forger;
mod hidden_weights;
mod registration;
mod replay;
mod shapes;
mod values;

use common::{Case, Proved, cells::Cells};
use prover::{
    ProveError, ProverSetup, Randomness,
    audit_proof::Tapes,
    closing::{self as closing_proof, Combined},
    sabotage::{Factors, Saboteur},
    transcript::Writer,
};
use verifier::{
    Architecture, Check, F, Layout, VerifyError, closing::CLOSING_BYTES, ff::Field as _, transcript::ELEMENT,
};

/// A prover that changes the committed values.
pub struct Edits<'c, Edit> {
    /// Of the model that is proved.
    pub architecture: &'c Architecture,
    /// Changes the values.
    pub edit: Edit,
    /// Whether the masks' values are whatever the last checks need.
    pub lies: bool,
    /// Whether there is a closing proof, which takes most of the time and matters only where all else passes.
    pub closes: bool,
}

impl<Edit: FnMut(&mut Cells<'_, '_>)> Saboteur for Edits<'_, Edit> {
    fn lies_about_masks(&self) -> bool {
        self.lies
    }

    fn tapes(&mut self, layout: &Layout, tapes: &mut Tapes<'_>) {
        (self.edit)(&mut Cells { architecture: self.architecture, layout, tapes });
    }

    fn close(
        &mut self,
        setup: &ProverSetup,
        writer: &mut Writer,
        combined: Combined<'_>,
        _: Factors<'_>,
        randomness: &mut Randomness,
    ) -> Result<(), ProveError> {
        if self.closes {
            return closing_proof::prove(setup, writer, combined, randomness);
        }
        writer.scalars(&[F::ZERO; CLOSING_BYTES / ELEMENT]);
        Ok(())
    }
}

/// One output: three hidden units in four columns, so that there is padding.
pub fn step() -> Proved {
    Case::new(&[3, 3, 1], 9).prepare(7)
}

/// What the verifier says of the statement when the committed values are changed.
pub fn verdict(proved: &Proved, lies: bool, edit: impl FnMut(&mut Cells<'_, '_>)) -> Result<(), VerifyError> {
    let mut saboteur = Edits { architecture: &proved.architecture, edit, lies, closes: true };
    proved.verify(&proved.prove_with(1, &mut saboteur))
}

/// Fails unless `check` refuses the changed values, and the closing proof the lie about them.
#[track_caller]
pub fn refused(proved: &Proved, check: Check, mut edit: impl FnMut(&mut Cells<'_, '_>)) {
    let mut early = Edits { architecture: &proved.architecture, edit: &mut edit, lies: false, closes: false };
    assert_eq!(proved.verify(&proved.prove_with(1, &mut early)), Err(VerifyError::Failed(check)));
    assert_eq!(verdict(proved, true, &mut edit), Err(VerifyError::Failed(Check::Closing)), "lying");
}

/// A sample that is decided so.
pub fn decided(proved: &Proved, class: u8) -> usize {
    let witness = prover::Witness::new(&proved.model, &proved.features).unwrap();
    witness.decisions.iter().position(|&decision| decision == class).expect("a sample of each class")
}

/// The statement with one sample counted in another class.
pub fn recounted(mut proved: Proved, sample: usize, from: u8, to: u8) -> Proved {
    let classes = usize::from(proved.architecture.classes);
    let first = proved.cell_of[sample] as usize * classes;
    proved.counts[first + usize::from(from)] -= 1;
    proved.counts[first + usize::from(to)] += 1;
    proved
}

#[test]
fn honest_values_are_accepted_lying_or_not() {
    for proved in [step(), Case::new(&[4, 3, 3], 7).prepare(7)] {
        for lies in [false, true] {
            assert_eq!(verdict(&proved, lies, |_| ()), Ok(()));
            // The edits below count with this; on honest values it must change nothing.
            assert_eq!(verdict(&proved, lies, |cells| cells.recount()), Ok(()));
        }
    }
    let proved = step();
    let rerun = |cells: &mut Cells<'_, '_>| (0..9).for_each(|sample| cells.rerun(&proved.model, sample, 1));
    assert_eq!(verdict(&proved, false, rerun), Ok(()));
}
