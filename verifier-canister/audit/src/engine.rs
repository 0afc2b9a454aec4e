//! Runs a [`Model`] on one sample at a time, exactly and with equal results on every machine.

use std::fmt;

use crate::{
    Activation, AuditError, Decision, Model,
    dot::{self, Block, Sums},
    model::FEATURE_RANGE,
};

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

/// Evaluates one model; owns its weights in blocks and the scratch space of two layers.
#[derive(Debug)]
pub struct Engine {
    layers: Vec<Prepared>,
    decision: Decision,
    inputs: usize,
    /// `2^(B-1)`.
    half: i64,
    current: Vec<i16>,
    next: Vec<i16>,
    blocks: Vec<Block>,
    products: Vec<i64>,
}

#[derive(Debug)]
struct Prepared {
    /// One unit's weights after the other, in as many blocks each as the inputs take.
    weights: Vec<Block>,
    sums: Sums,
    bias: Vec<i64>,
    shift: u8,
    function: Function,
}

#[derive(Debug)]
enum Function {
    Identity,
    Relu,
    Step,
    Table(Vec<i16>),
}

impl Engine {
    /// Prepares a validated model.
    pub fn new(model: &Model) -> Self {
        let mut range = FEATURE_RANGE;
        let mut layers = Vec::with_capacity(model.layers.len());
        for layer in &model.layers {
            let bound = i64::from(range.0).abs().max(i64::from(range.1).abs());
            range = model.activation_range(layer.activation);
            let inputs = layer.inputs as usize;
            let width = inputs.div_ceil(dot::LANES);
            let mut weights = Vec::with_capacity(width * layer.units as usize);
            let mut sums = Sums::Narrow;
            for row in layer.weights.chunks_exact(inputs) {
                dot::append_blocks(&mut weights, row);
                if !fits_in_i32(row, bound) {
                    sums = Sums::Wide;
                }
            }
            let bias = layer.bias.iter().map(|&bias| bias.into()).collect();
            let function = match layer.activation {
                Activation::Identity => Function::Identity,
                Activation::Relu => Function::Relu,
                Activation::Step => Function::Step,
                Activation::Table(index) => Function::Table(
                    model.tables.get(usize::from(index)).map_or_else(Vec::new, |t| t.values.clone()),
                ),
            };
            layers.push(Prepared { weights, sums, bias, shift: layer.shift, function });
        }
        Self {
            layers,
            decision: model.decision,
            inputs: model.inputs() as usize,
            half: 1 << (model.activation_bits - 1),
            current: Vec::new(),
            next: Vec::new(),
            blocks: Vec::new(),
            products: Vec::new(),
        }
    }

    /// The class of one sample.
    pub fn decide(&mut self, features: impl Iterator<Item = i16>) -> Result<u8, EngineError> {
        let decision = self.decision;
        let outputs = self.run(features)?;
        Ok(match decision {
            Decision::Step => u8::from(outputs.first() == Some(&1)),
            Decision::ArgMax => arg_max(outputs),
        })
    }

    /// The last layer's activations for one sample.
    pub fn run(&mut self, features: impl Iterator<Item = i16>) -> Result<&[i16], EngineError> {
        self.current.clear();
        self.current.extend(features.take(self.inputs + 1));
        if self.current.len() != self.inputs {
            let (expected, got) = (self.inputs as u32, self.current.len() as u32);
            return Err(EngineError::WrongWidth { expected, got });
        }
        for (index, layer) in self.layers.iter().enumerate() {
            self.blocks.clear();
            dot::append_blocks(&mut self.blocks, &self.current);
            self.products.clear();
            dot::multiply(layer.sums, &layer.weights, &self.blocks, &mut self.products);
            self.next.clear();
            for (number, (product, bias)) in self.products.iter().zip(&layer.bias).enumerate() {
                let value = requantize(product + bias, layer.shift);
                if value < -self.half || value >= self.half {
                    return Err(OutOfTable { layer: index as u8 + 1, unit: number as u32, value }.into());
                }
                self.next.push(layer.function.apply(value, self.half));
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
        // `products` still holds those of the last layer.
        let Some(last) = self.layers.last() else { return Ok(Vec::new()) };
        Ok(self.products.iter().zip(&last.bias).map(|(product, bias)| product + bias).collect())
    }
}

impl Function {
    /// `f(q)` for `q` in `[-half, half)`.
    fn apply(&self, value: i64, half: i64) -> i16 {
        match self {
            Self::Identity => value as i16,
            Self::Relu => value.max(0) as i16,
            Self::Step => (value > 0).into(),
            Self::Table(values) => values.get((value + half) as usize).copied().unwrap_or_default(),
        }
    }
}

/// `floor((sum + 2^(shift-1)) / 2^shift)`: halves round up.
fn requantize(sum: i64, shift: u8) -> i64 {
    (sum + (1 << (shift - 1))) >> shift
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
