use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use audit::{
    Decimal, Digest, Model,
    log::{CARD_FORMAT, Card},
};
use certifier::{client::Outcome, dataset, log};
use clap::{Args, Subcommand};
use import::{Imported, Options, Report, import};
use interface::{ArtefactKind, MODEL_BYTES, ModelRecord, ModelsRequest};
use serde_json::json;

use super::{
    private::{self, BesideArguments},
    reference,
};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
    table::Table,
    time::utc,
};

/// Ending of a file with an integer model.
const ENDING: &str = "assay-model";
/// Largest ONNX file that is read, in bytes.
const MAX_ONNX: u64 = 256 << 20;

#[derive(Subcommand)]
pub enum ModelCommand {
    /// Make an exact integer model of an ONNX file, and report how closely it follows
    #[command(after_help = "Example:\n  \
        assay model import logistic.onnx --dataset datasets/german -o logistic.assay-model\n\n\
        The model is calibrated on the dataset's rows, and refused if it decides otherwise than the ONNX \
        model on more rows than --bound allows.")]
    Import(ImportArguments),
    /// Register an integer model; you become its owner
    #[command(after_help = "Examples:\n  \
        assay model register logistic.assay-model\n  \
        assay model register logistic.assay-model --private\n  \
        assay model register forest.onnx --logged --dataset datasets/german\n\n\
        A public model is uploaded whole. Of a private one, only a package leaves this computer: \
        architecture and tables, a commitment to the weights, and a zero-knowledge proof that each is in \
        range. Secret and package are written beside the model and used again when this is repeated; keep \
        the secret like the weights. Of a logged one, only the SHA-256 of its file is registered: any ONNX \
        classifier will do, and audits are by signed logs of its predictions.")]
    Register {
        /// File that `assay model import` made; an ONNX file with --logged
        file: PathBuf,
        /// Keep the weights: register a commitment to them
        #[arg(long, conflicts_with = "logged")]
        private: bool,
        /// Keep the file: register its digest, and have logs of its predictions audited
        #[arg(long, requires = "dataset")]
        logged: bool,
        /// Dataset folder whose features a logged model reads
        #[arg(long, value_name = "FOLDER", requires = "logged")]
        dataset: Option<PathBuf>,
        #[command(flatten)]
        logging: LoggingArguments,
        #[command(flatten)]
        beside: BesideArguments,
    },
    /// List registered models
    List {
        /// Only with this in the name
        text: Option<String>,
    },
    /// Show a model file (offline), or a registered model by digest or name
    Show {
        /// File, digest or name
        model: String,
    },
}

/// How a logged model decides; fixed with it.
#[derive(Args)]
pub struct LoggingArguments {
    /// Name of a logged model; the file's name by default
    #[arg(long, requires = "logged")]
    name: Option<String>,
    /// Output of a logged model's graph that decides
    #[arg(long, value_name = "NAME", requires = "logged")]
    decision: Option<String>,
    /// Which class a label of a logged model is, e.g. 1=good (may be repeated)
    #[arg(long = "label", value_name = "LABEL=CLASS", value_parser = parse_label, requires = "logged")]
    labels: Vec<(String, String)>,
    /// What a single score of a logged model must be above for class 1
    #[arg(long, allow_hyphen_values = true, requires = "logged")]
    threshold: Option<Decimal>,
}

#[derive(Args)]
pub struct ImportArguments {
    /// The ONNX file
    onnx: PathBuf,
    /// Dataset folder whose features it reads
    #[arg(long, value_name = "FOLDER")]
    dataset: PathBuf,
    /// File to write; the ONNX file's name with the ending .assay-model by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the model; the ONNX file's name by default
    #[arg(long)]
    name: Option<String>,
    /// Output of the graph that is the decision
    #[arg(long, value_name = "NAME")]
    decision: Option<String>,
    /// Which class a label of the model is, e.g. 1=good (may be repeated)
    #[arg(long = "label", value_name = "LABEL=CLASS", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// What a single score is compared with
    #[arg(long)]
    threshold: Option<f64>,
    /// Bits of an activation, 8 to 16
    #[arg(long, default_value_t = 16)]
    activation_bits: u8,
    /// How many times the calibrated range must fit in a table, 1 to 64
    #[arg(long, default_value_t = 2.0)]
    margin: f64,
    /// Smallest accepted share of equal decisions
    #[arg(long, default_value_t = 0.99)]
    bound: f64,
}

