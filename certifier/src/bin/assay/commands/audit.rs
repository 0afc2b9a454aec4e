use std::{path::PathBuf, time::Duration};

use certifier::client::Client;
use clap::{Args, Subcommand};
use interface::{
    AbandonAudit, AuditId, AuditRecord, AuditRequest, AuditState, AuditsRequest, CertificateId,
    CertificateSummary, CertificatesRequest, LogRequest,
};
use serde_json::json;

use super::{policy, reference};
use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    session, show,
    table::Table,
    time::{parse_duration_s, utc},
};

/// Pause between two looks at an audit.
const PAUSE: Duration = Duration::from_millis(300);

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Ask the canister to audit a registered model on a registered dataset
    #[command(
        after_help = "Example:\n  assay audit request --model logistic.assay-model --dataset german-credit \\\n      \
        --policy policy.json --sample 400 --valid-for 365d --wait\n\n\
        The canister draws the rows itself, after the request. Every requested audit stays visible."
    )]
    Request(RequestArguments),
    /// Show an audit
    Status {
        /// Its number
        id: AuditId,
    },
    /// Wait until an audit has ended, or needs somebody: its owner's proof, log or openings, or an auditor
    Wait {
        /// Its number
        id: AuditId,
        #[command(flatten)]
        wait: WaitArguments,
    },
    /// List audits, newest first, failed and abandoned ones too
    List {
        /// Only of this model (digest, file or name)
        #[arg(long)]
        model: Option<String>,
        /// Most audits to show
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Stop an open audit, for good and for all to see
    Abandon {
        /// Its number
        id: AuditId,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args)]
pub struct RequestArguments {
    /// The model: digest, file or name
    #[arg(long)]
    model: String,
    /// The dataset: digest, folder or name
    #[arg(long)]
    dataset: String,
    /// Policy file (JSON)
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Rows to draw; all rows by default
    #[arg(long, value_name = "ROWS")]
    sample: Option<u32>,
    /// How long the certificate is to be valid, e.g. 365d; without end by default
    #[arg(long, value_name = "TIME", value_parser = parse_duration_s)]
    valid_for: Option<u64>,
    /// Certificate that the new one replaces
    #[arg(long, value_name = "ID")]
    supersedes: Option<CertificateId>,
    /// By a prediction log: you run the model, sign every prediction, and open what the canister draws then
    #[arg(long)]
    log: bool,
    /// Predictions of the log to open; with none the certificate is `attested` at most
    #[arg(long, value_name = "COUNT", requires = "log", default_value_t = 300, hide_default_value = true)]
    openings: u32,
    /// Wait until the audit has ended
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    waiting: WaitArguments,
}

#[derive(Args, Clone, Copy, Default)]
pub struct WaitArguments {
    /// Exit with 4 unless the verdict is `pass`
    #[arg(long)]
    require_pass: bool,
    /// Give up waiting after this time, e.g. 10m; the audit goes on
    #[arg(long, value_name = "TIME", value_parser = parse_duration_s)]
    timeout: Option<u64>,
}

pub async fn run(global: &Global, command: AuditCommand, output: Output) -> Result<Exit> {
    let client = session::client(global, output).await?;
    match command {
        AuditCommand::Request(arguments) => return request(&client, arguments, output).await,
        AuditCommand::Status { id } => shown(&client.audit(id).await?, None, output)?,
        AuditCommand::Wait { id, wait } => return wait_and_show(&client, id, wait, output).await,
        AuditCommand::List { model, limit } => list(&client, model, limit, output).await?,
        AuditCommand::Abandon { id, reason } => {
            client.abandon_audit(AbandonAudit { id, reason }).await?;
            shown(&client.audit(id).await?, None, output)?;
        }
    }
    Ok(Exit::Ok)
}

async fn request(client: &Client, arguments: RequestArguments, output: Output) -> Result<Exit> {
    let policy = policy::read(&arguments.policy)?;
    let json = policy.to_json().map_err(anyhow::Error::from)?;
    let request = AuditRequest {
        model: reference::model(client, &arguments.model).await?.digest,
        dataset: reference::dataset(client, &arguments.dataset).await?.digest,
        sample_size: arguments.sample,
        policy: String::from_utf8(json).map_err(anyhow::Error::from)?,
        valid_for_s: arguments.valid_for,
        supersedes: arguments.supersedes,
        log: arguments.log.then_some(LogRequest { openings: arguments.openings }),
    };
    let id = client.request_audit(request).await?;
    output.note(format!("audit {id} is requested"));
    if arguments.wait {
        return wait_and_show(client, id, arguments.waiting, output).await;
    }
    shown(&client.audit(id).await?, None, output)?;
    Ok(Exit::Ok)
}

