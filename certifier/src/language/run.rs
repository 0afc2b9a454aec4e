//! Asks every prompt of an item set, or what is left of them, and writes the log once all are done.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use audit::{
    Counts, Dataset, Digest,
    language::{Call, ItemSet, LanguageFacts, MAX_ERRORS, Parsed, Transcript},
    log::{DecisionFacts, Predictions, Record, Rows, RuntimeFacts, Tree, output_digest, salt},
};
use tokio::task::JoinSet;

use super::{
    Endpoint, LanguageRunError, Limits,
    ask::{Asked, Shared, Stop},
    journal::{Journal, Place},
    limits::{Budget, Pace},
};
use crate::log::{FORMAT, LogRunError, Named, Parameters, folder::Folder};

/// So many calls in a row without an answer end a run, or twice as many as are under way.
const HOPELESS: u32 = 8;

/// What to ask.
pub struct Job<'a> {
    /// Labels and groups of the items.
    pub dataset: &'a Dataset,
    /// The items.
    pub set: &'a ItemSet,
    /// Which of them.
    pub rows: Rows,
    /// Who is asked.
    pub endpoint: Arc<Endpoint>,
    /// What orders the options.
    pub shuffle_seed: Digest,
    /// How much and how often.
    pub limits: Limits,
    /// Ask calls again that failed in an earlier run.
    pub retry_failed: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Calls with a result.
    pub done: u64,
    /// Calls of the whole log.
    pub total: u64,
    /// Of those done, without an answer.
    pub failed: u64,
    /// Of those done, with an answer that is no option.
    pub invalid: u64,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// What was run.
    pub parameters: Parameters,
    /// Root of the tree; none when the budget ended before the items did.
    pub root: Option<Digest>,
    /// Items of the log.
    pub size: u32,
    /// Calls.
    pub progress: Progress,
    /// Calls that had a result when this run began.
    pub resumed_at: u64,
    /// What went wrong in the last call without an answer, of this run.
    pub last_error: Option<String>,
    /// Requests and tokens of this run; tokens as the endpoint counts them, or the most they can have been.
    pub spent: (u64, u64),
}

/// Runs a job in a folder, or what is left of it.
pub async fn run(
    folder: &Path,
    job: Job<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ended, LanguageRunError> {
    let folder = Folder::new(folder);
    let rows = job.rows.expand(job.dataset.rows()).map_err(LogRunError::from)?;
    let parameters = parameters(&job)?;
    folder.begin(&parameters)?;
    let (mut journal, mut calls) = Journal::open(folder.path(), job.set, &rows, &job.shuffle_seed)?;
    let mut earlier = BTreeMap::new();
    if job.retry_failed {
        let failed: Vec<Place> =
            calls.iter().filter(|(_, call)| call.answer.is_none()).map(|(place, _)| *place).collect();
        earlier =
            failed.into_iter().filter_map(|place| Some((place, calls.remove(&place)?.errors))).collect();
    }
    let resumed_at = calls.len() as u64;
    let total = rows.len() as u64 * job.set.variants() as u64;
    let mut state = Progress { total, ..Progress::default() };
    calls.values().for_each(|call| state.count(call));
    progress(state);

    let shared = Arc::new(Shared {
        pace: Pace::new(&job.limits),
        budget: Budget::new(&job.limits),
        endpoint: job.endpoint.clone(),
        limits: job.limits.clone(),
    });
    let variants = job.set.variants() as u32;
    let mut open = (0..rows.len() as u32)
        .flat_map(|index| (0..variants).map(move |variant| (index, variant)))
        .filter(|place| !calls.contains_key(place))
        .collect::<Vec<_>>()
        .into_iter();
    let (mut tasks, mut budget_left, mut in_a_row, mut last_error) = (JoinSet::new(), true, 0, None);
    loop {
        while budget_left && tasks.len() < job.limits.concurrency as usize {
            let Some(place) = open.next() else { break };
            let row = rows.get(place.0 as usize).copied().unwrap_or_default();
            let prompt = job.set.prompt(&job.shuffle_seed, row, place.1 as usize);
            let prompt = prompt.ok_or(LogRunError::NoRow(row))?;
            let shared = shared.clone();
            tasks.spawn(async move {
                let outcome = shared.ask(&prompt).await;
                (place, row, prompt, outcome)
            });
        }
        let Some(joined) = tasks.join_next().await else { break };
        let (place, row, prompt, outcome) =
            joined.map_err(|cause| LanguageRunError::Task(cause.to_string()))?;
        match outcome {
            Ok(asked) => {
                let exhausted = asked.exhausted;
                let call = call(&job, row, prompt, asked, earlier.remove(&place).unwrap_or_default());
                journal.append(place, &call)?;
                state.count(&call);
                progress(state);
                in_a_row = if exhausted { in_a_row + 1 } else { 0 };
                if call.answer.is_none() {
                    last_error = call.errors.last().cloned();
                }
                // One failing call stops nobody; when all fail, the rest of the log must not become failures too.
                if in_a_row >= HOPELESS.max(2 * job.limits.concurrency) {
                    return Err(LanguageRunError::Unreachable {
                        calls: in_a_row,
                        last: last_error.unwrap_or_default(),
                    });
                }
                calls.insert(place, call);
            }
            Err(Stop::Budget) => budget_left = false,
            Err(Stop::Fatal(cause)) => return Err(cause),
        }
    }
    if in_a_row > 0 && u64::from(in_a_row) == state.done {
        return Err(LanguageRunError::Unreachable { calls: in_a_row, last: last_error.unwrap_or_default() });
    }
    if state.failed == total {
        // Whatever the reason: nobody was asked anything, and that is no audit.
        let last = last_error.or_else(|| calls.values().find_map(|call| call.errors.last().cloned()));
        let calls = u32::try_from(total).unwrap_or(u32::MAX);
        return Err(LanguageRunError::Unreachable { calls, last: last.unwrap_or_default() });
    }
    let root = match state.done == total {
        true => Some(write(&folder, &job, &rows, calls)?),
        false => None,
    };
    let (size, spent) = (rows.len() as u32, shared.budget.spent());
    Ok(Ended { parameters, root, size, progress: state, resumed_at, last_error, spent })
}

impl Progress {
    fn count(&mut self, call: &Call) {
        self.done += 1;
        self.failed += u64::from(call.parsed == Parsed::Failed);
        self.invalid += u64::from(matches!(call.parsed, Parsed::Invalid(_)));
    }
}

/// The call's entry; errors of earlier runs come first, the oldest fall out when there are too many.
fn call(job: &Job<'_>, row: u32, prompt: String, asked: Asked, earlier: Vec<String>) -> Call {
    let mut errors = earlier;
    errors.extend(asked.errors);
    errors.drain(..errors.len().saturating_sub(MAX_ERRORS));
    let answer = asked.answer;
    let parsed =
        answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(job.set, &job.shuffle_seed, row));
    Call { prompt, answer, errors, parsed }
}

