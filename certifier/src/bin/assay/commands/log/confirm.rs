use std::path::PathBuf;

use audit::{
    Dataset, Digest,
    log::{Openings, SubmissionHeader},
};
use certifier::{
    client::Client,
    log::{Difference, rerun},
};
use clap::Args;
use interface::{ArtefactKind, AuditId, AuditRecord, DigestBytes, ReportOpenings};
use serde_json::json;

use super::RuntimeArguments;
use crate::{
    arguments::Global,
    commands::{
        audit::{WaitArguments, wait, wait_and_show},
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
    /// Largest difference of a score
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Only say what would be reported
    #[arg(long)]
    dry_run: bool,
    /// What ran, in a line; shown with a finding that disagrees
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

pub async fn run(global: &Global, arguments: &ConfirmArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let record = wait(&client, arguments.audit, None, output).await?;
    let onnx = read_onnx(&arguments.model)?;
    let (header, openings, dataset) = evidence(&client, &record, output).await?;
    let statement = header.signed.statement();
    if Digest::of(&onnx) != statement.model() {
        let what = format!("the log is of model {}, the file is {}", statement.model(), Digest::of(&onnx));
        return Err(Failure::new(what, "pass the ONNX file that was run; its owner must give it to you"));
    }
    let request = arguments.runtime.request();
    let (differences, largest) = rerun(&onnx, &dataset, statement, &openings, &request, arguments.tolerance)?;
    let agrees = differences.is_empty();
    let note = note(&differences, &arguments.note, &dataset);
    let count = openings.openings.len();
    if arguments.dry_run {
        let document = json!({
            "audit": record.id, "openings": count, "agrees": agrees, "note": note,
            "largest_score_difference": largest,
        });
        output.result(&document, || {
            format!("{} of {count} openings differ; nothing was reported\n{note}\n", differences.len())
        })?;
        return Ok(if agrees { Exit::Ok } else { Exit::Mismatch });
    }
    client.report_openings(ReportOpenings { audit: record.id, agrees, note }).await?;
    output.note(format!(
        "reported: {} of {count} openings differ, scores by at most {largest:e}",
        differences.len()
    ));
    if !agrees {
        return Ok(Exit::Mismatch);
    }
    wait_and_show(&client, record.id, WaitArguments::default(), output).await
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
    let header = SubmissionHeader::parse(&log)?;
    let openings = Openings::parse(&openings)?;
    openings.verify(header.signed.statement())?;
    openings.check_inputs(&dataset)?;
    Ok((header, openings, dataset))
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

/// What the canister is told: the first differences, and the auditor's own words.
fn note(differences: &[Difference], own: &str, dataset: &Dataset) -> String {
    let name = |class: u8| dataset.schema().classes.get(usize::from(class)).map_or("?", String::as_str);
    let mut parts: Vec<String> = differences
        .iter()
        .take(3)
        .map(|one| {
            format!("row {}: logged {}, the model decides {}", one.row, name(one.logged), name(one.class))
        })
        .collect();
    if differences.len() > 3 {
        parts.push(format!("{} in all", differences.len()));
    }
    if !own.is_empty() {
        parts.push(own.to_owned());
    }
    parts.join("; ").chars().take(400).collect()
}
