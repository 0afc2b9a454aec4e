//! The exact integer model: dense layers over signed 16-bit activations. Its digest is the SHA-256 of its bytes.
//!
//! Layer `l` maps activations `x` (D values) to `H` units:
//!
//! ```text
//! Y_j = sum_k W[j][k]·x_k + b_j               exact, 64 bits
//! q_j = floor((Y_j + 2^(w-1)) / 2^w)          round half up, w = shift
//! x'_j = f(q_j)                               q_j must lie in [-2^(B-1), 2^(B-1)), else an error
//! ```
//!
//! `f` is identity, relu, step (`q > 0`) or a table of `2^B` values. The decision is the last layer's single
//! step unit, or the smallest index among the largest units.
//!
//! Bytes: magic `ASSAYMD` 01, name, encoding digest, source digest, `classes: u8`, `B: u8`, tables, decision,
//! layers; `docs/formats.md` has the full table.

use crate::{
    AuditError, Digest,
    codec::{self, Reader},
    dataset::MAX_FEATURE,
    schema::{MAX_CLASSES, MAX_COLUMNS},
};

/// First eight bytes of a model.
pub const MODEL_MAGIC: &[u8; 8] = b"ASSAYMD\x01";
/// Most layers.
pub const MAX_LAYERS: u8 = 8;
/// Most units of a layer.
pub const MAX_UNITS: u32 = 4096;
/// Most weights and biases of a model.
pub const MAX_PARAMETERS: u64 = 4 << 20;
/// Most tables.
pub const MAX_TABLES: u8 = MAX_LAYERS;
/// Largest absolute weight.
pub const MAX_WEIGHT: i16 = i16::MAX;
/// Largest bias: two balanced 16-bit limbs must hold it.
pub const MAX_BIAS: i32 = (i16::MAX as i32) * (1 << 16) + i16::MAX as i32;

/// A lookup table from `q + 2^(B-1)` to an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What the table holds, e.g. `sigmoid`.
    pub name: String,
    /// `2^B` values in `[-2^(B-1), 2^(B-1))`.
    pub values: Vec<i16>,
}

/// The function applied to a requantized accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `q`.
    Identity,
    /// `max(q, 0)`.
    Relu,
    /// 1 if `q > 0`, else 0.
    Step,
    /// The table with this index.
    Table(u8),
}

/// How the last layer's activations become a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// One unit with [`Activation::Step`]: class 1 or class 0.
    Step,
    /// One unit per class: the smallest index with the largest value.
    ArgMax,
}

/// One dense layer, `units × inputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// D, activations read.
    pub inputs: u32,
    /// H, activations made.
    pub units: u32,
    /// w, bits dropped from the accumulator: 1 to 16.
    pub shift: u8,
    /// Applied to each requantized unit.
    pub activation: Activation,
    /// `units × inputs`, one unit's weights after the other.
    pub weights: Vec<i16>,
    /// One per unit, at the accumulator's scale.
    pub bias: Vec<i32>,
}

/// A validated integer model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Short name.
    pub name: String,
    /// [`crate::Schema::encoding`] of the datasets it can be audited on.
    pub encoding: Digest,
    /// SHA-256 of the ONNX file it was made from.
    pub source: Digest,
    /// Number of classes K.
    pub classes: u8,
    /// B, bits of a requantized value: 2 to 16.
    pub activation_bits: u8,
    /// Tables that layers refer to.
    pub tables: Vec<Table>,
    /// How a class is chosen.
    pub decision: Decision,
    /// 1 to [`MAX_LAYERS`] layers; each reads what the one before makes.
    pub layers: Vec<Layer>,
}

