use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use audit::{
    Dataset, Decimal,
    log::{Card, Rows},
    model::MODEL_MAGIC,
};
use certifier::{
    dataset,
    log::{Job, Source, options, run as run_log},
};
use clap::Args;
use interface::{ArtefactKind, AuditId};
use runtime::{MAX_BATCH, Options};
use serde_json::json;

use super::{RowArguments, RuntimeArguments, awaited};
use crate::{
    arguments::Global,
    commands::model::{parse_label, read_onnx},
    failure::{Exit, Failure, Result},
    output::Output,
    session,
};

#[derive(Args)]
pub struct RunArguments {
    /// The ONNX file, or an integer model (.assay-model)
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Dataset folder
    #[arg(long, value_name = "FOLDER", required_unless_present = "audit")]
    dataset: Option<PathBuf>,
    /// Audit that awaits this log: dataset and rows come from the canister
    #[arg(long, value_name = "ID", conflicts_with_all = ["dataset", "rows", "audit_seed"])]
    audit: Option<AuditId>,
    /// Folder of the log
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    #[command(flatten)]
    rows: RowArguments,
    /// Rows of one call
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=MAX_BATCH as i64))]
    batch: u32,
    /// Output of the graph that decides; of an audit the model's card says it
    #[arg(long, value_name = "NAME", conflicts_with = "audit")]
    decision: Option<String>,
    /// Which class a label of the model is, e.g. 1=good (may be repeated)
    #[arg(long = "label", value_name = "LABEL=CLASS", value_parser = parse_label, conflicts_with = "audit")]
    labels: Vec<(String, String)>,
    /// What a single score must be above for class 1
    #[arg(long, allow_hyphen_values = true, conflicts_with = "audit")]
    threshold: Option<Decimal>,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

pub async fn run(global: &Global, arguments: &RunArguments, output: Output) -> Result<Exit> {
    let bytes = read_onnx(&arguments.model)?;
    let given = Options {
        output: arguments.decision.clone(),
        threshold: arguments.threshold.map(|threshold| threshold.0 as f64 / Decimal::ONE as f64),
        labels: arguments.labels.clone(),
    };
    let (dataset, rows, options) = match (arguments.audit, &arguments.dataset) {
        (Some(audit), _) => drawn(global, audit, output).await?,
        (None, folder) => {
            let folder = folder.as_deref().unwrap_or(Path::new("."));
            (dataset::read(folder)?, arguments.rows.rows(), given)
        }
    };
    let source = match bytes.starts_with(MODEL_MAGIC) {
        true if arguments.runtime.is_chosen() => {
            return Err(Failure::new(
                format!("{} is an integer model: nothing but the engine runs it", arguments.model.display()),
                "leave out --embedded, --device and --threads, or pass an ONNX file",
            ));
        }
        true => Source::Integer { bytes: &bytes },
        false => Source::Onnx { bytes: &bytes, request: arguments.runtime.request(), options },
    };
    let job =
        Job { model_name: &name(&arguments.model), source, dataset: &dataset, rows, batch: arguments.batch };
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

/// The dataset of an audit that awaits a log, the rows that the canister drew, and how the model's card decides.
async fn drawn(global: &Global, id: AuditId, output: Output) -> Result<(Dataset, Rows, Options)> {
    let client = session::client(global, output).await?;
    let (record, rows) = awaited(&client, id, output).await?;
    let bar = output.bar("downloading dataset", true);
    let set = &mut |done, total| bar.set(done, total);
    let bytes = client.download(ArtefactKind::Dataset, record.dataset.into(), set).await?;
    let dataset = Dataset::parse(bytes).map_err(anyhow::Error::from)?;
    let options = match client.model(record.model).await?.logged {
        false => Options::default(),
        true => {
            let kind = ArtefactKind::LoggedModel;
            let card = client.download(kind, record.model.into(), &mut |_, _| ()).await?;
            let card = Card::parse(&card)?;
            if card.language.is_some() {
                return Err(Failure::new(
                    format!("audit {id} is of a language model"),
                    format!("`assay language run --audit {id} --items FOLDER …` makes its log"),
                ));
            }
            options(&card.decision)
        }
    };
    Ok((dataset, rows, options))
}

/// A file's name without its ending.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
