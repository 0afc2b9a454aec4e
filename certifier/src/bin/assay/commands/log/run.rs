use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use audit::Decimal;
use certifier::{
    dataset,
    log::{Job, run as run_log},
};
use clap::Args;
use runtime::{MAX_BATCH, Options};
use serde_json::json;

use super::{RowArguments, RuntimeArguments};
use crate::{
    commands::model::{parse_label, read_onnx},
    failure::{Exit, Result},
    output::Output,
};

#[derive(Args)]
pub struct RunArguments {
    /// The ONNX file
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Dataset folder
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// Folder of the log
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    #[command(flatten)]
    rows: RowArguments,
    /// Rows of one call
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=MAX_BATCH as i64))]
    batch: u32,
    /// Output of the graph that decides
    #[arg(long, value_name = "NAME")]
    decision: Option<String>,
    /// Which class a label of the model is, e.g. 1=good (may be repeated)
    #[arg(long = "label", value_name = "LABEL=CLASS", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// What a single score must be above for class 1
    #[arg(long, allow_hyphen_values = true)]
    threshold: Option<Decimal>,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

pub fn run(arguments: &RunArguments, output: Output) -> Result<Exit> {
    let onnx = read_onnx(&arguments.model)?;
    let dataset = dataset::read(&arguments.dataset)?;
    let job = Job {
        model_name: &name(&arguments.model),
        onnx: &onnx,
        dataset: &dataset,
        rows: arguments.rows.rows(),
        request: arguments.runtime.request(),
        options: Options {
            output: arguments.decision.clone(),
            threshold: arguments.threshold.map(|threshold| threshold.0 as f64 / Decimal::ONE as f64),
            labels: arguments.labels.clone(),
        },
        batch: arguments.batch,
    };
    let bar = output.bar("running", false);
    let start = Instant::now();
    let finished = run_log(&arguments.output, &job, &mut |done, total| bar.set(done, total))?;
    drop(bar);
    let seconds = start.elapsed().as_secs_f64();
    let runtime = &finished.parameters.runtime;
    if finished.resumed_at > 0 {
        output.note(format!("{} predictions were there already", finished.resumed_at));
    }
    if runtime.fallback {
        output.warn(format!(
            "{} was asked for; what it cannot compute ran on the CPU",
            arguments.runtime.device_name()
        ));
    }
    let document = json!({
        "folder": arguments.output, "root": finished.root, "size": finished.size,
        "resumed_at": finished.resumed_at, "runtime": runtime, "decision": finished.parameters.decision,
        "seconds": seconds,
    });
    output.result(&document, || {
        format!(
            "{} predictions by {} {} on {}, {seconds:.2} s\nroot {}\n`assay log sign {}` commits to them\n",
            finished.size,
            runtime.name,
            runtime.version,
            runtime.provider,
            finished.root,
            arguments.output.display(),
        )
    })?;
    Ok(Exit::Ok)
}

/// A file's name without its ending.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