pub fn parse_label(text: &str) -> std::result::Result<(String, String), String> {
    let (label, class) = text.split_once('=').ok_or("expected LABEL=CLASS")?;
    Ok((label.to_owned(), class.to_owned()))
}

pub async fn run(global: &Global, command: ModelCommand, output: Output) -> Result<Exit> {
    match command {
        ModelCommand::Import(arguments) => imported(arguments, output)?,
        ModelCommand::Register { file, logged: true, dataset: Some(dataset), logging, .. } => {
            register_logged(global, &file, &dataset, &logging, output).await?
        }
        ModelCommand::Register { file, private: true, beside, .. } => {
            private::register(global, &file, &beside, output).await?
        }
        ModelCommand::Register { file, .. } => {
            let (bytes, model) = read_model_file(&file)?;
            register(global, ArtefactKind::Model, &bytes, &model.name, output).await?
        }
        ModelCommand::List { text } => list(global, text, output).await?,
        ModelCommand::Show { model } => shown(global, &model, output).await?,
    }
    Ok(Exit::Ok)
}

fn imported(arguments: ImportArguments, output: Output) -> Result<()> {
    let dataset = dataset::read(&arguments.dataset)?;
    let onnx = read_onnx(&arguments.onnx)?;
    let stem = arguments.onnx.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let options = Options {
        name: arguments.name.or(stem),
        output: arguments.decision,
        labels: arguments.labels,
        threshold: arguments.threshold,
        activation_bits: arguments.activation_bits,
        margin: arguments.margin,
        bound: arguments.bound,
        ..Options::default()
    };
    let spinner = output.spinner("importing");
    let Imported { model, report } = import(&onnx, dataset.schema(), &dataset, &options)?;
    drop(spinner);
    let path = arguments.output.unwrap_or_else(|| arguments.onnx.with_extension(ENDING));
    let bytes = model.to_bytes();
    std::fs::write(&path, &bytes).map_err(|cause| {
        Failure::new(format!("cannot write {}: {cause}", path.display()), "choose another --output")
    })?;
    let document = json!({ "file": path, "model": show::model(&model, bytes.len()), "report": report });
    output.result(&document, || {
        format!("{}\n{}\n{}\n", report_text(&report), show::members_text(&document["model"]), path.display())
    })
}

/// How closely an integer model follows its source.
pub fn report_text(report: &Report) -> String {
    let mut table = Table::new(&["import", ""]);
    let labels = report.labels.iter().map(|label| format!("{} = {}", label.label, label.class));
    let threshold = report.threshold.map_or("-".to_owned(), |threshold| threshold.to_string());
    for (name, value) in [
        ("made from", report.source.to_string()),
        ("producer", report.producer.clone()),
        (
            "decision",
            format!("{} ({}), threshold {threshold}", report.output, labels.collect::<Vec<_>>().join(", ")),
        ),
        (
            "equal decisions",
            format!(
                "{} of {} rows ({:.3} %)",
                report.equal_decisions,
                report.rows,
                100.0 * report.share_equal()
            ),
        ),
        ("out of table", format!("{} rows", report.out_of_table)),
        (
            "score error",
            format!(
                "at most {:.6}, mean {:.6} ({})",
                report.score.largest, report.score.mean, report.score.unit
            ),
        ),
        ("parameters", report.parameters.to_string()),
    ] {
        table.row([name.to_owned(), value]);
    }
    let mut text = table.render(0);
    if !report.coarse_columns.is_empty() {
        text.push_str(&format!("columns with a coarse scale: {}\n", report.coarse_columns.join(", ")));
    }
    text
}

/// Reads an ONNX file of bounded size.
pub fn read_onnx(path: &Path) -> Result<Vec<u8>> {
    read_bounded(path, MAX_ONNX, "pass the path of an ONNX file")
}

/// Reads a file that `assay model import` made.
pub fn read_model_file(path: &Path) -> Result<(Vec<u8>, Model)> {
    let hint = format!("`assay model import` makes .{ENDING} files");
    let bytes = read_bounded(path, MODEL_BYTES, &hint)?;
    let model =
        Model::parse(&bytes).map_err(|cause| Failure::new(format!("{}: {cause}", path.display()), &hint))?;
    Ok((bytes, model))
}

