//! Turns an ONNX classifier into an [`audit::Model`]: the only place where floats become integers.
//!
//! Main path of [`import()`]:
//! 1. `parse` reads the file, bounded, and checks its `graph`: one input, every value made once and before its use;
//! 2. `rows` refuses graphs that mix the rows of a batch, and `fold` reads the graph symbolically as a function of one row and finds dense layers, their activation
//!    functions and the decision (a step on one value, or the largest of several);
//! 3. `classes` maps the model's labels to the dataset's classes;
//! 4. `dense` puts the dataset's column encoding in front: an encoded integer `e` is the raw value `offset + e/scale`;
//! 5. `quantize` chooses scales, shifts, integers and tables, calibrated on rows of the dataset;
//! 6. `oracle` runs the file itself in floating point, and [`Report`] says how often both decide the same. Below the
//!    bound that the caller sets, the import fails with the report.
//!
//! The float model is given the decoded raw values `offset + e/scale`, which can differ from the table's raw values by
//! half an encoding step.
//!
//! *Ties.* A step is exact on the integer accumulator. Where labels are listed in another order than the dataset's
//! classes, the class with the smaller index of the dataset wins an arg-max tie.
//!
//! *Determinism.* The model's bytes depend only on the arguments: no clock, thread or hash map takes part, sums run in
//! a fixed order, and `exp`, `tanh` and the like come from `libm`. Only the report depends on the float runtime.
#![forbid(unsafe_code)]

mod classes;
mod compare;
mod dense;
mod error;
mod external;
pub mod float;
mod fold;
mod function;
pub mod graph;
mod layout;
mod oracle;
mod parse;
mod proto;
mod quantize;
mod report;
mod rows;
mod score;
pub mod tensor;
mod wire;

use std::sync::Arc;

use audit::{Dataset, Digest, Model, Schema};

use compare::Comparison;
use dense::FloatModel;
use fold::{
    Reading, Value,
    decision::{self, Labels},
};
use graph::Graph;
use quantize::{Identity, Precision, Quantized, range};
use rows::Together;
use score::Score;

pub use classes::class_of;
pub use dense::decode;
pub use error::ImportError;
pub use external::check_whole;
pub use fold::supported_operators;
pub use oracle::Oracle;
pub use parse::parse;
pub use report::{LabelClass, LayerReport, Report, Runtime, ScoreError};

/// What the caller may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The model's name; the graph's name when `None`.
    pub name: Option<String>,
    /// The output that is the decision; when `None` the first label, else the first score.
    pub output: Option<String>,
    /// Pairs of a label of the model and a class name; empty to match by index or name.
    pub labels: Vec<(String, String)>,
    /// What a single score is compared with; when `None` 0.5 for a score between 0 and 1, else 0.
    pub threshold: Option<f64>,
    /// B, bits of an activation: 8 to 16.
    pub activation_bits: u8,
    /// How many times the calibrated range must fit in a table, unless it is bounded anyway: 1 to 64.
    pub margin: f64,
    /// Smallest accepted share of equal decisions: 0 to 1.
    pub bound: f64,
    /// Most rows used for calibration and comparison, spread evenly over the dataset.
    pub max_rows: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: None,
            output: None,
            labels: Vec::new(),
            threshold: None,
            activation_bits: 16,
            margin: 2.0,
            bound: 0.99,
            max_rows: 50_000,
        }
    }
}

/// An imported model and how it compares with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The integer model.
    pub model: Model,
    /// How it compares with the float model.
    pub report: Report,
}