impl Model {
    /// Parses and validates a model; trailing bytes are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(bytes);
        reader.magic("a model", MODEL_MAGIC)?;
        let name = reader.text("model name")?;
        let encoding = Digest(reader.array("encoding digest")?);
        let source = Digest(reader.array("source digest")?);
        let classes = reader.u8_in("number of classes", 2, MAX_CLASSES)?;
        let activation_bits = reader.u8_in("activation bits", 2, 16)?;
        let tables = (0..reader.u8_in("number of tables", 0, MAX_TABLES)?)
            .map(|_| {
                let name = reader.text("table name")?;
                Ok(Table { name, values: reader.i16s("table", 1 << activation_bits)? })
            })
            .collect::<Result<_, AuditError>>()?;
        let decision = match reader.u8_in("decision", 0, 1)? {
            0 => Decision::Step,
            _ => Decision::ArgMax,
        };
        let layers = (0..reader.u8_in("number of layers", 1, MAX_LAYERS)?)
            .map(|_| Layer::read(&mut reader))
            .collect::<Result<_, AuditError>>()?;
        reader.end("model")?;
        let model = Self { name, encoding, source, classes, activation_bits, tables, decision, layers };
        model.validate()?;
        Ok(model)
    }

    /// The bytes that [`Model::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MODEL_MAGIC.to_vec();
        codec::put_text(&mut out, &self.name);
        out.extend_from_slice(&self.encoding.0);
        out.extend_from_slice(&self.source.0);
        out.extend_from_slice(&[self.classes, self.activation_bits, self.tables.len() as u8]);
        for table in &self.tables {
            codec::put_text(&mut out, &table.name);
            table.values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        }
        out.extend_from_slice(&[self.decision as u8, self.layers.len() as u8]);
        self.layers.iter().for_each(|layer| layer.put(&mut out));
        out
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> u64 {
        self.layers.iter().map(|layer| u64::from(layer.units) * (u64::from(layer.inputs) + 1)).sum()
    }

    /// Number of features it reads.
    pub fn inputs(&self) -> u32 {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// One text per layer, e.g. `dense 55 x 16, relu`.
    pub fn describe_layers(&self) -> Vec<String> {
        let describe =
            |layer: &Layer| layer.activation.describe_layer(layer.inputs, layer.units, &self.tables);
        self.layers.iter().map(describe).collect()
    }

    /// Smallest and largest value that a unit with `activation` can take; 16-bit inputs before the first layer.
    pub(crate) fn activation_range(&self, activation: Activation) -> (i16, i16) {
        let top = ((1_i32 << (self.activation_bits - 1)) - 1) as i16;
        match activation {
            Activation::Identity => (-top - 1, top),
            Activation::Relu => (0, top),
            Activation::Step => (0, 1),
            Activation::Table(index) => {
                let values = self.tables.get(usize::from(index)).map(|table| table.values.as_slice());
                let values = values.unwrap_or_default();
                (values.iter().copied().min().unwrap_or(0), values.iter().copied().max().unwrap_or(0))
            }
        }
    }

    /// Fails when a size, reference or value is outside its bounds.
    pub fn validate(&self) -> Result<(), AuditError> {
        codec::check_text("model name", &self.name)?;
        codec::in_range("number of classes", 2, MAX_CLASSES.into(), self.classes.into())?;
        codec::in_range("activation bits", 2, 16, self.activation_bits.into())?;
        codec::in_range("number of tables", 0, MAX_TABLES.into(), self.tables.len() as i64)?;
        codec::in_range("number of layers", 1, MAX_LAYERS.into(), self.layers.len() as i64)?;
        let half = 1_i64 << (self.activation_bits - 1);
        for table in &self.tables {
            codec::check_text("table name", &table.name)?;
            same("table length", 1 << self.activation_bits, table.values.len() as u64)?;
            for &value in &table.values {
                codec::in_range("table value", -half, half - 1, value.into())?;
            }
        }
        let mut inputs = self.inputs();
        for layer in &self.layers {
            same("layer inputs", inputs.into(), layer.inputs.into())?;
            layer.validate(self.tables.len())?;
            inputs = layer.units;
        }
        codec::in_range("parameters", 1, MAX_PARAMETERS as i64, self.parameters() as i64)?;
        self.validate_decision()
    }

    fn validate_decision(&self) -> Result<(), AuditError> {
        let Some(last) = self.layers.last() else { return Ok(()) };
        match self.decision {
            Decision::Step => {
                same("classes of a step decision", 2, self.classes.into())?;
                same("units of a step decision", 1, last.units.into())?;
                if last.activation != Activation::Step {
                    return Err(AuditError::OutOfRange {
                        what: "last activation (step = 2)",
                        min: 2,
                        max: 2,
                        got: last.activation.code()[0].into(),
                    });
                }
                Ok(())
            }
            Decision::ArgMax => same("units of an arg-max decision", self.classes.into(), last.units.into()),
        }
    }
}

