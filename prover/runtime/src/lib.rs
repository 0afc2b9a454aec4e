//! Runs an ONNX classifier on rows of a dataset and says which class it decides, or a language model on texts and says
//! how likely it finds their endings.
//!
//! ONNX Runtime runs any model; its library is loaded when a [`Request`] is opened. Where there is none and no device
//! was asked for, the importer's pure-Rust runtime takes its place. Which of them it was, its version and digest, and
//! what computed are in [`Facts`]: nothing else than what was asked for is used in silence.
//!
//! A row is given to the model as the importer does it: the raw values `offset + e/scale` of the dataset's integers.
//! [`Reading`] says how outputs become a class, by the importer's rules too.
#![forbid(unsafe_code)]

mod device;
mod embedded;
mod error;
mod language;
mod library;
mod onnxruntime;
mod output;
mod reading;

use std::path::PathBuf;

use audit::{Dataset, Digest};

pub use device::Device;
pub use error::RuntimeError;
pub use language::LanguageModel;
pub use reading::{Options, Reading};

use embedded::Embedded;
use library::Library;
use onnxruntime::OnnxRuntime;

/// Most rows of one call.
pub const MAX_BATCH: u32 = 1 << 16;

/// Which runtime is to be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// ONNX Runtime if its library lies beside this program, else the embedded one.
    #[default]
    Found,
    /// ONNX Runtime with this library.
    Library(PathBuf),
    /// The embedded runtime.
    Embedded,
}

/// What to run with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The runtime.
    pub choice: Choice,
    /// What is to compute; the CPU without.
    pub device: Option<Device>,
    /// Let the CPU compute what the device cannot, or everything where there is no such device.
    pub allow_fallback: bool,
    /// Threads of one operator; the runtime's choice without.
    pub threads: Option<u32>,
}

impl Request {
    /// The library to load, where one is to be.
    fn library(&self) -> Result<Option<Library>, RuntimeError> {
        Ok(match &self.choice {
            Choice::Embedded => None,
            Choice::Library(path) => Some(library::at(path)?),
            Choice::Found => library::beside_program(),
        })
    }
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `onnxruntime`, `tract-onnx` or `assay-float`.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    /// SHA-256 of its library, where one was loaded.
    pub library: Option<Digest>,
    /// The execution provider that was registered.
    pub provider: &'static str,
    /// Whether parts of the model may run on the CPU instead.
    pub fallback: bool,
}

/// Predictions for some rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Index of the class of each row.
    pub classes: Vec<u8>,
    /// Scores of each row, one row after the other.
    pub scores: Vec<f32>,
}

enum Backend {
    OnnxRuntime(Box<OnnxRuntime>),
    Embedded(Box<Embedded>),
}

/// A classifier ready to run on rows of datasets with the same schema.
pub struct Classifier {
    backend: Backend,
    reading: Reading,
    facts: Facts,
    columns: usize,
}

impl Classifier {
    /// Loads a model for a dataset, runs a row of zeros, and finds how its outputs decide.
    pub fn open(
        onnx: &[u8],
        dataset: &Dataset,
        request: &Request,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        let columns = dataset.schema().columns.len();
        let library = request.library()?;
        let zeros = vec![0.0; columns];
        let find = |outputs: &[_]| Reading::find(onnx, dataset, outputs, options);
        let (backend, reading, facts) = match library {
            Some(library) => {
                let (mut runtime, facts) = OnnxRuntime::open(onnx, columns, &library, request)?;
                let reading = find(&runtime.probe(&zeros)?)?;
                runtime.choose(reading.outputs())?;
                (Backend::OnnxRuntime(Box::new(runtime)), reading, facts)
            }
            None if request.device.is_some() => return Err(RuntimeError::NoLibrary),
            None => {
                let mut runtime = Embedded::open(onnx, columns)?;
                let reading = find(&runtime.probe(&zeros)?)?;
                let facts = runtime.choose(onnx, reading.outputs())?;
                (Backend::Embedded(Box::new(runtime)), reading, facts)
            }
        };
        Ok(Self { backend, reading, facts, columns })
    }

    /// What runs the model.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How its outputs decide.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Runs rows of raw values, one after the other; `values` has as many as columns times rows.
    pub fn run(&mut self, values: &[f32]) -> Result<Predictions, RuntimeError> {
        let rows = values.len() / self.columns;
        if rows * self.columns != values.len() {
            return Err(RuntimeError::Shape {
                what: "values of the rows",
                expected: ((rows + 1) * self.columns) as u64,
                got: values.len() as u64,
            });
        }
        match &mut self.backend {
            Backend::OnnxRuntime(runtime) => {
                let reading = &mut self.reading;
                runtime.run(values, rows, |outputs| reading.read(outputs, rows))
            }
            Backend::Embedded(runtime) => {
                let mut all = Predictions::default();
                for row in values.chunks_exact(self.columns) {
                    let one = self.reading.read(&runtime.run(row)?, 1)?;
                    all.classes.extend(one.classes);
                    all.scores.extend(one.scores);
                }
                Ok(all)
            }
        }
    }
}

/// Appends the raw values of a row as a model is given them; `false` behind the last row.
pub fn raw_row(dataset: &Dataset, row: u32, values: &mut Vec<f32>) -> bool {
    let Some(row) = dataset.row(row) else { return false };
    values.extend(import::decode(dataset.schema(), row.features()).into_iter().map(|value| value as f32));
    true
}
