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
    oracles: Vec<Option<Oracle>>,
}

impl Embedded {
    /// Parses the model and prepares each of its outputs.
    pub fn open(onnx: &[u8], columns: usize) -> Result<(Self, Facts), RuntimeError> {
        let graph = Arc::new(parse(onnx)?);
        let of_output = |at| Oracle::new(onnx, graph.clone(), columns, vec![at]);
        let oracles = (0..graph.outputs.len()).map(|at| of_output(at).map(Some)).collect::<Result<_, _>>()?;
        let facts = Facts {
            name: "tract-onnx",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            library: None,
            provider: "cpu",
            fallback: false,
        };
        Ok((Self { graph, columns, oracles }, facts))
    }

    /// Every output for one row; what cannot be computed is [`Output::Other`].
    pub fn probe(&mut self, row: &[f32]) -> Vec<(String, Output<'static>)> {
        let row: Vec<f64> = row.iter().map(|&value| value.into()).collect();
        let names = self.graph.outputs.iter().map(|&slot| self.graph.values[slot].clone());
        let outputs = self.oracles.iter_mut().map(|oracle| {
            let tensor = oracle.as_mut().and_then(|oracle| oracle.run(&row).ok()?.into_iter().next());
            tensor.map_or(Output::Other, output)
        });
        names.zip(outputs).collect()
    }

    /// Keeps these outputs only, and says what runs them.
    pub fn choose(&mut self, onnx: &[u8], wanted: &[&str]) -> Result<Facts, RuntimeError> {
        let place = |name: &&str| self.graph.outputs.iter().position(|&slot| self.graph.values[slot] == *name);
        let places = wanted.iter().filter_map(place).collect();
        let oracle = Oracle::new(onnx, self.graph.clone(), self.columns, places)?;
        let name = match oracle.runtime() {
            Runtime::Tract => "tract-onnx",
            Runtime::NodeByNode { .. } => "assay-float",
        };
        self.oracles = vec![Some(oracle)];
        let version = format!("assay {}", env!("CARGO_PKG_VERSION"));
        Ok(Facts { name, version, library: None, provider: "cpu", fallback: false })
    }

    /// The chosen outputs for one row.
    pub fn run(&mut self, row: &[f32]) -> Result<Vec<Output<'static>>, RuntimeError> {
        let row: Vec<f64> = row.iter().map(|&value| value.into()).collect();
        let oracle = self.oracles.first_mut().and_then(Option::as_mut);
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