/// Imports the model in `onnx` for datasets with `schema`'s encoding, calibrated on the rows of `calibration`.
///
/// Fails when the file is no supported classifier, when its labels are not the schema's classes, when a size is above
/// the integer format's limits, and when fewer than `options.bound` of the rows are decided alike.
pub fn import(
    onnx: &[u8],
    schema: &Schema,
    calibration: &Dataset,
    options: &Options,
) -> Result<Imported, ImportError> {
    options.check()?;
    schema.validate()?;
    if calibration.schema().encoding() != schema.encoding() {
        return Err(ImportError::WrongCalibration);
    }
    let graph = Arc::new(parse(onnx)?);
    let columns = schema.columns.len();
    let together = Together::new(&graph, columns, &raw_rows(calibration))?;
    let (output, reading) = choose_output(&graph, &together, columns, options)?;
    let name = graph.values[graph.outputs[output]].clone();
    let decision = decision::decide(reading, &name, options.threshold)?;
    let classes = classes::assign(&decision.labels, &schema.classes, &options.labels)?;
    let float = FloatModel::new(&decision, &classes, schema)?;

    let rows = range::spread(calibration.rows(), options.rows(&float));
    let seen = range::calibrate(&float, calibration, rows.clone());
    let precision = Precision { bits: options.activation_bits, margin: options.margin };
    let identity = Identity { name: options.model_name(&graph), source: Digest::of(onnx) };
    let quantize = |widen| quantize::quantize(&float, &seen, precision, schema, &identity, widen);

    let score = Score::find(&graph, &decision, &classes, columns);
    let outputs = std::iter::once(output).chain(score.output()).collect();
    let oracle = Oracle::new(onnx, graph.clone(), columns, outputs)?;
    let mut comparison = Comparison { oracle, decision: &decision, classes: &classes, score: &score };
    let mut compare =
        |quantized: &Quantized| comparison.run(quantized, &float, &seen.scores, calibration, rows.clone());
    let mut quantized = quantize(false)?;
    let mut figures = compare(&quantized)?;
    if figures.share_equal() < options.bound
        && let Ok(wider) = quantize(true)
    {
        // Columns of very different sizes: a layer that brings them to one size may be worth its cost.
        let with_it = compare(&wider)?;
        if with_it.equal > figures.equal {
            (quantized, figures) = (wider, with_it);
        }
    }
    let output_names: Vec<&str> = graph.outputs.iter().map(|&slot| graph.values[slot].as_str()).collect();
    let report = Report {
        source: quantized.model.source,
        producer: graph.producer.clone(),
        output: name,
        labels: label_classes(&decision.labels, &classes, schema),
        threshold: decision.threshold,
        runtime: comparison.oracle.runtime(),
        rows_in_dataset: calibration.rows(),
        rows: figures.rows,
        equal_decisions: figures.equal,
        out_of_table: figures.out_of_table,
        score: ScoreError {
            unit: score.unit(&schema.classes, &output_names),
            largest: figures.largest,
            mean: figures.mean(),
        },
        activation_bits: options.activation_bits,
        parameters: quantized.model.parameters(),
        margin: options.margin,
        layers: quantized.layers,
        coarse_columns: coarse_columns(&float, &seen, schema),
    };
    if report.share_equal() < options.bound {
        return Err(ImportError::BelowBound { bound: options.bound, report: Box::new(report) });
    }
    Ok(Imported { model: quantized.model, report })
}

/// The output that decides, and what a single score is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The output's name.
    pub output: String,
    /// The threshold, where the output is one score.
    pub threshold: Option<f64>,
}

/// How the class follows from the outputs of a model that the importer understands; of `options`, only output and
/// threshold count.
pub fn decided(onnx: &[u8], dataset: &Dataset, options: &Options) -> Result<Decided, ImportError> {
    options.check()?;
    let graph = parse(onnx)?;
    let columns = dataset.schema().columns.len();
    let together = Together::new(&graph, columns, &raw_rows(dataset))?;
    let (output, reading) = choose_output(&graph, &together, columns, options)?;
    let output = graph.values[graph.outputs[output]].clone();
    let threshold = decision::decide(reading, &output, options.threshold)?.threshold;
    Ok(Decided { output, threshold })
}

