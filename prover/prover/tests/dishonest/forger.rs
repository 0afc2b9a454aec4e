//! A prover that lies up to the closing proof and then fills its columns at will.

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error},
};
use prover::{
    ProveError, ProverSetup, Randomness,
    audit_proof::Tapes,
    closing::{self, Blinding, Combined, prove_circuit},
    sabotage::{Factors, Saboteur},
    transcript::Writer,
};
use verifier::{
    Curve, F, Layout, Point, Tape as Name,
    closing::{END, MASK_START, weights},
    ff::Field as _,
    layout::ROW,
    opening::row_weights,
};

use crate::common::{
    Proved,
    cells::{Cell, Cells},
};

/// A value added to a committed row behind the back of everything that was proved about it.
#[derive(Debug, Clone, Copy)]
pub struct Added {
    pub tape: Name,
    /// Index of the row in the address space.
    pub row: usize,
    /// A generator: below `ROW` a cell, else a row of the closing circuit that tapes do not have.
    pub column: usize,
    pub value: F,
}

/// Combined row, opening mask and accumulator, `END + 1` values each.
pub type Columns = [Vec<F>; 3];
/// Changes columns; knows the instance.
pub type Change = dyn Fn(&mut Columns, &[F]);
/// The accumulator.
pub const SUM: usize = 2;

/// What is forged; nothing by default.
pub struct Forger<'p> {
    pub proved: &'p Proved,
    /// A sample whose decision is 1, without a reason.
    pub false_decision: Option<usize>,
    /// Values of `C_d` outside of the reserved rows.
    pub blinding: Vec<(usize, F)>,
    /// Values of `C_z` beside the mask's coefficients.
    pub mask: Vec<(usize, F)>,
    pub added: Vec<Added>,
    /// Whether the closing proof is about what was committed, or about what should have been.
    pub admits: bool,
    /// Done to the closing proof's columns.
    pub columns: Box<Change>,
}

impl<'p> Forger<'p> {
    pub fn new(proved: &'p Proved) -> Self {
        Self {
            proved,
            false_decision: None,
            blinding: Vec::new(),
            mask: Vec::new(),
            added: Vec::new(),
            admits: true,
            columns: Box::new(|_, _| ()),
        }
    }

    /// What the verifier says.
    pub fn verdict(&mut self) -> Result<(), verifier::VerifyError> {
        let proof = self.proved.prove_with(1, self);
        self.proved.verify(&proof)
    }
}

fn column(values: &[(usize, F)]) -> Vec<F> {
    let mut column = vec![F::ZERO; END + 1];
    values.iter().for_each(|&(row, value)| column[row] += value);
    column
}

fn mask_column(coefficients: &[F], beside: &[(usize, F)]) -> Vec<F> {
    let mut column = column(beside);
    column[MASK_START..].iter_mut().zip(coefficients).for_each(|(cell, value)| *cell += value);
    column
}

/// What the circuit's gates make of the columns.
pub fn accumulate([row, mask, sum]: &mut Columns, weights: &[F]) {
    for index in 0..END {
        let weight = weights.get(index).copied().unwrap_or(F::ZERO);
        sum[index + 1] = sum[index]
            + match index {
                _ if index < ROW => weight * row[index],
                ROW => -weight,
                _ => weight * mask[index],
            };
    }
}

impl Saboteur for Forger<'_> {
    fn lies_about_masks(&self) -> bool {
        true
    }

    fn tapes(&mut self, layout: &Layout, tapes: &mut Tapes<'_>) {
        if let Some(sample) = self.false_decision {
            let mut cells = Cells { architecture: &self.proved.architecture, layout, tapes };
            cells.set(Cell { tape: Name::X, slot: 1, sample, unit: 0 }, 1);
        }
    }

    fn commitments(&mut self, setup: &ProverSetup, tape: Name, rows: &mut [Point]) {
        let places = self.proved.layout().rows(tape);
        for added in self.added.iter().filter(|added| added.tape == tape) {
            let place = places.iter().position(|&row| row == added.row).unwrap();
            let sum: Curve = setup.bases[added.column] * added.value + rows[place];
            rows[place] = sum.into();
        }
    }

    fn row_commitment(&mut self, setup: &ProverSetup, blinding: &Blinding) -> Point {
        blinding.commit(setup, 0, &column(&self.blinding))
    }

    fn mask_commitment(&mut self, setup: &ProverSetup, mask: &[F], blinding: &Blinding) -> Point {
        blinding.commit(setup, 0, &mask_column(mask, &self.mask))
    }

    fn close(
        &mut self,
        setup: &ProverSetup,
        writer: &mut Writer,
        combined: Combined<'_>,
        factors: Factors<'_>,
        randomness: &mut Randomness,
    ) -> Result<(), ProveError> {
        if !self.admits {
            return closing::prove(setup, writer, combined, randomness);
        }
        let mut row = combined.row.clone();
        row.resize(END + 1, F::ZERO);
        self.blinding.iter().for_each(|&(index, value)| row[index] += factors.gamma * value);
        let lhs = row_weights(&combined.reduced.point);
        for added in &self.added {
            let (_, factor) = factors.tapes.iter().find(|(tape, _)| *tape == added.tape).unwrap();
            row[added.column] += *factor * lhs[added.row] * added.value;
        }
        let weights = weights(combined.reduced);
        let mut columns = [row, mask_column(combined.mask, &self.mask), vec![F::ZERO; END + 1]];
        accumulate(&mut columns, &weights);
        (self.columns)(&mut columns, &weights);
        let blindings = [&combined.row_blinding, combined.mask_blinding];
        prove_circuit(setup, writer, &Filled(columns), &weights, blindings, randomness)
    }
}

/// The closing circuit's columns with any values in them; the gates are the key's.
#[derive(Debug, Clone)]
pub struct Filled(pub Columns);

impl Circuit<F> for Filled {
    type Config = [Column<Advice>; 3];
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(system: &mut ConstraintSystem<F>) -> Self::Config {
        let columns = [system.advice_column(), system.advice_column(), system.advice_column()];
        system.instance_column();
        (0..4).for_each(|_| {
            system.fixed_column();
        });
        columns
    }

    fn synthesize(&self, columns: Self::Config, mut layouter: impl Layouter<F>) -> Result<(), Error> {
        layouter.assign_region(
            || "filled",
            |mut region| {
                for (column, values) in columns.iter().zip(&self.0) {
                    for (row, &value) in values.iter().enumerate() {
                        region.assign_advice(|| "value", *column, row, || Value::known(value))?;
                    }
                }
                Ok(())
            },
        )
    }
}