/// Writes records in the order of rows, whatever the order of answers was.
fn write(
    folder: &Folder,
    job: &Job<'_>,
    rows: &[u32],
    mut calls: BTreeMap<Place, Call>,
) -> Result<Digest, LanguageRunError> {
    let (secret, schema) = (folder.secret()?, job.dataset.schema());
    let mut counts = Counts::new(schema);
    let (mut transcripts, mut records, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    for (index, &row) in (0..).zip(rows) {
        let of_row = (0..job.set.variants() as u32).filter_map(|variant| calls.remove(&(index, variant)));
        let transcript = Transcript::new(job.set.plan().kind, schema.classes.len(), row, of_row.collect());
        transcript.check(job.set, schema.classes.len(), &job.shuffle_seed)?;
        let json = transcript.to_json()?;
        let input = job.dataset.record(row).map(Digest::of).ok_or(LogRunError::NoRow(row))?;
        let found = job.dataset.row(row).ok_or(LogRunError::NoRow(row))?;
        counts.record(found.groups, found.label, transcript.class)?;
        let output = output_digest(&salt(&secret, index), &json);
        let record = Record { row, input, output, class: transcript.class };
        leaves.push(record.leaf());
        records.extend_from_slice(&record.to_bytes());
        transcripts.extend_from_slice(&json);
        transcripts.push(b'\n');
    }
    folder.write_whole(&transcripts, &records, counts.counters())?;
    Ok(Tree::new(leaves).root())
}

/// How a language model decides: by its answer.
pub fn decision() -> DecisionFacts {
    DecisionFacts { output: "answer".to_owned(), scores: None, threshold: None, labels: Vec::new() }
}

fn parameters(job: &Job<'_>) -> Result<Parameters, LanguageRunError> {
    let (schema, endpoint) = (job.dataset.schema(), job.endpoint.facts());
    let language = LanguageFacts::new(job.set, endpoint.clone(), job.shuffle_seed)?;
    Ok(Parameters {
        format: FORMAT.to_owned(),
        model: Named { name: endpoint.model.clone(), digest: endpoint.digest()? },
        dataset: Named { name: schema.name.clone(), digest: job.dataset.digest() },
        dataset_rows: job.dataset.rows(),
        rows: job.rows.clone(),
        classes: schema.classes.clone(),
        favourable: schema.classes[usize::from(schema.favourable)].clone(),
        attributes: Predictions::attributes_of(schema),
        scores: 0,
        decision: decision(),
        runtime: RuntimeFacts {
            name: "chat completions".to_owned(),
            version: concat!("assay ", env!("CARGO_PKG_VERSION")).to_owned(),
            library: None,
            provider: endpoint.base_url.clone(),
            fallback: false,
            batch: 1,
            threads: None,
        },
        language: Some(language),
    })
}
