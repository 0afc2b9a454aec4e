//! ONNX Runtime, through its library.

use std::{borrow::Cow, fmt::Debug, path::PathBuf, sync::OnceLock};

use import::{graph::Input, tensor::Element};
use ort::{
    environment::Environment,
    logging::LogLevel,
    session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue},
    value::{DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef, ValueType},
};

use crate::{Device, Facts, Predictions, Request, RuntimeError, library::Library, output::Output};

/// The one library of this process.
static LOADED: OnceLock<(PathBuf, Environment)> = OnceLock::new();

/// Largest whole number up to which single precision has all.
const MAX_WHOLE: f32 = 16_777_216.0;

/// A model in ONNX Runtime.
pub struct OnnxRuntime {
    session: Session,
    options: Option<RunOptions<HasSelectedOutputs>>,
    wanted: Vec<String>,
    /// Shape of one row; the first dimension is that of rows unless `rank_one`.
    row: Vec<i64>,
    entry: TensorElementType,
    fixed_batch: Option<u64>,
}

impl OnnxRuntime {
    /// Loads the library, unless it is, and the model.
    pub fn open(
        onnx: &[u8],
        columns: usize,
        library: &Library,
        request: &Request,
    ) -> Result<(Self, Facts), RuntimeError> {
        let (session, facts) = load(onnx, library, request)?;
        let (row, entry, fixed_batch) = input(&session, columns)?;
        Ok((Self { session, options: None, wanted: Vec::new(), row, entry, fixed_batch }, facts))
    }

    /// Every output for one row.
    pub fn probe(&mut self, row: &[f32]) -> Result<Vec<(String, Output<'static>)>, RuntimeError> {
        // A model for a fixed number of rows gets as many equal ones.
        let rows = self.fixed_batch.unwrap_or(1) as usize;
        let values: Vec<f32> = row.iter().copied().cycle().take(row.len() * rows).collect();
        let given = self.given(rows, &values)?;
        let names: Vec<String> =
            self.session.outputs().iter().map(|output| output.name().to_owned()).collect();
        let outputs = self.session.run([given]).map_err(failed)?;
        let first = |value: &DynValue| one_of(owned(read(value)), rows);
        Ok(names.into_iter().zip(outputs.values().map(|value| first(&value))).collect())
    }

    /// Computes these outputs only from now on.
    pub fn choose<'a>(&mut self, wanted: impl Iterator<Item = &'a str>) -> Result<(), RuntimeError> {
        self.wanted = wanted.map(str::to_owned).collect();
        let selector = self.wanted.iter().fold(OutputSelector::no_default(), OutputSelector::with);
        self.options = Some(RunOptions::new().map_err(failed)?.with_outputs(selector));
        Ok(())
    }

    /// Runs rows and hands the chosen outputs to `finish`.
    pub fn run(
        &mut self,
        values: &[f32],
        rows: usize,
        finish: impl FnOnce(&[Output]) -> Result<Predictions, RuntimeError>,
    ) -> Result<Predictions, RuntimeError> {
        if let Some(got) = self.fixed_batch.filter(|&fixed| fixed != rows as u64) {
            return Err(RuntimeError::FixedBatch { got });
        }
        let given = self.given(rows, values)?;
        let no_output = || RuntimeError::OnnxRuntime("it has no output".to_owned());
        let options = self.options.as_ref().ok_or_else(no_output)?;
        let outputs = self.session.run_with_options([given], options).map_err(failed)?;
        let found = |name: &String| outputs.get(name).map(read).ok_or_else(no_output);
        finish(&self.wanted.iter().map(found).collect::<Result<Vec<_>, _>>()?)
    }

    /// Rows as the model takes them.
    fn given<'a>(&self, rows: usize, values: &'a [f32]) -> Result<SessionInputValue<'a>, RuntimeError> {
        let mut shape = self.row.clone();
        if shape.len() > 1 {
            shape[0] = rows as i64;
        }
        match self.entry {
            TensorElementType::Float64 => {
                tensor(shape, values.iter().map(|&value| value.into()).collect::<Vec<f64>>())
            }
            TensorElementType::Int64 => tensor(shape, whole::<i64>(values)?),
            TensorElementType::Int32 => tensor(shape, whole::<i32>(values)?),
            TensorElementType::Uint8 => tensor(shape, whole::<u8>(values)?),
            _ => Ok(TensorRef::from_array_view((shape, values)).map_err(failed)?.into()),
        }
    }
}

/// Token ids, pixels and other whole numbers; single precision holds all of them that are in range.
fn whole<T: TryFrom<i64>>(values: &[f32]) -> Result<Vec<T>, RuntimeError> {
    let exact = |&value: &f32| {
        let whole = (value.fract() == 0.0 && value.abs() <= MAX_WHOLE).then_some(value as i64);
        whole.and_then(|value| T::try_from(value).ok()).ok_or(RuntimeError::NotWhole(value))
    };
    values.iter().map(exact).collect()
}

fn tensor<T: PrimitiveTensorElementType + Clone + Debug + 'static>(
    shape: Vec<i64>,
    values: Vec<T>,
) -> Result<SessionInputValue<'static>, RuntimeError> {
    Ok(Tensor::from_array((shape, values)).map_err(failed)?.into())
}

fn environment(library: &Library) -> Result<&'static Environment, RuntimeError> {
    let cannot = |cause: String| RuntimeError::Load { path: library.path.clone(), cause };
    if LOADED.get().is_none() {
        let builder = ort::init_from(&library.path).map_err(|cause| cannot(cause.to_string()))?;
        let environment = builder.with_name("assay").build().map_err(|cause| cannot(cause.to_string()))?;
        let _ = LOADED.set((library.path.clone(), environment));
    }
    match LOADED.get() {
        Some((path, environment)) if *path == library.path => Ok(environment),
        Some((path, _)) => Err(RuntimeError::OtherLibrary(path.clone())),
        None => Err(cannot("it could not be kept".to_owned())),
    }
}

