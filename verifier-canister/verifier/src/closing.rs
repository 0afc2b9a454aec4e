//! The closing proof: one small `halo2_proofs` PLONK proof that the committed combined row fits the opening claim.
//!
//! Columns: advice `u` (combined row), `z` (mask of the opening sumcheck), `acc`; instance `weight`; fixed
//! selectors. Rows `0..2^c` read `u`, row `2^c` holds the value, the rows after it read `z`:
//!
//! ```text
//! acc' = acc + weight·u        row < 2^c           weight = R, the column part of eq(r*, ·)
//! acc' = acc - weight          row = 2^c           weight = the claimed value
//! acc' = acc + weight·z        2^c < row < END     weight = rho·(monomials of r*), then zeros
//! acc  = 0                     row = 0 and row = END
//! ```
//!
//! Its first two advice commitments must be `C_u` and `C_z`, which the verifier knows: that binds it to the tapes.

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Error, Fixed, Instance, SingleVerifier, verify_proof,
    },
    poly::Rotation,
};

use crate::{
    Check, F, Point, Setup, VerifyError,
    ff::Field,
    layout::{OPENING_DEGREE, ROW, ROW_BITS},
    opening::{self, Opened},
    sumcheck::{Reduced, mask_monomials},
    transcript::Reader,
};

/// Bits of the closing circuit's rows.
pub const CLOSING_BITS: u32 = 9;
/// Rows that halo2 fills with blinding values, at the end of each advice column.
pub const BLINDING_ROWS: usize = 6;
/// Row of the accumulator's end.
pub const END: usize = (1 << CLOSING_BITS) - BLINDING_ROWS - 1;
/// First row that reads the mask.
pub const MASK_START: usize = ROW + 1;
/// Bytes of a closing proof.
pub const CLOSING_BYTES: usize = 1280;

const _: () =
    assert!(ROW_BITS + 1 == CLOSING_BITS as usize, "the row and the mask fill half of the column each");
const _: () = assert!(
    MASK_START + 1 + OPENING_DEGREE * crate::layout::MAX_ADDRESS_BITS < END,
    "the opening mask must fit behind the row"
);

/// Columns of the circuit.
#[derive(Debug, Clone)]
pub struct Columns {
    row: Column<Advice>,
    mask: Column<Advice>,
    sum: Column<Advice>,
    weight: Column<Instance>,
    reads_row: Column<Fixed>,
    reads_value: Column<Fixed>,
    reads_mask: Column<Fixed>,
    ends: Column<Fixed>,
}

/// The circuit with its witness; empty for making keys.
#[derive(Debug, Clone, Default)]
pub struct ClosingCircuit {
    /// The combined row, [`ROW`] values.
    pub row: Vec<F>,
    /// Coefficients of the opening mask.
    pub mask: Vec<F>,
    /// The instance column.
    pub weights: Vec<F>,
}

impl Circuit<F> for ClosingCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self::default()
    }

    fn configure(system: &mut ConstraintSystem<F>) -> Columns {
        let columns = Columns {
            row: system.advice_column(),
            mask: system.advice_column(),
            sum: system.advice_column(),
            weight: system.instance_column(),
            reads_row: system.fixed_column(),
            reads_value: system.fixed_column(),
            reads_mask: system.fixed_column(),
            ends: system.fixed_column(),
        };
        system.create_gate("accumulate", |cells| {
            let row = cells.query_advice(columns.row, Rotation::cur());
            let mask = cells.query_advice(columns.mask, Rotation::cur());
            let sum = cells.query_advice(columns.sum, Rotation::cur());
            let next = cells.query_advice(columns.sum, Rotation::next());
            let weight = cells.query_instance(columns.weight, Rotation::cur());
            let reads_row = cells.query_fixed(columns.reads_row);
            let reads_value = cells.query_fixed(columns.reads_value);
            let reads_mask = cells.query_fixed(columns.reads_mask);
            let ends = cells.query_fixed(columns.ends);
            let active = reads_row.clone() + reads_value.clone() + reads_mask.clone();
            let read = reads_row * row + reads_mask * mask - reads_value;
            [active * (next - sum.clone()) - read * weight, ends * sum]
        });
        columns
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<F>) -> Result<(), Error> {
        let weights = |index: usize| self.weights.get(index).copied().unwrap_or(F::ZERO);
        layouter.assign_region(
            || "closing",
            |mut region| {
                let mut sum = F::ZERO;
                for index in 0..=END {
                    let selector = match index {
                        _ if index < ROW => columns.reads_row,
                        _ if index == ROW => columns.reads_value,
                        _ => columns.reads_mask,
                    };
                    if index < END {
                        region.assign_fixed(|| "reads", selector, index, || Value::known(F::ONE))?;
                    }
                    if index == 0 || index == END {
                        region.assign_fixed(|| "ends", columns.ends, index, || Value::known(F::ONE))?;
                    }
                    let row = self.row.get(index).copied().unwrap_or(F::ZERO);
                    let mask = index.checked_sub(MASK_START).and_then(|index| self.mask.get(index));
                    let mask = mask.copied().unwrap_or(F::ZERO);
                    region.assign_advice(|| "row", columns.row, index, || Value::known(row))?;
                    region.assign_advice(|| "mask", columns.mask, index, || Value::known(mask))?;
                    region.assign_advice(|| "sum", columns.sum, index, || Value::known(sum))?;
                    sum += match index {
                        _ if index < ROW => weights(index) * row,
                        _ if index == ROW => -weights(index),
                        _ => weights(index) * mask,
                    };
                }
                Ok(())
            },
        )
    }
}

/// The instance column: what multiplies the combined row, the claimed value, what multiplies the mask.
pub fn weights(reduced: &Reduced) -> Vec<F> {
    let mut weights = opening::column_weights(&reduced.point);
    weights.push(reduced.claim);
    weights.extend(mask_monomials(&reduced.point, OPENING_DEGREE).iter().map(|power| power * reduced.rho));
    weights
}

/// Checks the closing proof, which is all that is left to read; `mask` is the commitment `C_z` of the opening mask.
pub fn verify(
    setup: &Setup,
    reader: Reader<'_>,
    proof: &[u8],
    opened: &Opened,
    mask: &Point,
) -> Result<(), VerifyError> {
    use crate::group::GroupEncoding as _;
    let closing = proof.get(reader.position()..).unwrap_or_default();
    let expected = [opened.combined.to_bytes(), mask.to_bytes()].concat();
    if closing.get(..expected.len()) != Some(expected.as_slice()) {
        return Err(VerifyError::Failed(Check::ClosingCommitments));
    }
    let weights = weights(&opened.reduced);
    let strategy = SingleVerifier::new(&setup.params);
    verify_proof(&setup.params, &setup.key, strategy, &[&[&weights]], &mut reader.into_halo2())
        .map_err(|_| VerifyError::Failed(Check::Closing))
}
