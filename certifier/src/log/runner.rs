use audit::{
    Dataset, Decimal, Digest, Engine, Model,
    log::{DecisionFacts, RuntimeFacts},
};
use runtime::{Classifier, Facts, Options, Predictions, Request, raw_row};

use super::LogRunError;

/// The model that is logged.
#[derive(Debug)]
pub enum Source<'a> {
    /// An ONNX file, and what to run it with.
    Onnx {
        /// The file.
        bytes: &'a [u8],
        /// What to run it with.
        request: Request,
        /// How outputs decide.
        options: Options,
    },
    /// An integer model, which is run by the same engine as in the canister.
    Integer {
        /// Its bytes.
        bytes: &'a [u8],
    },
}

/// What runs it.
pub(super) enum Runner {
    Onnx { classifier: Box<Classifier>, threads: Option<u32>, labels: Vec<String> },
    Integer(Engine),
}

/// How a model decides on a dataset's rows: what its card fixes.
pub fn decision(source: &Source<'_>, dataset: &Dataset) -> Result<DecisionFacts, LogRunError> {
    source.open(dataset)?.decision()
}

/// How to read a model's outputs so that they decide like this.
pub fn options(decision: &DecisionFacts) -> Options {
    let split = |text: &String| {
        let (label, class) = text.split_once('=').unwrap_or((text, ""));
        (label.to_owned(), class.to_owned())
    };
    Options {
        output: Some(decision.output.clone()),
        threshold: decision.threshold.map(|threshold| threshold.0 as f64 / Decimal::ONE as f64),
        labels: decision.labels.iter().map(split).collect(),
    }
}

impl Source<'_> {
    /// SHA-256 of the model.
    pub(super) fn digest(&self) -> Digest {
        let (Self::Onnx { bytes, .. } | Self::Integer { bytes }) = self;
        Digest::of(bytes)
    }

    pub(super) fn open(&self, dataset: &Dataset) -> Result<Runner, LogRunError> {
        match self {
            Self::Onnx { bytes, request, options } => Ok(Runner::Onnx {
                classifier: Box::new(Classifier::open(bytes, dataset, request, options)?),
                threads: request.threads,
                labels: options.labels.iter().map(|(label, class)| format!("{label}={class}")).collect(),
            }),
            Self::Integer { bytes } => {
                let model = Model::parse(bytes)?;
                dataset.schema().check_model(model.encoding, model.inputs(), model.classes)?;
                Ok(Runner::Integer(Engine::new(&model)))
            }
        }
    }
}

impl Runner {
    /// Scores per prediction.
    pub fn width(&self) -> usize {
        match self {
            Self::Onnx { classifier, .. } => classifier.reading().width(),
            Self::Integer(_) => 0,
        }
    }

    /// Runs rows of the dataset.
    pub fn run(&mut self, dataset: &Dataset, rows: &[u32]) -> Result<Predictions, LogRunError> {
        match self {
            Self::Onnx { classifier, .. } => {
                let mut values = Vec::new();
                for &row in rows {
                    if !raw_row(dataset, row, &mut values) {
                        return Err(LogRunError::NoRow(row));
                    }
                }
                Ok(classifier.run(&values)?)
            }
            Self::Integer(engine) => {
                let decide = |&index: &u32| {
                    let row = dataset.row(index).ok_or(LogRunError::NoRow(index))?;
                    Ok(engine.decide(row.features()).map_err(|cause| cause.at(index))?)
                };
                let classes = rows.iter().map(decide).collect::<Result<_, LogRunError>>()?;
                Ok(Predictions { classes, scores: Vec::new() })
            }
        }
    }

    pub fn decision(&self) -> Result<DecisionFacts, LogRunError> {
        let Self::Onnx { classifier, labels, .. } = self else {
            return Ok(DecisionFacts::of_integer_model());
        };
        let reading = classifier.reading();
        let exact =
            |threshold: f64| threshold.to_string().parse().map_err(|_| LogRunError::Threshold(threshold));
        Ok(DecisionFacts {
            output: reading.decision().to_owned(),
            scores: reading.scores().map(str::to_owned),
            threshold: reading.threshold().map(exact).transpose()?,
            labels: labels.clone(),
        })
    }

    pub fn facts(&self, batch: u32) -> RuntimeFacts {
        match self {
            Self::Onnx { classifier, threads, .. } => runtime_facts(classifier.facts(), batch, *threads),
            Self::Integer(_) => RuntimeFacts {
                name: "assay engine".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                library: None,
                provider: "cpu".to_owned(),
                fallback: false,
                batch,
                threads: None,
            },
        }
    }
}

/// What a statement says of the runtime that ran an ONNX file.
pub fn runtime_facts(facts: &Facts, batch: u32, threads: Option<u32>) -> RuntimeFacts {
    RuntimeFacts {
        name: facts.name.to_owned(),
        version: facts.version.clone(),
        library: facts.library,
        provider: facts.provider.to_owned(),
        fallback: facts.fallback,
        batch,
        threads,
    }
}
