//! The float model, run as it stands in the file: what the integer model is compared with.
//!
//! `tract-onnx` runs every file it can. It lacks some operators of `ai.onnx.ml` (Scaler, ZipMap and others); files that
//! need them are run node by node by [`crate::float`], which shares no arithmetic with the folding that the
//! integer model is made from. The report says which of the two it was, and why.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TractError,
    TypedRunnableModel, TypedSimplePlan, tvec,
};

use crate::{
    ImportError, float,
    graph::{Graph, Input},
    tensor::{Data, Element, Tensor},
};

/// Which runtime ran the float model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Runtime {
    /// `tract-onnx`.
    Tract,
    /// The importer's own evaluator, node by node.
    NodeByNode {
        /// Why `tract-onnx` could not run the file.
        reason: String,
    },
}

/// A float model ready to run on single rows.
pub struct Oracle {
    graph: Arc<Graph>,
    /// Positions of the outputs to return, in the graph's outputs.
    outputs: Vec<usize>,
    row: Vec<usize>,
    plan: Result<Arc<TypedRunnableModel>, String>,
}

impl Oracle {
    /// Prepares the file for rows of `columns` features; `outputs` are positions in the graph's outputs.
    pub fn new(
        onnx: &[u8],
        graph: Arc<Graph>,
        columns: usize,
        outputs: Vec<usize>,
    ) -> Result<Self, ImportError> {
        let row = graph.input.one_row(columns)?;
        let names: Vec<&str> = outputs.iter().map(|&at| graph.values[graph.outputs[at]].as_str()).collect();
        let plan = guarded(|| prepare(onnx, &graph.input, &row, &names));
        let mut oracle = Self { graph, outputs, row, plan };
        // A plan that fails on a row of zeros is no use.
        if oracle.plan.is_ok()
            && let Err(reason) = oracle.tract(&vec![0.0; columns])
        {
            oracle.plan = Err(reason);
        }
        Ok(oracle)
    }

    /// Which runtime it is.
    pub fn runtime(&self) -> Runtime {
        match &self.plan {
            Ok(_) => Runtime::Tract,
            Err(reason) => {
                Runtime::NodeByNode { reason: reason.lines().next().unwrap_or_default().to_owned() }
            }
        }
    }

    /// The chosen outputs for one row of raw features.
    ///
    /// Where `tract-onnx` fails or returns what is not a number, as it does when an exponential overflows, the
    /// evaluator takes over for good.
    pub fn run(&mut self, features: &[f64]) -> Result<Vec<Tensor>, String> {
        if self.plan.is_ok() {
            match self.tract(features) {
                Ok(outputs) if outputs.iter().all(is_number) => return Ok(outputs),
                Ok(_) => self.plan = Err("its result is not a number".to_owned()),
                Err(reason) => self.plan = Err(reason),
            }
        }
        let row = self.graph.input.tensor(self.row.clone(), features.to_vec());
        let slots: Vec<usize> = self.outputs.iter().map(|&at| self.graph.outputs[at]).collect();
        float::run(&self.graph, row, &slots).map_err(|error| error.to_string())
    }

    fn tract(&self, features: &[f64]) -> Result<Vec<Tensor>, String> {
        let plan = self.plan.as_ref().map_err(Clone::clone)?;
        guarded(|| {
            let input = encode(&self.graph.input, &self.row, features)?;
            plan.run(tvec!(input))?.iter().map(decode).collect()
        })
    }
}

fn is_number(tensor: &Tensor) -> bool {
    !matches!(&tensor.data, Data::Real(values) if values.iter().any(|value| value.is_nan()))
}

type Outcome<T> = tract_onnx::prelude::TractResult<T>;

/// A runtime's panic is a failure of that runtime, not of the import.
fn guarded<T>(run: impl FnOnce() -> Outcome<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(_) => Err("the runtime panicked".to_owned()),
    }
}

fn prepare(onnx: &[u8], input: &Input, row: &[usize], outputs: &[&str]) -> Outcome<Arc<TypedRunnableModel>> {
    let model = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .with_ignore_value_info(true)
        .model_for_read(&mut &onnx[..])?;
    let model = model.with_outputs_by_name(outputs)?;
    let model = model.with_input_fact(0, InferenceFact::dt_shape(datum_type(input)?, row))?;
    let plan: Arc<TypedSimplePlan> = model.into_optimized()?.into_runnable()?;
    Ok(plan)
}

fn datum_type(input: &Input) -> Outcome<DatumType> {
    Ok(match input.data_type {
        1 => DatumType::F32,
        11 => DatumType::F64,
        6 => DatumType::I32,
        7 => DatumType::I64,
        other => return Err(TractError::msg(format!("input data type {other}"))),
    })
}

fn encode(input: &Input, row: &[usize], features: &[f64]) -> Outcome<TValue> {
    use tract_onnx::prelude::Tensor as Raw;
    let raw = match input.data_type {
        1 => Raw::from_shape(row, &features.iter().map(|&x| x as f32).collect::<Vec<_>>())?,
        11 => Raw::from_shape(row, features)?,
        6 => Raw::from_shape(row, &features.iter().map(|x| x.round() as i32).collect::<Vec<_>>())?,
        _ => Raw::from_shape(row, &features.iter().map(|x| x.round() as i64).collect::<Vec<_>>())?,
    };
    Ok(raw.into_tvalue())
}

fn decode(value: &TValue) -> Outcome<Tensor> {
    let dims = value.shape().to_vec();
    if value.datum_type() == DatumType::String {
        let texts = value.to_plain_array_view::<String>()?;
        return Ok(Tensor::text(dims, texts.iter().cloned().collect()));
    }
    if value.datum_type().is_float() {
        let cast = value.cast_to::<f64>()?;
        return Ok(Tensor::real(
            dims,
            Element::F64,
            cast.to_plain_array_view::<f64>()?.iter().copied().collect(),
        ));
    }
    let cast = value.cast_to::<i64>()?;
    Ok(Tensor::whole(dims, cast.to_plain_array_view::<i64>()?.iter().copied().collect()))
}
