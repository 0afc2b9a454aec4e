//! Chooses the integers: scales, shifts, weights, biases and tables of every layer.
//!
//! A layer reads integers `x` with float value `s_k·x_k`. For unit `j` with pre-activation scale `t_j`,
//!
//! ```text
//! W_int = round(W·s_k/t_j·2^w)      b_int = round(b/t_j·2^w)      q ≈ z/t_j
//! ```
//!
//! and the activation turns `q` into an integer of the next layer's scale.
//!
//! - *Functions with `f(c·x) = c^d·f(x)`* (relu, leaky relu, identity, squares): every unit has its own `t_j`, an exact rescaling
//!   that the next layer's weights take back. A unit that stays small loses nothing to one that grows large.
//! - *Other functions* share one table, so one `t` for all units; outputs are scaled, and moved by a
//!   constant that the next layer's biases take back, to fill the table's values.
//! - *Arg-max*: one `t`, no function.
//! - *Step*: only the sign counts. The shift is 16 and the bias carries `2^15 - 1` (for `> 0`) or `2^15` (for `>= 0`),
//!   which makes `q > 0` exactly the same as `Y > 0` or `Y >= 0` on the accumulator: no resolution is lost.
//!
//! - *Columns of very different sizes*, say 0 or 1 beside thousands, need first-layer weights of very different sizes,
//!   which 16 bits cannot hold. Where the model would otherwise miss the caller's bound, [`widen`] adds a layer.
//!
//! The shift `w` and the scales are chosen to make the expected squared error of `q` least: a larger `w` rounds weights
//! finer, but the largest weight must stay within 16 bits. What `z` may reach is in [`range`].

pub mod range;
mod sizes;
mod table;
mod widen;

use audit::{
    Activation, Decision, Digest, Layer, Model, Schema, Table,
    model::{MAX_BIAS, MAX_WEIGHT},
};

use crate::{
    ImportError,
    dense::{Choice, Dense, FloatModel},
};
use range::{Calibration, Interval};
use sizes::Sizes;

/// What was chosen for one layer, for the report.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LayerReport {
    /// Values read.
    pub inputs: u32,
    /// Units.
    pub units: u32,
    /// Activation function; `step` or `largest` for the decision.
    pub activation: String,
    /// Bits dropped from the accumulator.
    pub shift: u8,
    /// Largest absolute weight, of 32,767.
    pub largest_weight: i16,
    /// Largest absolute pre-activation on the calibration rows, in the float model's units.
    pub largest_value: f64,
    /// How many times larger a pre-activation could be before it leaves the table, in the tightest unit.
    pub headroom: f64,
    /// Whether no row within the columns' ranges in the dataset can leave the table.
    pub guaranteed: bool,
}

/// The integer model, with what is needed to read its scores.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// The model.
    pub model: Model,
    /// One entry per layer.
    pub layers: Vec<LayerReport>,
    /// Float value of one accumulator unit of the last layer.
    pub unit: f64,
    /// What the last layer's biases carry beside the float model's.
    pub carried: i64,
}

/// What the caller chose.
#[derive(Debug, Clone, Copy)]
pub struct Precision {
    /// B, bits of an activation.
    pub bits: u8,
    /// How many times the calibrated range must fit in a table.
    pub margin: f64,
}

/// Name and origin of the model.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// SHA-256 of the ONNX file.
    pub source: Digest,
}