impl Activation {
    /// A layer with this activation in words, e.g. `dense 55 x 16, relu`.
    pub fn describe_layer(self, inputs: u32, units: u32, tables: &[Table]) -> String {
        let activation = match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Step => "step",
            Self::Table(index) => tables.get(usize::from(index)).map_or("", |table| table.name.as_str()),
        };
        format!("dense {inputs} x {units}, {activation}")
    }

    fn code(self) -> [u8; 2] {
        match self {
            Self::Identity => [0, 0],
            Self::Relu => [1, 0],
            Self::Step => [2, 0],
            Self::Table(index) => [3, index],
        }
    }
}

impl Layer {
    fn read(reader: &mut Reader<'_>) -> Result<Self, AuditError> {
        let inputs = reader.u32_in("layer inputs", 1, MAX_COLUMNS.into())?;
        let units = reader.u32_in("layer units", 1, MAX_UNITS)?;
        let shift = reader.u8_in("layer shift", 1, 16)?;
        let kind = reader.u8_in("activation", 0, 3)?;
        let index = reader.u8_in("table index", 0, if kind == 3 { MAX_TABLES - 1 } else { 0 })?;
        let activation = match kind {
            0 => Activation::Identity,
            1 => Activation::Relu,
            2 => Activation::Step,
            _ => Activation::Table(index),
        };
        let count = inputs as usize * units as usize;
        let weights = reader.i16s("weights", count)?;
        let bias = reader.i32s("bias", units as usize)?;
        Ok(Self { inputs, units, shift, activation, weights, bias })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.inputs.to_le_bytes());
        out.extend_from_slice(&self.units.to_le_bytes());
        out.push(self.shift);
        out.extend_from_slice(&self.activation.code());
        self.weights.iter().for_each(|weight| out.extend_from_slice(&weight.to_le_bytes()));
        self.bias.iter().for_each(|bias| out.extend_from_slice(&bias.to_le_bytes()));
    }

    fn validate(&self, tables: usize) -> Result<(), AuditError> {
        codec::in_range("layer inputs", 1, MAX_COLUMNS.into(), self.inputs.into())?;
        codec::in_range("layer units", 1, MAX_UNITS.into(), self.units.into())?;
        codec::in_range("layer shift", 1, 16, self.shift.into())?;
        if let Activation::Table(index) = self.activation {
            codec::in_range("table index", 0, tables as i64 - 1, index.into())?;
        }
        same("number of weights", u64::from(self.inputs) * u64::from(self.units), self.weights.len() as u64)?;
        same("number of biases", self.units.into(), self.bias.len() as u64)?;
        for &weight in &self.weights {
            codec::in_range("weight", (-MAX_WEIGHT).into(), MAX_WEIGHT.into(), weight.into())?;
        }
        for &bias in &self.bias {
            codec::in_range("bias", (-MAX_BIAS).into(), MAX_BIAS.into(), bias.into())?;
        }
        Ok(())
    }
}

/// Inputs of the first layer lie in `[-MAX_FEATURE, MAX_FEATURE]`.
pub(crate) const FEATURE_RANGE: (i16, i16) = (-MAX_FEATURE, MAX_FEATURE);

fn same(what: &'static str, expected: u64, got: u64) -> Result<(), AuditError> {
    if expected != got {
        return Err(AuditError::Mismatch { what, expected, got });
    }
    Ok(())
}