pub async fn wait_and_show(
    client: &Client,
    id: AuditId,
    arguments: WaitArguments,
    output: Output,
) -> Result<Exit> {
    let record = wait(client, id, arguments.timeout, output).await?;
    let next = match record.state {
        AuditState::AwaitingProof { .. } => {
            Some(format!("the model is private: `assay prove {id} --model FILE` goes on"))
        }
        AuditState::AwaitingLog { .. } => Some(format!(
            "`assay log run --audit {id} --model FILE -o FOLDER` (of a language model `assay language run \
             --audit {id} …`), `assay log sign FOLDER` and \
             `assay log submit FOLDER --audit {id}` go on"
        )),
        AuditState::AwaitingOpenings { .. } => {
            Some(format!("`assay log submit FOLDER --audit {id}` goes on"))
        }
        AuditState::AwaitingAuditor { .. } => Some(format!(
            "an auditor goes on who has the model: `assay log confirm {id} --model FILE` (of a language model \
                 also `--items FOLDER`)"
        )),
        _ => None,
    };
    if let Some(next) = next {
        output.note(next);
        shown(&record, None, output)?;
        return Ok(Exit::Ok);
    }
    let AuditState::Completed { certificate } = record.state else {
        return Err(Failure::new(
            format!("audit {id} was {}", show::state_text(&record.state)),
            "it stays visible; request another one when the reason is gone",
        ));
    };
    let summary = summary(client, certificate).await?;
    shown(&record, Some(&summary), output)?;
    let passed = summary.verdict == interface::Verdict::Pass;
    Ok(if arguments.require_pass && !passed { Exit::NotPassed } else { Exit::Ok })
}

/// Follows an audit until it has ended, or waits for somebody.
pub async fn wait(
    client: &Client,
    id: AuditId,
    timeout_s: Option<u64>,
    output: Output,
) -> Result<AuditRecord> {
    let bar = output.bar(&format!("audit {id}"), false);
    let follow = async {
        loop {
            let record = client.audit(id).await?;
            match record.state {
                AuditState::Running { done, of } => bar.set(done.into(), of.into()),
                AuditState::Requested | AuditState::Counted { .. } => bar.say("waits for randomness"),
                _ => return Ok(record),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match timeout_s {
        None => follow.await,
        Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), follow).await.map_err(|_| {
            let hint = format!("it goes on; `assay audit wait {id}` waits again");
            Failure::new(format!("audit {id} has not ended within {seconds} s"), hint)
        })?,
    }
}

async fn summary(client: &Client, id: CertificateId) -> Result<CertificateSummary> {
    let request = CertificatesRequest { before: Some(id + 1), limit: Some(1), ..Default::default() };
    let page = client.certificates(request).await?;
    let found = page.items.into_iter().find(|summary| summary.id == id);
    found.ok_or_else(|| {
        Failure::new(format!("certificate {id} is not listed"), "try `assay certificate show`")
    })
}

fn shown(record: &AuditRecord, certificate: Option<&CertificateSummary>, output: Output) -> Result<()> {
    let mut document = show::audit_record(record);
    document["verdict"] = json!(certificate.map(|summary| show::verdict_word(summary.verdict)));
    output.result(&document, || {
        let mut text = format!("audit {}: {}\n", record.id, show::state_text(&record.state));
        if let Some(summary) = certificate {
            text.push_str(&format!("verdict: {}\n", show::verdict_word(summary.verdict)));
        }
        text
    })
}

async fn list(client: &Client, model: Option<String>, limit: u32, output: Output) -> Result<()> {
    let model = match model {
        Some(text) => Some(reference::model(client, &text).await?.digest),
        None => None,
    };
    let mut records: Vec<AuditRecord> = Vec::new();
    let mut before = None;
    while records.len() < limit as usize {
        let request = AuditsRequest { model, before, ..Default::default() };
        let page = client.audits(request).await?;
        records.extend(page.items);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    records.truncate(limit as usize);
    output.result(&records.iter().map(show::audit_record).collect::<Vec<_>>(), || {
        let mut table =
            Table::new(&[">audit", "requested", "model", "dataset", ">samples", "policy", "state"]);
        for record in &records {
            table.row([
                record.id.to_string(),
                utc(record.requested_at_ns),
                record.model.to_string().chars().take(12).collect(),
                record.dataset.to_string().chars().take(12).collect(),
                record.sample_size.to_string(),
                record.policy_name.clone(),
                show::state_text(&record.state),
            ]);
        }
        table.render(0)
    })
}
