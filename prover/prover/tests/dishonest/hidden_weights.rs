//! Weights hidden where no unit and no input is: in padding units and in the rows after the bias limbs.

use prover::{audit_proof::Tapes, sabotage::Saboteur, tape::Domain};
use verifier::{Check, F, Layout, RegisteredModel, Tape as Name, VerifyError, dot::signed};

use crate::{
    common::{
        Proved,
        cells::{Cell, Cells},
    },
    decided, recounted,
    registration::{commit, position},
    step,
};

/// A weight of the first input in the padding unit of the first layer, which has three units in four columns.
const HIDDEN: i32 = 1000;

struct PaddingUnit<'p> {
    proved: &'p Proved,
    position: usize,
    /// Whether the layer's equation is made to hold for the padding unit too.
    follows: bool,
    lies: bool,
}

impl Saboteur for PaddingUnit<'_> {
    fn lies_about_masks(&self) -> bool {
        self.lies
    }

    fn tapes(&mut self, layout: &Layout, tapes: &mut Tapes<'_>) {
        tapes.model[self.position] = HIDDEN;
        let mut cells = Cells { architecture: &self.proved.architecture, layout, tapes };
        for (sample, features) in self.proved.features.chunks(3).enumerate().filter(|_| self.follows) {
            let product = signed(i64::from(HIDDEN) * i64::from(features[0]));
            cells.set_field(Cell { tape: Name::R, slot: 0, sample, unit: 3 }, product);
            // And the padding unit gets an activation, as large as one likes.
            cells.set_field(Cell { tape: Name::X, slot: 0, sample, unit: 3 }, product);
        }
    }
}

fn in_padding_unit(mut proved: Proved, follows: bool, lies: bool) -> Result<(), VerifyError> {
    let position = position(&proved.model, 0, 0, 3);
    let commitment = commit(&proved.model, &proved.secret, &[(position, HIDDEN)]);
    proved.registered = RegisteredModel::trusted(commitment);
    let proof = proved.prove_with(1, &mut PaddingUnit { proved: &proved, position, follows, lies });
    proved.verify(&proof)
}

fn flipped() -> Proved {
    let proved = step();
    let sample = decided(&proved, 0);
    recounted(proved, sample, 0, 1)
}

#[test]
fn a_weight_in_a_padding_unit_changes_no_claim() {
    assert_eq!(in_padding_unit(step(), false, false), Err(VerifyError::Failed(Check::Samples)));
    assert_eq!(in_padding_unit(step(), false, true), Err(VerifyError::Failed(Check::Closing)));
    // Where everything follows it the true statement is proved, and a false one is not.
    assert_eq!(in_padding_unit(step(), true, false), Ok(()));
    assert_eq!(in_padding_unit(flipped(), true, false), Err(VerifyError::Failed(Check::Samples)));
    assert_eq!(in_padding_unit(flipped(), true, true), Err(VerifyError::Failed(Check::Closing)));
}

/// A weight in the first layer's row `k*`, where `M` has nothing and the masks on `Z` lie.
struct MaskRow {
    lies: bool,
}

impl Saboteur for MaskRow {
    fn lies_about_masks(&self) -> bool {
        self.lies
    }

    fn tapes(&mut self, layout: &Layout, tapes: &mut Tapes<'_>) {
        let slots = layout.model.iter();
        let wide = slots.map(|slot| slot.base..slot.base + ((slot.inputs + 4) << slot.unit_bits));
        let wide = Domain::new(wide);
        let mut cells = vec![0; wide.len()];
        for (address, &cell) in tapes.model_domain.addresses().zip(&tapes.model) {
            cells[wide.position(address)] = cell;
        }
        cells[wide.position(mask_row(layout))] = HIDDEN;
        (tapes.model_domain, tapes.model) = (wide, cells);
        // What is read in that row is the sum of both.
        let mut masks = tapes.model_masks.to_vec();
        masks[0] += F::from(HIDDEN as u64);
        tapes.model_masks = Box::leak(masks.into());
    }
}

fn mask_row(layout: &Layout) -> usize {
    let slot = &layout.model[0];
    slot.base + (slot.mask_row() << slot.unit_bits)
}

fn in_mask_row(mut proved: Proved, lies: bool) -> Result<(), VerifyError> {
    // All of this small model lies in one row, whose commitment gets one more cell.
    let column = mask_row(&proved.layout());
    let mut commitment = proved.registered.commitment().clone();
    assert_eq!(commitment.rows.len(), 1);
    let base = crate::common::setup().bases[column];
    let sum: verifier::Curve = base * F::from(HIDDEN as u64) + commitment.rows[0];
    commitment.rows[0] = sum.into();
    proved.registered = RegisteredModel::trusted(commitment);
    let proof = proved.prove_with(1, &mut MaskRow { lies });
    proved.verify(&proof)
}

#[test]
fn a_weight_in_a_mask_row_changes_no_claim() {
    assert_eq!(in_mask_row(step(), false), Ok(()));
    assert_eq!(in_mask_row(flipped(), false), Err(VerifyError::Failed(Check::Samples)));
    assert_eq!(in_mask_row(flipped(), true), Err(VerifyError::Failed(Check::Closing)));
}