/// Loads the library, unless it is, and a model that is all in its file.
pub fn load(onnx: &[u8], library: &Library, request: &Request) -> Result<(Session, Facts), RuntimeError> {
    import::check_whole(onnx)?;
    let environment = environment(library)?;
    let device = request.device.unwrap_or(Device::Cpu);
    let build = |device| session(environment, onnx, request, device);
    let (session, provider) = match build(device) {
        Ok(session) => (session, device),
        Err(_) if request.allow_fallback && device != Device::Cpu => {
            (build(Device::Cpu).map_err(failed)?, Device::Cpu)
        }
        Err(cause) if device == Device::Cpu => return Err(failed(cause)),
        Err(cause) => return Err(RuntimeError::Device { device, cause: first_line(&cause) }),
    };
    let facts = Facts {
        name: "onnxruntime",
        version: version(library),
        library: Some(library.digest),
        provider: provider.provider().name(),
        fallback: request.allow_fallback && device != Device::Cpu,
    };
    Ok((session, facts))
}

fn session(
    environment: &Environment,
    onnx: &[u8],
    request: &Request,
    device: Device,
) -> ort::Result<Session> {
    // What goes wrong is returned; the library would write it to stderr too.
    let mut builder = Session::builder(environment)?.with_log_level(LogLevel::Fatal)?;
    builder = builder.with_execution_providers([device.provider().error_on_failure()])?;
    if !request.allow_fallback && device != Device::Cpu {
        builder = builder.with_disable_cpu_fallback()?;
    }
    if let Some(threads) = request.threads {
        builder = builder.with_intra_threads(threads as usize)?;
    }
    builder.commit_from_memory(onnx)
}

/// What an input is: the shape of one row, its entries, and how many rows the model takes if it says so.
type Shape = (Vec<i64>, TensorElementType, Option<u64>);

fn input(session: &Session, columns: usize) -> Result<Shape, RuntimeError> {
    let [input] = session.inputs() else {
        return Err(RuntimeError::Input(format!("{} inputs", session.inputs().len())));
    };
    let ValueType::Tensor { ty, shape, .. } = input.dtype() else {
        return Err(RuntimeError::Input("an input that is no tensor".to_owned()));
    };
    // Only the shape is the importer's to decide; it takes no whole numbers.
    let (element, data_type) = match ty {
        TensorElementType::Float64 => (Element::F64, 11),
        TensorElementType::Float32
        | TensorElementType::Int64
        | TensorElementType::Int32
        | TensorElementType::Uint8 => (Element::F32, 1),
        other => return Err(RuntimeError::Input(format!("an input of type {other}"))),
    };
    let dims: Vec<Option<usize>> = shape.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let fixed = if dims.len() > 1 { dims[0].map(|rows| rows as u64) } else { Some(1) };
    // A scalar's empty shape is what ONNX Runtime also gives where the file says none.
    let dims = (!dims.is_empty()).then_some(dims);
    let open = dims.is_none();
    let row = Input { slot: 0, name: input.name().to_owned(), element, data_type, dims }.one_row(columns)?;
    let row = row.into_iter().map(|dim| dim as i64).collect();
    Ok((row, *ty, fixed.filter(|_| !open)))
}

fn read(value: &DynValue) -> Output<'_> {
    if let Ok((_, scores)) = value.try_extract_tensor::<f32>() {
        return Output::Scores(Cow::Borrowed(scores));
    }
    if let Ok((_, scores)) = value.try_extract_tensor::<f64>() {
        return Output::Scores(scores.iter().map(|&score| score as f32).collect());
    }
    if let Ok((_, labels)) = value.try_extract_tensor::<i64>() {
        return Output::Integers(labels.to_vec());
    }
    if let Ok((_, labels)) = value.try_extract_tensor::<i32>() {
        return Output::Integers(labels.iter().map(|&label| label.into()).collect());
    }
    value.try_extract_strings().map_or(Output::Other, |(_, labels)| Output::Texts(labels))
}

fn owned(output: Output<'_>) -> Output<'static> {
    match output {
        Output::Scores(values) => Output::Scores(Cow::Owned(values.into_owned())),
        Output::Integers(values) => Output::Integers(values),
        Output::Texts(values) => Output::Texts(values),
        Output::Other => Output::Other,
    }
}

/// The first of equal rows.
fn one_of(output: Output<'static>, rows: usize) -> Output<'static> {
    let length = output.len() / rows.max(1);
    match output {
        Output::Scores(values) => Output::Scores(values.iter().take(length).copied().collect()),
        Output::Integers(values) => Output::Integers(values.into_iter().take(length).collect()),
        Output::Texts(values) => Output::Texts(values.into_iter().take(length).collect()),
        Output::Other => Output::Other,
    }
}

/// The release, which the library's file name ends with where it is whole, and the commit that it was built from.
fn version(library: &Library) -> String {
    let name = library.path.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(".dylib");
    let commit = ort::info().split("git-commit-id=").nth(1).and_then(|rest| rest.split(',').next());
    let parts = [Some(digits).filter(|digits| !digits.is_empty()), commit];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "unknown".to_owned() } else { text }
}

pub fn failed<R>(cause: ort::Error<R>) -> RuntimeError {
    RuntimeError::OnnxRuntime(first_line(&cause))
}

fn first_line(cause: &impl ToString) -> String {
    cause.to_string().lines().next().unwrap_or_default().chars().take(400).collect()
}
