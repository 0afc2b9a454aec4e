//! The importer's float runtime: `tract-onnx`, or node by node what that lacks. One row at a time.

use std::{borrow::Cow, sync::Arc};

use import::{
    Oracle, Runtime,
    graph::Graph,
    parse,
    tensor::{Data, Tensor},
};

use crate::{Facts, RuntimeError, output::Output};

/// A model in the embedded runtime.
pub struct Embedded {
    graph: Arc<Graph>,
    columns: usize,
    /// One per output until some are chosen, then one for all of these.
    oracles: Vec<Oracle>,
}

impl Embedded {
    /// Parses the model and prepares each of its outputs.
    pub fn open(onnx: &[u8], columns: usize) -> Result<Self, RuntimeError> {
        let graph = Arc::new(parse(onnx)?);
        let of_output = |at| Oracle::new(onnx, graph.clone(), columns, vec![at]);
        let oracles = (0..graph.outputs.len()).map(of_output).collect::<Result<_, _>>()?;
        Ok(Self { graph, columns, oracles })
    }

    /// Every output for one row; what cannot be computed is [`Output::Other`], unless that is all of them.
    pub fn probe(&mut self, row: &[f32]) -> Result<Vec<(String, Output<'static>)>, RuntimeError> {
        let row: Vec<f64> = row.iter().map(|&value| value.into()).collect();
        let (mut outputs, mut failure) = (Vec::new(), None);
        for (oracle, &slot) in self.oracles.iter_mut().zip(&self.graph.outputs) {
            let found = match oracle.run(&row) {
                Ok(tensors) => tensors.into_iter().next().map_or(Output::Other, output),
                Err(cause) => {
                    failure = failure.or(Some(cause));
                    Output::Other
                }
            };
            outputs.push((self.graph.values[slot].clone(), found));
        }
        match failure {
            Some(cause) if outputs.iter().all(|(_, found)| matches!(found, Output::Other)) => {
                Err(RuntimeError::Embedded(cause))
            }
            _ => Ok(outputs),
        }
    }

    /// Keeps these outputs only, and says what runs them.
    pub fn choose<'a>(
        &mut self,
        onnx: &[u8],
        wanted: impl Iterator<Item = &'a str>,
    ) -> Result<Facts, RuntimeError> {
        let place = |name: &str| self.graph.outputs.iter().position(|&slot| self.graph.values[slot] == name);
        let places = wanted.filter_map(place).collect();
        let oracle = Oracle::new(onnx, self.graph.clone(), self.columns, places)?;
        let name = match oracle.runtime() {
            Runtime::Tract => "tract-onnx",
            Runtime::NodeByNode { .. } => "assay-float",
        };
        self.oracles = vec![oracle];
        let version = format!("assay {}", env!("CARGO_PKG_VERSION"));
        Ok(Facts { name, version, library: None, provider: "cpu", fallback: false })
    }

    /// The chosen outputs for one row.
    pub fn run(&mut self, row: &[f32]) -> Result<Vec<Output<'static>>, RuntimeError> {
        let row: Vec<f64> = row.iter().map(|&value| value.into()).collect();
        let oracle = self.oracles.first_mut();
        let oracle = oracle.ok_or_else(|| RuntimeError::Embedded("it has no output".to_owned()))?;
        let outputs = oracle.run(&row).map_err(RuntimeError::Embedded)?;
        Ok(outputs.into_iter().map(output).collect())
    }
}

fn output(tensor: Tensor) -> Output<'static> {
    match tensor.data {
        Data::Real(values) => {
            Output::Scores(Cow::Owned(values.into_iter().map(|value| value as f32).collect()))
        }
        Data::Whole(values) => Output::Integers(values),
        Data::Text(values) => Output::Texts(values),
    }
}
