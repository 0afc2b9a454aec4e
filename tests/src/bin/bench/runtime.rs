//! How fast ONNX Runtime runs through `runtime`, in Python, and into a log.

use std::{path::Path, process::Command, time::Instant};

use ::runtime::{Classifier, Device, Options, Request, raw_row};
use anyhow::{Context, Result, ensure};
use audit::{Dataset, log::Rows};
use certifier::log::{Job, Source, run};
use serde_json::{Value, json};
use tests::repository;

use crate::{MODELS, path, print};

/// Rows of one call.
const BATCH: usize = 1024;
/// The best of so many runs counts.
const RUNS: usize = 7;

/// Every example model; with `ASSAY_PYTHON`, a Python that has `onnxruntime` and `numpy`, against that too.
pub fn compare() -> Result<()> {
    let request = Request { device: Some(Device::Cpu), ..Request::default() };
    for (name, model) in MODELS {
        let dataset = certifier::dataset::read(&repository("datasets").join(name))?;
        let file = repository(&path(name, model));
        let onnx = std::fs::read(&file)?;
        let mut values = Vec::new();
        (0..dataset.rows()).for_each(|row| {
            raw_row(&dataset, row, &mut values);
        });
        let rows = f64::from(dataset.rows());
        let seconds = plain(&onnx, &dataset, &request, &values)?;
        let folder = std::env::temp_dir().join(format!("assay-bench-{}", std::process::id()));
        let job = Job {
            model_name: model,
            source: Source::Onnx { bytes: &onnx, request: request.clone(), options: Options::default() },
            dataset: &dataset,
            rows: Rows::All {},
            batch: BATCH as u32,
        };
        let start = Instant::now();
        let made = run(&folder, &job, &mut |_, _| ());
        let log_seconds = start.elapsed().as_secs_f64();
        let bytes: u64 = ["records.bin", "outputs.bin"]
            .iter()
            .filter_map(|file| Some(folder.join(file).metadata().ok()?.len()))
            .sum();
        std::fs::remove_dir_all(&folder)?;
        let made = made?;
        let python = std::env::var_os("ASSAY_PYTHON");
        let python =
            python.map(|python| in_python(Path::new(&python), &file, &values, &dataset)).transpose()?;
        print(&json!({
            "case": "runtime", "dataset": name, "model": model, "rows": rows, "batch": BATCH,
            "library": made.parameters.runtime.version, "provider": made.parameters.runtime.provider,
            "per_second": rows / seconds, "python_per_second": python.map(|python| rows / python),
            "log_seconds": log_seconds, "log_per_second": rows / log_seconds, "bytes_per_record": bytes as f64 / rows,
        }));
    }
    Ok(())
}

/// Seconds to run all rows and read classes and scores.
fn plain(onnx: &[u8], dataset: &Dataset, request: &Request, values: &[f32]) -> Result<f64> {
    let mut classifier = Classifier::open(onnx, dataset, request, &Options::default())?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        for batch in values.chunks(BATCH * dataset.schema().columns.len()) {
            classifier.run(batch)?;
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Seconds that ONNX Runtime in Python takes for the same rows, all outputs but maps.
fn in_python(python: &Path, model: &Path, values: &[f32], dataset: &Dataset) -> Result<f64> {
    let script = "import sys, time, numpy, onnxruntime\n\
        model, rows, columns, batch, runs = sys.argv[1], *map(int, sys.argv[2:])\n\
        session = onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])\n\
        x = numpy.fromfile(sys.stdin.buffer, dtype='<f4').reshape(rows, columns)\n\
        name = session.get_inputs()[0].name\n\
        outputs = [o.name for o in session.get_outputs() if o.type.startswith('tensor')]\n\
        best = float('inf')\n\
        for _ in range(runs):\n\
        \x20   start = time.perf_counter()\n\
        \x20   for at in range(0, rows, batch): session.run(outputs, {name: x[at:at + batch]})\n\
        \x20   best = min(best, time.perf_counter() - start)\n\
        print(best)\n";
    let file = std::env::temp_dir().join(format!("assay-bench-{}.f32", std::process::id()));
    std::fs::write(&file, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    let numbers =
        [dataset.rows() as usize, dataset.schema().columns.len(), BATCH, RUNS].map(|n| n.to_string());
    let output = Command::new(python)
        .args(["-c", script])
        .arg(model)
        .args(numbers)
        .stdin(std::fs::File::open(&file)?)
        .output()
        .with_context(|| format!("cannot start {}", python.display()));
    std::fs::remove_file(&file)?;
    let output = output?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout)?;
    value.as_f64().context("Python printed no number")
}
