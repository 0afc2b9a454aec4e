//! Runs a [`Model`] on one sample at a time, exactly and with equal results on every machine.

use std::fmt;

use crate::{Activation, AuditError, Decision, Layer, Model, model::FEATURE_RANGE};

/// A requantized accumulator outside the activation's table: the model's calibration does not cover the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfTable {
    /// Layer, counted from 1.
    pub layer: u8,
    /// Unit, counted from 0.
    pub unit: u32,
    /// The requantized value q.
    pub value: i64,
}

impl fmt::Display for OutOfTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, unit, value } = self;
        write!(f, "layer {layer}, unit {unit}: the value {value} lies outside the activation's table")
    }
}

/// Evaluates one model; holds its weights and the scratch space of two layers.
#[derive(Debug)]
pub struct Engine<'m> {
    model: &'m Model,
    narrow: Vec<Vec<bool>>,
    current: Vec<i16>,
    next: Vec<i16>,
}

impl<'m> Engine<'m> {
    /// Prepares a validated model.
    pub fn new(model: &'m Model) -> Self {
        let widest =
            model.layers.iter().map(|layer| layer.units.max(layer.inputs)).max().unwrap_or(0) as usize;
        let mut range = FEATURE_RANGE;
        let narrow = model
            .layers
            .iter()
            .map(|layer| {
                let bound = i64::from(range.0).abs().max(i64::from(range.1).abs());
                range = model.activation_range(layer.activation);
                layer.weights.chunks_exact(layer.inputs as usize).map(|row| fits_in_i32(row, bound)).collect()
            })
            .collect();
        Self { model, narrow, current: Vec::with_capacity(widest), next: Vec::with_capacity(widest) }
    }

    /// The class of one sample. `features` are read into scratch space; their number must be the model's.
    pub fn decide(&mut self, features: impl Iterator<Item = i16>) -> Result<u8, EngineError> {
        let decision = self.model.decision;
        let outputs = self.run(features)?;
        Ok(match decision {
            Decision::Step => u8::from(outputs.first() == Some(&1)),
            Decision::ArgMax => arg_max(outputs),
        })
    }

    /// The last layer's activations for one sample.
    pub fn run(&mut self, features: impl Iterator<Item = i16>) -> Result<&[i16], EngineError> {
        let expected = self.model.inputs();
        self.current.clear();
        self.current.extend(features.take(expected as usize + 1));
        if self.current.len() != expected as usize {
            return Err(EngineError::WrongWidth { expected, got: self.current.len() as u32 });
        }
        for (index, layer) in self.model.layers.iter().enumerate() {
            self.next.clear();
            let rows = layer.weights.chunks_exact(layer.inputs as usize);
            for (unit, (row, &narrow)) in rows.zip(&self.narrow[index]).enumerate() {
                let sum = if narrow { dot_i32(row, &self.current) } else { dot_i64(row, &self.current) };
                let value = requantize(sum + i64::from(layer.bias[unit]), layer.shift);
                let out = activate(self.model, layer, value).ok_or(OutOfTable {
                    layer: index as u8 + 1,
                    unit: unit as u32,
                    value,
                })?;
                self.next.push(out);
            }
            std::mem::swap(&mut self.current, &mut self.next);
        }
        Ok(&self.current)
    }

    /// The accumulators `Y` of the last layer before requantization; for comparing scores with a float model.
    pub fn last_accumulators(
        &mut self,
        features: impl Iterator<Item = i16>,
    ) -> Result<Vec<i64>, EngineError> {
        self.run(features)?;
        let Some(last) = self.model.layers.last() else { return Ok(Vec::new()) };
        // After the last swap `next` holds what the last layer read.
        let rows = last.weights.chunks_exact(last.inputs as usize).zip(&last.bias);
        Ok(rows.map(|(row, &bias)| dot_i64(row, &self.next) + i64::from(bias)).collect())
    }
}

/// Why a sample could not be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The sample has another number of features than the model reads.
    #[error("the model reads {expected} features, the sample has {got}")]
    WrongWidth {
        /// Features the model reads.
        expected: u32,
        /// Features given (counted up to one more than expected).
        got: u32,
    },
    /// A value left its table.
    #[error("{0}")]
    OutOfTable(OutOfTable),
}

impl From<OutOfTable> for EngineError {
    fn from(cause: OutOfTable) -> Self {
        Self::OutOfTable(cause)
    }
}

impl EngineError {
    /// Adds the sample's row, for the owner's report.
    pub fn at(self, sample: u32) -> AuditError {
        match self {
            Self::WrongWidth { expected, got } => AuditError::Mismatch {
                what: "features of a sample",
                expected: expected.into(),
                got: got.into(),
            },
            Self::OutOfTable(cause) => AuditError::OutOfTable { sample, cause },
        }
    }
}

/// `floor((sum + 2^(shift-1)) / 2^shift)`: halves round up.
fn requantize(sum: i64, shift: u8) -> i64 {
    (sum + (1 << (shift - 1))) >> shift
}

fn activate(model: &Model, layer: &Layer, value: i64) -> Option<i16> {
    let half = 1_i64 << (model.activation_bits - 1);
    if value < -half || value >= half {
        return None;
    }
    match layer.activation {
        Activation::Identity => Some(value as i16),
        Activation::Relu => Some(value.max(0) as i16),
        Activation::Step => Some((value > 0).into()),
        Activation::Table(index) => {
            model.tables.get(usize::from(index))?.values.get((value + half) as usize).copied()
        }
    }
}

fn arg_max(values: &[i16]) -> u8 {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best as u8
}

/// Whether no partial sum of `row · x` with `|x| <= bound` can leave 32 bits.
fn fits_in_i32(row: &[i16], bound: i64) -> bool {
    row.iter().map(|&weight| i64::from(weight).abs()).sum::<i64>() * bound <= i64::from(i32::MAX)
}

/// Exact only when [`fits_in_i32`]; compiles to one dot-product instruction per eight products.
fn dot_i32(row: &[i16], x: &[i16]) -> i64 {
    let sum: i32 = row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).fold(0, i32::wrapping_add);
    sum.into()
}

fn dot_i64(row: &[i16], x: &[i16]) -> i64 {
    row.iter().zip(x).map(|(&w, &x)| i64::from(i32::from(w) * i32::from(x))).sum()
}
