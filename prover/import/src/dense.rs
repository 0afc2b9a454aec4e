//! The folded float model: dense layers in double precision on encoded features, without anything unused.

use std::rc::Rc;

use audit::{
    Schema,
    model::{MAX_PARAMETERS, MAX_UNITS},
};

use crate::{
    ImportError,
    fold::{
        cell::Row,
        curve::Curve,
        decision::{Decision, Rule},
    },
};

/// One layer: `curve(weights·x + bias)`.
#[derive(Debug, Clone)]
pub struct Dense {
    /// Values read.
    pub inputs: usize,
    /// Values made.
    pub units: usize,
    /// `units × inputs`, one unit's weights after the other.
    pub weights: Vec<f64>,
    /// One per unit.
    pub bias: Vec<f64>,
    /// The activation function.
    pub curve: Rc<Curve>,
}

/// How the last layer's values choose a class of the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Class 1 where the one value is above 0.
    Step {
        /// Whether 0 counts as above.
        inclusive: bool,
    },
    /// The class of the largest value.
    Largest,
}

/// A float model on encoded features.
#[derive(Debug, Clone)]
pub struct FloatModel {
    /// Layers; the last has no curve.
    pub layers: Vec<Dense>,
    /// The decision.
    pub choice: Choice,
}

impl FloatModel {
    /// Takes over a decision whose outcome `i` is class `classes[i]`, with the schema's encoding as first affine step.
    pub fn new(decision: &Decision, classes: &[u8], schema: &Schema) -> Result<Self, ImportError> {
        let (rows, choice) = match &decision.rule {
            Rule::Step { row, inclusive } => {
                // Swapped labels: not above 0 becomes above.
                let swapped = classes.first() == Some(&1);
                let row = if swapped { Rc::new(row.affine(-1.0, 0.0)) } else { row.clone() };
                (vec![row], Choice::Step { inclusive: *inclusive != swapped })
            }
            Rule::Largest(rows) => {
                let mut ordered = rows.clone();
                for (row, &class) in rows.iter().zip(classes) {
                    ordered[usize::from(class)] = row.clone();
                }
                (centred(&ordered), Choice::Largest)
            }
        };
        let mut layers = Vec::new();
        let base = rows.iter().filter(|row| !row.is_constant()).map(|row| row.base).max().unwrap_or(0);
        let (mut above, mut curve) = (rows, Curve::input());
        // From the decision down, keeping only units that something above reads.
        for level in (0..=base).rev() {
            let width = if level == 0 {
                schema.columns.len()
            } else {
                decision.network.layers[level - 1].units.len()
            };
            let mut used: Vec<usize> = match level {
                0 => (0..width).collect(),
                _ => (0..width).filter(|&at| above.iter().any(|row| row.coefficient(at) != 0.0)).collect(),
            };
            if used.is_empty() {
                // A layer of which nothing is read still needs one input.
                used.push(0);
            }
            layers.push(Dense::new(&above, &used, curve)?);
            if level > 0 {
                let draft = &decision.network.layers[level - 1];
                above = used.iter().map(|&at| draft.units[at].clone()).collect();
                curve = draft.curve.clone();
            } else {
                curve = Curve::input();
            }
        }
        layers.reverse();
        if let Some(first) = layers.first_mut() {
            first.read_encoded(schema);
        }
        let model = Self { layers, choice };
        model.check()?;
        Ok(model)
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> u64 {
        self.layers.iter().map(|layer| (layer.weights.len() + layer.units) as u64).sum()
    }

    fn check(&self) -> Result<(), ImportError> {
        let widest = self.layers.iter().map(|layer| layer.units as u64).max().unwrap_or(0);
        if widest > MAX_UNITS.into() {
            return Err(ImportError::Limit { what: "units of a layer", max: MAX_UNITS.into(), got: widest });
        }
        if self.parameters() > MAX_PARAMETERS {
            return Err(ImportError::Limit { what: "weights", max: MAX_PARAMETERS, got: self.parameters() });
        }
        for (index, layer) in self.layers.iter().enumerate() {
            if !layer.weights.iter().chain(&layer.bias).all(|value| value.is_finite()) {
                return Err(ImportError::NonFinite { place: format!("layer {}", index + 1) });
            }
        }
        Ok(())
    }

    /// Pre-activations of every layer for one row of encoded features.
    pub fn trace(&self, features: &[f64]) -> Vec<Vec<f64>> {
        let mut x = features.to_vec();
        let mut trace = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let z = layer.before(&x);
            x = z.iter().map(|&z| layer.curve.at(z)).collect();
            trace.push(z);
        }
        trace
    }
}

/// Rows minus their mean: the largest stays the largest, and the values to be held get smaller.
fn centred(rows: &[Rc<Row>]) -> Vec<Rc<Row>> {
    let share = -1.0 / rows.len() as f64;
    let mean = Row::sum(rows.iter().map(|row| (share, row.as_ref())));
    rows.iter().map(|row| Rc::new(Row::sum([(1.0, row.as_ref()), (1.0, &mean)].into_iter()))).collect()
}

impl Dense {
    fn new(rows: &[Rc<Row>], used: &[usize], curve: Rc<Curve>) -> Result<Self, ImportError> {
        let got = rows.len() as u64 * used.len() as u64;
        if got > MAX_PARAMETERS {
            return Err(ImportError::Limit { what: "weights", max: MAX_PARAMETERS, got });
        }
        let weights = rows.iter().flat_map(|row| used.iter().map(|&at| row.coefficient(at))).collect();
        let bias = rows.iter().map(|row| row.constant).collect();
        Ok(Self { inputs: used.len(), units: rows.len(), weights, bias, curve })
    }

    /// Turns a layer on raw values into one on encoded integers `e`: the raw value is `offset + e/scale`.
    fn read_encoded(&mut self, schema: &Schema) {
        for (row, bias) in self.weights.chunks_exact_mut(self.inputs).zip(&mut self.bias) {
            for (weight, column) in row.iter_mut().zip(&schema.columns) {
                *bias += *weight * real(column.offset);
                *weight /= real(column.scale);
            }
        }
    }

    /// The same layer for inputs that are given less `centre`.
    pub fn reading_from(&self, centre: f64) -> Self {
        let mut moved = self.clone();
        for (row, bias) in self.weights.chunks_exact(self.inputs).zip(&mut moved.bias) {
            *bias += centre * row.iter().sum::<f64>();
        }
        moved
    }

    /// `weights·x + bias`
    pub fn before(&self, x: &[f64]) -> Vec<f64> {
        let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
        rows.map(|(row, bias)| row.iter().zip(x).map(|(weight, x)| weight * x).sum::<f64>() + bias).collect()
    }
}

/// The raw values that encoded features stand for.
pub fn decode(schema: &Schema, features: impl Iterator<Item = i16>) -> Vec<f64> {
    let raw =
        |(column, entry): (&audit::Column, i16)| real(column.offset) + f64::from(entry) / real(column.scale);
    schema.columns.iter().zip(features).map(raw).collect()
}

/// A decimal as a float.
fn real(decimal: audit::Decimal) -> f64 {
    decimal.0 as f64 / audit::Decimal::ONE as f64
}