fn read_bounded(path: &Path, max: u64, hint: &str) -> Result<Vec<u8>> {
    let failed = |cause: String| Failure::new(format!("cannot read {}: {cause}", path.display()), hint);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes));
    read.map_err(|cause| failed(cause.to_string()))?;
    if bytes.len() as u64 > max {
        return Err(failed(format!("it has more than {max} bytes")));
    }
    Ok(bytes)
}

/// Registers which file is meant, not what is in it.
async fn register_logged(
    global: &Global,
    file: &Path,
    folder: &Path,
    logging: &LoggingArguments,
    output: Output,
) -> Result<()> {
    let onnx = read_onnx(file)?;
    let dataset = dataset::read(folder)?;
    let schema = dataset.schema();
    let options = runtime::Options {
        output: logging.decision.clone(),
        threshold: logging.threshold.map(|threshold| threshold.0 as f64 / Decimal::ONE as f64),
        labels: logging.labels.clone(),
    };
    // Any runtime reads the same names; a library may know operators that the embedded one does not.
    let source = log::Source::Onnx { bytes: &onnx, request: runtime::Request::default(), options };
    let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let card = Card {
        format: CARD_FORMAT.to_owned(),
        name: logging.name.clone().unwrap_or_else(stem),
        source: Digest::of(&onnx),
        encoding: schema.encoding(),
        classes: u8::try_from(schema.classes.len()).map_err(anyhow::Error::from)?,
        inputs: u32::try_from(schema.columns.len()).map_err(anyhow::Error::from)?,
        decision: log::decision(&source, &dataset)?,
        language: None,
    };
    let bytes = card.to_json().map_err(|cause| Failure::new(cause, "pass a --name of up to 128 bytes"))?;
    register(global, ArtefactKind::LoggedModel, &bytes, &card.name, output).await
}

/// Registers a model's bytes; the caller becomes its owner.
pub async fn register(
    global: &Global,
    kind: ArtefactKind,
    bytes: &[u8],
    name: &str,
    output: Output,
) -> Result<()> {
    let client = session::client(global, output).await?;
    let bar = output.bar("uploading model", true);
    let outcome = client.upload(kind, bytes, &mut |done, total| bar.set(done, total)).await?;
    drop(bar);
    let digest = Digest::of(bytes);
    match outcome {
        Outcome::Registered => output.note(format!("registered {name}")),
        Outcome::AlreadyThere => output.note("registered before; nothing was sent"),
    }
    let document = json!({
        "digest": digest,
        "name": name,
        "bytes": bytes.len(),
        "registered": outcome == Outcome::Registered,
    });
    output.result(&document, || digest.to_string())
}

async fn list(global: &Global, text: Option<String>, output: Output) -> Result<()> {
    let client = session::client(global, output).await?;
    let mut records: Vec<ModelRecord> = Vec::new();
    let mut after = None;
    loop {
        let request = ModelsRequest { text: text.clone(), after, ..Default::default() };
        let page = client.models(request).await?;
        records.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    output.result(&records.iter().map(show::model_record).collect::<Vec<_>>(), || {
        let mut table = Table::new(&["digest", "name", "weights", ">parameters", ">audits", "registered"]);
        for record in &records {
            table.row([
                record.digest.to_string(),
                record.name.clone(),
                match (record.commitment, record.logged) {
                    (Some(_), _) => "private",
                    (None, true) => "logged",
                    (None, false) => "public",
                }
                .to_owned(),
                if record.logged { "-".to_owned() } else { record.parameters.to_string() },
                record.audits.to_string(),
                utc(record.registered_at_ns),
            ]);
        }
        table.render(0)
    })
}

async fn shown(global: &Global, named: &str, output: Output) -> Result<()> {
    let document = if Path::new(named).exists() {
        let (bytes, model) = read_model_file(Path::new(named))?;
        show::model(&model, bytes.len())
    } else {
        let client = session::client(global, output).await?;
        let record = reference::model(&client, named).await?;
        let mut document = show::model_record(&record);
        if record.logged {
            // What was fixed when it was registered.
            let kind = ArtefactKind::LoggedModel;
            let card = Card::parse(&client.download(kind, record.digest.into(), &mut |_, _| ()).await?)?;
            document["decision"] = serde_json::to_value(&card.decision)?;
            document["language"] = serde_json::to_value(&card.language)?;
        }
        document
    };
    output.result(&document, || show::members_text(&document))
}
