use std::{path::PathBuf, sync::Arc, time::Duration};

use audit::{
    Dataset,
    language::{EndpointFacts, ItemSet, LanguageFacts},
    log::{Card, Rows},
};
use certifier::{
    language::{
        Ended, Endpoint, EndpointOptions, Job, LanguageRunError, Limits, MAX_ATTEMPTS, MAX_CONCURRENCY,
        Progress, Respondent, read_items, run as ask,
    },
    log::{Changed, first_change},
};
use clap::Args;
use interface::{ArtefactKind, AuditId};
use serde_json::json;

use super::asked::{AskedArguments, ENDPOINT};
use crate::{
    arguments::Global,
    commands::log::{RowArguments, RuntimeArguments, awaited},
    failure::{Exit, Failure, Result},
    output::Output,
    session,
};

#[derive(Args)]
pub struct RunArguments {
    #[command(flatten)]
    asked: AskedArguments,
    /// Folder of the log
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
    #[command(flatten)]
    rows: RowArguments,
    /// Audit that awaits this log: rows come from the canister, and all else must be as registered
    #[arg(long, value_name = "ID", conflicts_with_all = ["rows", "audit_seed"])]
    audit: Option<AuditId>,
    /// Ask calls again that got no answer in an earlier run
    #[arg(long)]
    retry_failed: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
    #[command(flatten)]
    runtime: RuntimeArguments,
}

/// How an endpoint is asked.
#[derive(Args)]
#[command(next_help_heading = ENDPOINT)]
#[group(conflicts_with = "local")]
pub struct EndpointArguments {
    /// Environment variable with the key; '' for none
    #[arg(long, value_name = "VARIABLE", default_value = "OPENAI_API_KEY")]
    key_env: String,
    /// Send the key over plain HTTP to another computer
    #[arg(long)]
    insecure_http: bool,
    /// Calls at a time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=MAX_CONCURRENCY as i64))]
    concurrency: u32,
    /// Requests a minute, evenly spread; no limit by default
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_minute: Option<u32>,
    /// Most requests of this run, failed attempts included
    #[arg(long, value_name = "COUNT")]
    max_requests: Option<u64>,
    /// Most tokens of this run, prompts and answers, as the endpoint counts them
    #[arg(long, value_name = "TOKENS")]
    max_tokens_total: Option<u64>,
    /// Attempts of one call
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=MAX_ATTEMPTS as i64))]
    attempts: u32,
    /// Longest time for one request, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl EndpointArguments {
    fn open(&self, facts: EndpointFacts, output: Output) -> Result<Endpoint> {
        let key = match self.key_env.as_str() {
            "" => None,
            name => {
                let key =
                    std::env::var(name).ok().map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
                // The default may be missing, since servers at home want no key; a variable that was named may not.
                if key.is_none() && name != "OPENAI_API_KEY" {
                    return Err(LanguageRunError::NoKey(name.to_owned()).into());
                }
                key
            }
        };
        let timeout = Duration::from_secs(self.timeout);
        let without = key.is_none();
        let options = EndpointOptions { facts, key, timeout, insecure_http: self.insecure_http };
        let endpoint = Endpoint::new(options)?;
        if without {
            output.note("no key is sent");
        }
        Ok(endpoint)
    }

    fn limits(&self) -> Limits {
        Limits {
            concurrency: self.concurrency,
            requests_per_minute: self.requests_per_minute,
            max_requests: self.max_requests,
            max_tokens_total: self.max_tokens_total,
            attempts: self.attempts,
            ..Limits::default()
        }
    }
}

impl RunArguments {
    /// Who is asked, ready for it.
    fn respondent(&self, output: Output) -> Result<Respondent> {
        if let Some((files, facts)) = self.asked.local()? {
            let spinner = output.spinner("loading the model");
            let local = files.load(&facts, &self.runtime.request())?;
            drop(spinner);
            return Ok(Respondent::Local(Box::new(local)));
        }
        if self.runtime.is_chosen() {
            return Err(Failure::new(
                "an endpoint runs its model itself: --device, --threads and --embedded are for --local",
                "leave them out",
            ));
        }
        let endpoint = self.endpoint.open(self.asked.endpoint()?, output)?;
        Ok(Respondent::Endpoint(Arc::new(endpoint), self.endpoint.limits()))
    }
}