impl Options {
    fn check(&self) -> Result<(), ImportError> {
        let refuse = |option, cause: String| Err(ImportError::Option { option, cause });
        if !(8..=16).contains(&self.activation_bits) {
            return refuse("activation bits", format!("{} is not between 8 and 16", self.activation_bits));
        }
        if !(1.0..=64.0).contains(&self.margin) {
            return refuse("margin", format!("{} is not between 1 and 64", self.margin));
        }
        if !(0.0..=1.0).contains(&self.bound) {
            return refuse("bound", format!("{} is not between 0 and 1", self.bound));
        }
        if self.max_rows == 0 {
            return refuse("rows", "at least one row is needed".to_owned());
        }
        if self.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return refuse("threshold", "it is not a number".to_owned());
        }
        Ok(())
    }

    /// Rows to calibrate and compare on: fewer for models so large that it would take minutes.
    fn rows(&self, float: &FloatModel) -> u32 {
        const PRODUCTS: u64 = 2_000_000_000;
        let affordable = (PRODUCTS / float.parameters().max(1)).max(1000);
        self.max_rows.min(u32::try_from(affordable).unwrap_or(u32::MAX))
    }

    fn model_name(&self, graph: &Graph) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let printable: String =
            graph.name.chars().filter(|character| !character.is_control()).take(32).collect();
        if printable.trim().is_empty() { "model".to_owned() } else { printable }
    }
}

/// The output that is the decision, with its position: the one asked for, else the first label, else the first score.
fn choose_output(
    graph: &Graph,
    together: &Together,
    columns: usize,
    options: &Options,
) -> Result<(usize, Reading), ImportError> {
    let read = |slot: usize| {
        together.check_nodes(graph, slot)?;
        let reading = fold::read(graph, slot, columns)?;
        together.check_output(graph, slot).map(|()| reading)
    };
    let names =
        || graph.outputs.iter().map(|&slot| graph.values[slot].as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = &options.output {
        let position = graph.outputs.iter().position(|&slot| graph.values[slot] == *name);
        let position = position.ok_or_else(|| ImportError::Option {
            option: "output",
            cause: format!("{name:?} is no output of the model; its outputs are {}", names()),
        })?;
        return Ok((position, read(graph.outputs[position])?));
    }
    let mut score = None;
    let mut failure = None;
    for (position, &slot) in graph.outputs.iter().enumerate() {
        match read(slot) {
            Ok(reading) => match reading.value {
                Value::Class(_) => return Ok((position, reading)),
                Value::Constant(_) => {}
                _ => score = score.or(Some((position, reading))),
            },
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    // A score is taken only where every output was understood: one of the others may be the label.
    match (failure, score) {
        (Some(error), _) => Err(error),
        (None, Some(found)) => Ok(found),
        (None, None) => Err(ImportError::NoDecision {
            cause: format!("none of the outputs depends on the features: {}", names()),
        }),
    }
}

/// Some rows of the dataset in raw units.
fn raw_rows(dataset: &Dataset) -> Vec<Vec<f64>> {
    let rows = range::spread(dataset.rows(), 32).filter_map(|row| dataset.row(row));
    rows.map(|row| decode(dataset.schema(), row.features())).collect()
}

fn label_classes(labels: &Labels, classes: &[u8], schema: &Schema) -> Vec<LabelClass> {
    let class = |(at, &class): (usize, &u8)| LabelClass {
        label: labels.text(at),
        class: schema.classes[usize::from(class)].clone(),
    };
    classes.iter().enumerate().map(class).collect()
}

/// Columns that the first layer reads, whose largest entry is below 64.
fn coarse_columns(float: &FloatModel, seen: &range::Calibration, schema: &Schema) -> Vec<String> {
    let Some(first) = float.layers.first() else { return Vec::new() };
    let read =
        |at: usize| first.weights.iter().skip(at).step_by(first.inputs.max(1)).any(|&weight| weight != 0.0);
    let coarse = |at: &usize| {
        let range = seen.columns[*at];
        let largest = range.low.abs().max(range.high.abs());
        range.low != range.high && largest < 64 && read(*at)
    };
    (0..schema.columns.len()).filter(coarse).map(|at| schema.columns[at].name.clone()).collect()
}