/// Quantizes a float model; `widen` puts a layer in front that brings all columns to one size.
pub fn quantize(
    float: &FloatModel,
    calibration: &Calibration,
    precision: Precision,
    schema: &Schema,
    identity: &Identity,
    widen: bool,
) -> Result<Quantized, ImportError> {
    let half = 1_i64 << (precision.bits - 1);
    let mut inputs = calibration.columns.clone();
    let mut scales = vec![1.0; inputs.len()];
    let (mut layers, mut tables, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    if widen {
        let wide = widen::layer(&inputs, precision)?;
        reports.push(wide.report);
        layers.push(wide.layer);
        (inputs, scales) = (wide.outputs, wide.scales);
    }
    let (mut unit, mut carried) = (1.0, 0);
    let mut centre = 0.0;
    for (index, dense) in float.layers.iter().enumerate() {
        let dense = &dense.reading_from(centre);
        let last = index + 1 == float.layers.len();
        let seen = &calibration.layers[index];
        let sizes = Sizes::new(dense, &scales, &inputs, &seen.reach, precision);
        let squares = seen.input_squares(&scales, centre);
        let choice = last.then_some(float.choice);
        let shared = choice.is_some() || dense.curve.degree().is_none();
        let (shift, steps, offset) = match choice {
            Some(Choice::Step { inclusive }) => {
                (16, vec![sizes.step_unit() * 65536.0], (1 << 15) - i64::from(!inclusive))
            }
            _ => {
                let (shift, steps) = sizes.shift_and_steps(squares, shared);
                (shift, steps, 0)
            }
        };
        let layer = integers(dense, &scales, &steps, shift, offset);
        let intervals: Vec<Interval> =
            (0..dense.units).map(|at| range::requantized(&layer, at, &inputs)).collect();
        let activation = match choice {
            Some(Choice::Step { .. }) => Chosen::plain(Activation::Step, &steps),
            Some(Choice::Largest) => Chosen::plain(Activation::Identity, &steps),
            None => activation(dense, &steps, precision.bits, index, &mut tables)?,
        };
        inputs = intervals.iter().map(|interval| activation.outputs(interval, half, &tables)).collect();
        reports.push(report(dense, &layer, &steps, &seen.reach, &intervals, half, choice));
        (unit, carried) = (steps[0] / f64::from(1_u32 << shift), offset);
        (scales, centre) = (activation.scales, activation.centre);
        layers.push(Layer { activation: activation.kind, ..layer });
    }
    let model = Model {
        name: identity.name.clone(),
        encoding: schema.encoding(),
        source: identity.source,
        classes: schema.classes.len() as u8,
        activation_bits: precision.bits,
        tables,
        decision: match float.choice {
            Choice::Step { .. } => Decision::Step,
            Choice::Largest => Decision::ArgMax,
        },
        layers,
    };
    model.validate()?;
    Ok(Quantized { model, layers: reports, unit, carried })
}

/// Rounds one layer's weights and biases.
fn integers(dense: &Dense, scales: &[f64], steps: &[f64], shift: u8, offset: i64) -> Layer {
    let one = f64::from(1_u32 << shift);
    let (weight_limit, bias_limit) = (f64::from(MAX_WEIGHT), f64::from(MAX_BIAS));
    let mut weights = Vec::with_capacity(dense.weights.len());
    for (row, step) in dense.weights.chunks_exact(dense.inputs).zip(steps) {
        let integer = |(weight, scale): (&f64, &f64)| (weight * scale / step * one).round();
        weights
            .extend(row.iter().zip(scales).map(integer).map(|w| w.clamp(-weight_limit, weight_limit) as i16));
    }
    let bias = |(bias, step): (&f64, &f64)| {
        let integer = (bias / step * one).round() + offset as f64;
        integer.clamp(-bias_limit, bias_limit) as i32
    };
    Layer {
        inputs: dense.inputs as u32,
        units: dense.units as u32,
        shift,
        activation: Activation::Identity,
        weights,
        bias: dense.bias.iter().zip(steps).map(bias).collect(),
    }
}

/// An activation function and the scale of each unit's output.
struct Chosen {
    kind: Activation,
    scales: Vec<f64>,
    /// Float value of an output of 0.
    centre: f64,
}

impl Chosen {
    fn plain(kind: Activation, steps: &[f64]) -> Self {
        Self { kind, scales: steps.to_vec(), centre: 0.0 }
    }

    /// Integers that a unit's output can take when `q` lies in `interval` and inside the table.
    fn outputs(&self, interval: &Interval, half: i64, tables: &[Table]) -> Interval {
        let (low, high) = (interval.low.clamp(-half, half - 1), interval.high.clamp(-half, half - 1));
        match self.kind {
            Activation::Identity => Interval { low, high },
            Activation::Relu => Interval { low: low.max(0), high: high.max(0) },
            Activation::Step => Interval { low: 0, high: 1 },
            Activation::Table(index) => {
                let values =
                    &tables[usize::from(index)].values[(low + half) as usize..=(high + half) as usize];
                let bound = |value: Option<&i16>| value.copied().map_or(0, i64::from);
                Interval { low: bound(values.iter().min()), high: bound(values.iter().max()) }
            }
        }
    }
}

fn activation(
    dense: &Dense,
    steps: &[f64],
    bits: u8,
    index: usize,
    tables: &mut Vec<Table>,
) -> Result<Chosen, ImportError> {
    if let Some(degree) = dense.curve.degree() {
        match (dense.curve.at(1.0), dense.curve.at(-1.0)) {
            (1.0, 0.0) => return Ok(Chosen::plain(Activation::Relu, steps)),
            (1.0, -1.0) => return Ok(Chosen::plain(Activation::Identity, steps)),
            _ => {}
        }
        let found = table::build(&dense.curve, 1.0, bits, index, false)?;
        tables.push(found.table);
        let scales = steps.iter().map(|step| libm::pow(*step, degree) * found.unit).collect();
        return Ok(Chosen { kind: Activation::Table(tables.len() as u8 - 1), scales, centre: 0.0 });
    }
    let found = table::build(&dense.curve, steps[0], bits, index, true)?;
    tables.push(found.table);
    let kind = Activation::Table(tables.len() as u8 - 1);
    Ok(Chosen { kind, scales: vec![found.unit; dense.units], centre: found.centre })
}

fn report(
    dense: &Dense,
    layer: &Layer,
    steps: &[f64],
    reach: &[f64],
    intervals: &[Interval],
    half: i64,
    choice: Option<Choice>,
) -> LayerReport {
    let room =
        |(reach, step): (&f64, &f64)| if *reach > 0.0 { half as f64 * step / reach } else { f64::INFINITY };
    let headroom = reach.iter().zip(steps).map(room).fold(f64::INFINITY, f64::min);
    LayerReport {
        inputs: layer.inputs,
        units: layer.units,
        activation: match choice {
            None => dense.curve.name(),
            Some(Choice::Step { .. }) => "step".to_owned(),
            Some(Choice::Largest) => "largest".to_owned(),
        },
        shift: layer.shift,
        largest_weight: layer.weights.iter().map(|weight| weight.abs()).max().unwrap_or(0),
        largest_value: reach.iter().copied().fold(0.0, f64::max),
        headroom: headroom.min(f64::from(u16::MAX)),
        guaranteed: intervals.iter().all(|interval| interval.low >= -half && interval.high < half),
    }
}