pub async fn run(global: &Global, arguments: &RunArguments, output: Output) -> Result<Exit> {
    let (dataset, set) = read_items(arguments.asked.items())?;
    let rows = match arguments.audit {
        None => arguments.rows.rows(),
        Some(audit) => drawn(global, audit, arguments, (&dataset, &set), output).await?,
    };
    let job = Job {
        dataset: &dataset,
        set: &set,
        rows,
        model: arguments.respondent(output)?,
        shuffle_seed: arguments.asked.shuffle_seed(&dataset),
        retry_failed: arguments.retry_failed,
    };
    output.on_interrupt("what was answered is kept, and the same command goes on");
    let bar = output.bar("asking", false);
    let ended = ask(&arguments.output, job, &mut |progress| {
        bar.set(progress.done, progress.total);
        bar.say(format!("{} invalid, {} failed", progress.invalid, progress.failed));
    })
    .await?;
    drop(bar);
    show(arguments, &ended, output)?;
    Ok(Exit::Ok)
}

/// The rows that an audit drew, if it is of these items, asked like this.
async fn drawn(
    global: &Global,
    id: AuditId,
    arguments: &RunArguments,
    (dataset, set): (&Dataset, &ItemSet),
    output: Output,
) -> Result<Rows> {
    let client = session::client(global, output).await?;
    let (record, rows) = awaited(&client, id, output).await?;
    let refused = |what: &str| {
        Failure::new(
            format!("audit {id} is about another {what}"),
            "pass what the model was registered with (`assay language register`)",
        )
    };
    if record.dataset != dataset.digest().into() {
        return Err(refused("item set"));
    }
    let kind = ArtefactKind::LoggedModel;
    let card = Card::parse(&client.download(kind, record.model.into(), &mut |_, _| ()).await?)?;
    let facts = arguments.asked.facts(dataset, set, arguments.asked.model()?)?;
    if card.language.as_ref() != Some(&facts) {
        let document = |facts: Option<&LanguageFacts>| json!({ "language": facts });
        let Changed { field, was, now } =
            first_change(&document(card.language.as_ref()), &document(Some(&facts)));
        return Err(Failure::new(
            format!("{field} was registered as {was}, and is {now} here"),
            "pass what the model was registered with; `assay model show` tells it",
        ));
    }
    Ok(rows)
}

fn show(arguments: &RunArguments, ended: &Ended, output: Output) -> Result<()> {
    let Ended { parameters, root, size, progress, resumed_at, last_error, last_invalid, spent } = ended;
    if *resumed_at > 0 {
        output.note(format!("{resumed_at} calls were there already"));
    }
    if let Some(error) = last_error {
        output.warn(format!("calls without an answer count as failed; the last: {error}"));
        output.note("--retry-failed asks them again");
    }
    if let Some(answer) = last_invalid.as_ref().filter(|_| 2 * progress.invalid > progress.done) {
        output.warn(format!(
            "{} of {} answers are no option and count as invalid; the last begins with {answer}",
            progress.invalid, progress.done
        ));
    }
    if progress.unlikely > 0 {
        output.warn(format!(
            "in {} of {} calls the letters together have a probability below 1 %: do --before, --after and the tokenizer suit \
             the model? `assay language prompt --local` shows what it sees",
            progress.unlikely, progress.done
        ));
    }
    let document = json!({
        "folder": arguments.output, "root": root, "complete": root.is_some(), "size": size,
        "calls": progress.done, "calls_in_all": progress.total, "failed": progress.failed,
        "invalid": progress.invalid, "resumed_at": resumed_at, "requests": spent.map(|(requests, _)| requests),
        "tokens": spent.map(|(_, tokens)| tokens),
        "language": parameters.language,
    });
    let folder = arguments.output.display();
    output.result(&document, || {
        let Progress { done, total, invalid, failed, .. } = progress;
        let spent = spent.map_or_else(String::new, |(requests, tokens)| {
            format!("; {requests} requests and {tokens} tokens in this run")
        });
        let counts = format!("{done} of {total} calls, {invalid} invalid, {failed} failed{spent}\n");
        match root {
            Some(root) => format!(
                "{size} items asked of {}\n{counts}root {root}\n`assay language report {folder}` shows figures, `assay log sign \
                 {folder}` commits to them\n",
                parameters.model.name,
            ),
            None => format!("{counts}the budget is spent; the same command goes on\n"),
        }
    })
}
