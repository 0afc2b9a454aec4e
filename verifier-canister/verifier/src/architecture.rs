//! The public part of a model: everything but weights and biases.

use audit::AuditError;
use audit::{
    Activation, Decision, Digest, Layer, Model, Table,
    codec::{self, Reader},
    model::{MAX_LAYERS, MAX_PARAMETERS, MAX_TABLES, MAX_UNITS},
    schema::{MAX_CLASSES, MAX_COLUMNS},
};

/// First eight bytes of an architecture.
pub const ARCHITECTURE_MAGIC: &[u8; 8] = b"ASSAYAR\x01";

/// Shape and function of one dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerShape {
    /// D, activations read.
    pub inputs: u32,
    /// H, activations made.
    pub units: u32,
    /// w, bits dropped from the accumulator: 1 to 16.
    pub shift: u8,
    /// Applied to each requantized unit.
    pub activation: Activation,
}

/// A validated model without its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// Short name.
    pub name: String,
    /// Digest of the feature encoding and classes it was made for.
    pub encoding: Digest,
    /// Number of classes K.
    pub classes: u8,
    /// B, bits of a requantized value: 2 to 16.
    pub activation_bits: u8,
    /// Tables that layers refer to.
    pub tables: Vec<Table>,
    /// How a class is chosen.
    pub decision: Decision,
    /// 1 to [`MAX_LAYERS`] layers.
    pub layers: Vec<LayerShape>,
}

impl Architecture {
    /// The public part of a validated model. The digest of the ONNX file is left out: it tells about the weights.
    pub fn of(model: &Model) -> Self {
        let shape = |layer: &Layer| LayerShape {
            inputs: layer.inputs,
            units: layer.units,
            shift: layer.shift,
            activation: layer.activation,
        };
        Self {
            name: model.name.clone(),
            encoding: model.encoding,
            classes: model.classes,
            activation_bits: model.activation_bits,
            tables: model.tables.clone(),
            decision: model.decision,
            layers: model.layers.iter().map(shape).collect(),
        }
    }

    /// Parses and validates an architecture; trailing bytes are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuditError> {
        let mut reader = Reader::new(bytes);
        reader.magic("an architecture", ARCHITECTURE_MAGIC)?;
        let name = reader.text("model name")?;
        let encoding = Digest(reader.array("encoding digest")?);
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
            .map(|_| read_layer(&mut reader))
            .collect::<Result<_, AuditError>>()?;
        reader.end("architecture")?;
        let architecture = Self { name, encoding, classes, activation_bits, tables, decision, layers };
        architecture.validate()?;
        Ok(architecture)
    }

    /// The bytes that [`Architecture::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = ARCHITECTURE_MAGIC.to_vec();
        codec::put_text(&mut out, &self.name);
        out.extend_from_slice(&self.encoding.0);
        out.extend_from_slice(&[self.classes, self.activation_bits, count(self.tables.len())]);
        for table in &self.tables {
            codec::put_text(&mut out, &table.name);
            table.values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        }
        let decision = match self.decision {
            Decision::Step => 0,
            Decision::ArgMax => 1,
        };
        out.extend_from_slice(&[decision, count(self.layers.len())]);
        for layer in &self.layers {
            out.extend_from_slice(&layer.inputs.to_le_bytes());
            out.extend_from_slice(&layer.units.to_le_bytes());
            out.push(layer.shift);
            out.extend_from_slice(&match layer.activation {
                Activation::Identity => [0, 0],
                Activation::Relu => [1, 0],
                Activation::Step => [2, 0],
                Activation::Table(index) => [3, index],
            });
        }
        out
    }

    /// Number of features it reads.
    pub fn inputs(&self) -> u32 {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> u64 {
        self.layers.iter().map(|layer| u64::from(layer.units) * (u64::from(layer.inputs) + 1)).sum()
    }

    /// One text per layer, e.g. `dense 55 x 16, relu`.
    pub fn describe_layers(&self) -> Vec<String> {
        let describe =
            |layer: &LayerShape| layer.activation.describe_layer(layer.inputs, layer.units, &self.tables);
        self.layers.iter().map(describe).collect()
    }

    /// Fails when a size, reference or value is outside its bounds.
    pub fn validate(&self) -> Result<(), AuditError> {
        codec::check_text("model name", &self.name)?;
        codec::in_range("number of classes", 2, MAX_CLASSES.into(), self.classes.into())?;
        codec::in_range("activation bits", 2, 16, self.activation_bits.into())?;
        codec::in_range("number of tables", 0, MAX_TABLES.into(), length(self.tables.len()))?;
        codec::in_range("number of layers", 1, MAX_LAYERS.into(), length(self.layers.len()))?;
        let half = 1_i64 << (self.activation_bits - 1);
        for table in &self.tables {
            codec::check_text("table name", &table.name)?;
            same("table length", 2 * half, length(table.values.len()))?;
            for &value in &table.values {
                codec::in_range("table value", -half, half - 1, value.into())?;
            }
        }
        let mut inputs = self.inputs();
        for layer in &self.layers {
            same("layer inputs", inputs.into(), layer.inputs.into())?;
            codec::in_range("layer inputs", 1, MAX_COLUMNS.into(), layer.inputs.into())?;
            codec::in_range("layer units", 1, MAX_UNITS.into(), layer.units.into())?;
            codec::in_range("layer shift", 1, 16, layer.shift.into())?;
            if let Activation::Table(index) = layer.activation {
                codec::in_range("table index", 0, length(self.tables.len()) - 1, index.into())?;
            }
            inputs = layer.units;
        }
        let parameters = i64::try_from(self.parameters()).unwrap_or(i64::MAX);
        codec::in_range("parameters", 1, i64::try_from(MAX_PARAMETERS).unwrap_or(0), parameters)?;
        self.validate_decision()
    }

    /// The last layer must end in a decision: one step unit, or one unit per class.
    fn validate_decision(&self) -> Result<(), AuditError> {
        let Some(last) = self.layers.last() else { return Ok(()) };
        match self.decision {
            Decision::Step => {
                same("classes of a step decision", 2, self.classes.into())?;
                same("units of a step decision", 1, last.units.into())?;
                same("step as last activation", 1, i64::from(last.activation == Activation::Step))
            }
            Decision::ArgMax => same("units of an arg-max decision", self.classes.into(), last.units.into()),
        }
    }
}

fn read_layer(reader: &mut Reader<'_>) -> Result<LayerShape, AuditError> {
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
    Ok(LayerShape { inputs, units, shift, activation })
}

fn same(what: &'static str, expected: i64, got: i64) -> Result<(), AuditError> {
    if expected != got {
        let (expected, got) = (expected.unsigned_abs(), got.unsigned_abs());
        return Err(AuditError::Mismatch { what, expected, got });
    }
    Ok(())
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count that validation keeps below 256.
fn count(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}
