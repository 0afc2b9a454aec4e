use std::path::PathBuf;

use audit::{
    Digest,
    log::{MAX_ENVELOPE, Signed},
};
use certifier::{
    client::Client,
    log::{Places, open, openings_bytes, submission},
    private,
};
use clap::Args;
use interface::{ArtefactKind, AuditId, AuditRecord, AuditState, OPENINGS_BYTES, SubmitLog, SubmitOpenings};

use super::read;
use crate::{
    arguments::Global,
    commands::audit::{WaitArguments, wait, wait_and_show},
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
};

#[derive(Args)]
pub struct SubmitArguments {
    /// Folder of a complete, signed log
    folder: PathBuf,
    /// Number of the audit that it is for
    #[arg(long, value_name = "ID")]
    audit: AuditId,
    /// Signed statement; statement.json in the folder by default
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    #[command(flatten)]
    waiting: WaitArguments,
}

pub async fn run(global: &Global, arguments: &SubmitArguments, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    let record = wait(&client, arguments.audit, None, output).await?;
    let record = match record.state {
        AuditState::AwaitingLog { .. } => {
            let default = || arguments.folder.join("statement.json");
            let statement = arguments.statement.clone().unwrap_or_else(default);
            let openings = record.log.as_ref().map_or(0, |log| log.openings);
            let most = openings_bytes(&arguments.folder, openings)?;
            if most > OPENINGS_BYTES {
                return Err(Failure::new(
                    format!(
                        "{openings} openings of this log can have {most} bytes, at most {OPENINGS_BYTES} are taken"
                    ),
                    "nothing was handed in: abandon the audit and ask for one with fewer --openings",
                ));
            }
            let bytes = submission(&arguments.folder, &read(&statement, MAX_ENVELOPE)?)?;
            let log = put(&client, ArtefactKind::Log, &bytes, output).await?;
            client.submit_log(SubmitLog { audit: record.id, log: log.into() }).await?;
            output.note(format!("handed in the log, {} bytes", bytes.len()));
            wait(&client, arguments.audit, None, output).await?
        }
        _ => {
            own(&record, arguments)?;
            record
        }
    };
    if let AuditState::AwaitingOpenings { openings: count } = record.state {
        let openings = open(&arguments.folder, &Places::Drawn { seed: seed(&record)?, count })?;
        let bytes = serde_json::to_vec(&openings)?;
        private::write(&arguments.folder.join("openings.json"), &bytes)?;
        let openings = put(&client, ArtefactKind::Openings, &bytes, output).await?;
        client.submit_openings(SubmitOpenings { audit: record.id, openings: openings.into() }).await?;
        output.note(format!("opened {count} predictions, {} bytes", bytes.len()));
    }
    wait_and_show(&client, arguments.audit, arguments.waiting, output).await
}

/// Fails unless the folder's log is the one that was handed in for the audit.
fn own(record: &AuditRecord, arguments: &SubmitArguments) -> Result<()> {
    let statement = arguments.statement.clone().unwrap_or_else(|| arguments.folder.join("statement.json"));
    let signed = Signed::verify(&read(&statement, MAX_ENVELOPE)?)?;
    let submitted = record.log.as_ref().and_then(|log| log.submitted.as_ref());
    if submitted.is_some_and(|submitted| submitted.statement == signed.digest().into()) {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "audit {} is {}, and this log was not handed in for it",
            record.id,
            show::state_text(&record.state)
        ),
        "`assay log run --audit ID` makes the log of an audit that awaits one; `assay audit list` shows them",
    ))
}

fn seed(record: &AuditRecord) -> Result<Digest> {
    let seed = record.log.as_ref().and_then(|log| log.seed);
    seed.map(Into::into)
        .ok_or_else(|| Failure::new("the audit has no second seed", "ask for its status again"))
}

async fn put(client: &Client, kind: ArtefactKind, bytes: &[u8], output: Output) -> Result<Digest> {
    let bar = output.bar(&format!("uploading {kind}"), true);
    client.put(kind, bytes, &mut |done, total| bar.set(done, total)).await?;
    Ok(Digest::of(bytes))
}
