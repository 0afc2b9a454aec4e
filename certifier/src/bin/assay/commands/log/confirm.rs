use std::path::PathBuf;

use audit::{
    Dataset, Digest,
    log::{Card, Named, Openings, Statement, SubmissionHeader},
};
use certifier::{
    client::Client,
    language::{Items, Reran, WrongTranscript},
    log::{Difference, rerun},
};
use check::rerun::verify_opened;
use clap::Args;
use interface::{ArtefactKind, AuditId, AuditRecord, DigestBytes, REASON_BYTES, ReportOpenings};
use serde_json::json;

use super::RuntimeArguments;
use crate::{
    arguments::Global,
    commands::{
        audit::{WaitArguments, wait, wait_and_show},
        language::open_local,
        model::read_onnx,
    },
    failure::{Exit, Failure, Result},
    output::Output,
    session,
};

#[derive(Args)]
pub struct ConfirmArguments {
    /// Number of the audit
    audit: AuditId,
    /// The ONNX file that was run
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Of a language model: tokenizer.json; beside the ONNX file or one folder above by default
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Of a language model: folder of the item set
    #[arg(long, value_name = "FOLDER")]
    items: Option<PathBuf>,
    /// Largest difference of a score
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Only say what would be reported
    #[arg(long)]
    dry_run: bool,
    /// What ran, in a line; the certificate shows it
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

pub async fn run(global: &Global, arguments: &ConfirmArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let record = wait(&client, arguments.audit, None, output).await?;
    let (header, openings, dataset) = evidence(&client, &record, output).await?;
    let Found { wrong, differences, largest, failed_too } =
        run_again(arguments, header.signed.statement(), &openings, &dataset)?;
    // Classes decide. Scores may round otherwise elsewhere, which is worth knowing and no lie.
    let (differences, scores): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|one| one.class != one.logged);
    if !scores.is_empty() {
        output.warn(format!("{} scores differ by more than {}", scores.len(), arguments.tolerance));
    }
    if failed_too > 0 {
        output.warn(format!("{failed_too} calls failed in the log, and could not be run here either"));
    }
    let agrees = differences.is_empty() && wrong.is_empty();
    let note = note(&wrong, &differences, &arguments.note, &dataset);
    let count = openings.openings.len();
    if arguments.dry_run {
        let document = json!({
            "audit": record.id, "openings": count, "agrees": agrees, "note": note,
            "largest_score_difference": largest, "failed_here_too": failed_too,
        });
        output.result(&document, || {
            format!("{} of {count} openings differ; nothing was reported\n{note}\n", differences.len())
        })?;
        return Ok(if agrees { Exit::Ok } else { Exit::Mismatch });
    }
    client.report_openings(ReportOpenings { audit: record.id, agrees, note }).await?;
    output.note(format!(
        "reported as {}: {} of {count} openings differ, scores by at most {}",
        client.caller(),
        differences.len(),
        size(largest),
    ));
    if !agrees {
        return Ok(Exit::Mismatch);
    }
    wait_and_show(&client, record.id, WaitArguments::default(), output).await
}

/// What running the openings again showed.
#[derive(Default)]
struct Found {
    /// Transcripts that do not hold.
    wrong: Vec<WrongTranscript>,
    differences: Vec<Difference>,
    largest: f64,
    /// Calls of a language model without an answer, there and here.
    failed_too: u64,
}

/// Runs the model on what was opened.
fn run_again(
    arguments: &ConfirmArguments,
    statement: &Statement,
    openings: &Openings,
    dataset: &Dataset,
) -> Result<Found> {
    let tolerance = arguments.tolerance;
    if let Some(facts) = &statement.predicate.language {
        let items = arguments.items.as_ref().ok_or_else(|| {
            Failure::new("the log is of a language model", "pass the folder of its item set with --items")
        })?;
        let items = Items::of(items, statement)?;
        let local = open_local(facts, &arguments.model, arguments.tokenizer.as_deref(), &arguments.runtime)?;
        let Reran { differences, largest, failed_too } = items.asked().rerun(&local, openings, tolerance)?;
        return Ok(Found { wrong: items.check(openings), differences, largest, failed_too });
    }
    let onnx = read_onnx(&arguments.model)?;
    if Digest::of(&onnx) != statement.model() {
        let what = format!("the log is of model {}, the file is {}", statement.model(), Digest::of(&onnx));
        return Err(Failure::new(what, "pass the ONNX file that was run; its owner must give it to you"));
    }
    let (differences, largest) =
        rerun(&onnx, dataset, statement, openings, &arguments.runtime.request(), tolerance)?;
    Ok(Found { differences, largest, ..Found::default() })
}

/// Log, openings and dataset of an audit, each by the digest in the audit's record, and held against each other.
async fn evidence(
    client: &Client,
    record: &AuditRecord,
    output: Output,
) -> Result<(SubmissionHeader, Openings, Dataset)> {
    let log = record.log.as_ref();
    let parts = log.and_then(|log| Some((log.submitted.as_ref()?.content, log.opened.as_ref()?.content)));
    let (log, openings) = parts.ok_or_else(|| {
        Failure::new(
            format!("audit {} has no openings", record.id),
            "only an audit by a log, whose owner has opened what was drawn, can be confirmed",
        )
    })?;
    let log = download(client, ArtefactKind::Log, log, output).await?;
    let openings = download(client, ArtefactKind::Openings, openings, output).await?;
    let dataset = download(client, ArtefactKind::Dataset, record.dataset, output).await?;
    let dataset = Dataset::parse(dataset).map_err(anyhow::Error::from)?;
    let kind = ArtefactKind::LoggedModel;
    let card = Card::parse(&download(client, kind, record.model, output).await?);
    let card = card.map_err(|cause| Failure::new(cause, "only audits of logged models await an auditor"))?;
    let evidence = verify_opened(record, &Named::of_card(&card), &dataset, &log, &openings)?;
    Ok((evidence.0, evidence.1, dataset))
}

async fn download(
    client: &Client,
    kind: ArtefactKind,
    digest: DigestBytes,
    output: Output,
) -> Result<Vec<u8>> {
    let bar = output.bar(&format!("downloading {kind}"), true);
    Ok(client.download(kind, digest.into(), &mut |done, total| bar.set(done, total)).await?)
}

/// A difference of scores, for people.
fn size(difference: f64) -> String {
    if difference == 0.0 { "0".to_owned() } else { format!("{difference:.1e}") }
}

/// What the canister is told: the first differences, and the auditor's own words.
fn note(wrong: &[WrongTranscript], differences: &[Difference], own: &str, dataset: &Dataset) -> String {
    let name = |class: u8| dataset.schema().classes.get(usize::from(class)).map_or("?", String::as_str);
    let mut parts: Vec<String> = wrong.iter().take(3).map(|one| one.cause.to_string()).collect();
    parts.extend(differences.iter().take(3).map(|one| {
        let scores = if one.score.is_finite() {
            format!(", scores differ by {:.1e}", one.score)
        } else {
            String::new()
        };
        format!("row {}: logged {}, the model decides {}{scores}", one.row, name(one.logged), name(one.class))
    }));
    if wrong.len() > 3 || differences.len() > 3 {
        parts.push(format!("{} transcripts and {} classes in all", wrong.len(), differences.len()));
    }
    if !own.is_empty() {
        parts.push(own.to_owned());
    }
    let mut text = parts.join("; ");
    text.truncate(text.floor_char_boundary(REASON_BYTES as usize));
    text
}
