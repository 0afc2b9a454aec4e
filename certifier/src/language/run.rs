//! Asks every prompt of an item set, or what is left of them, and writes the log once all are done.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use audit::{
    Counts, Dataset, Digest,
    language::{Call, ItemSet, LanguageFacts, LanguageModel, Transcript},
    log::{DecisionFacts, Predictions, Record, Rows, RuntimeFacts, Tree, output_digest, salt},
};

use super::{Endpoint, LanguageRunError, Limits, Local, ask, calls::Calls, journal::Place};
use crate::log::{FORMAT, LogRunError, Named, Parameters, folder::Folder};

/// What to ask.
pub struct Job<'a> {
    /// Labels and groups of the items.
    pub dataset: &'a Dataset,
    /// The items.
    pub set: &'a ItemSet,
    /// Which of them.
    pub rows: Rows,
    /// Who is asked.
    pub model: Respondent,
    /// What orders the options.
    pub shuffle_seed: Digest,
    /// Ask calls again that failed in an earlier run.
    pub retry_failed: bool,
}

/// Who is asked.
pub enum Respondent {
    /// An endpoint, so much and so often.
    Endpoint(Arc<Endpoint>, Limits),
    /// A model on this computer.
    Local(Box<Local>),
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
    /// Of those done by a local model, whose letters together are less likely than 1 %: it would say something else.
    pub unlikely: u64,
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
    /// The beginning of the last answer that is no option, of this run.
    pub last_invalid: Option<String>,
    /// Requests and tokens of this run that an endpoint had; tokens as it counts them, or the most they can have been.
    pub spent: Option<(u64, u64)>,
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
    let mut calls = Calls::open(&folder, &job, &rows, progress)?;
    let resumed_at = calls.state.done;
    let spent = match &job.model {
        Respondent::Endpoint(endpoint, limits) => Some(ask::all(&mut calls, endpoint, limits).await?),
        Respondent::Local(local) => {
            local.all(&mut calls)?;
            None
        }
    };
    let (state, last_error, last_invalid) =
        (calls.state, calls.last_error.clone(), calls.last_invalid.clone());
    let complete = calls.into_complete()?;
    let root = complete.map(|calls| write(&folder, &job, &rows, calls)).transpose()?;
    let size = rows.len() as u32;
    Ok(Ended { parameters, root, size, progress: state, resumed_at, last_error, last_invalid, spent })
}

impl Respondent {
    /// Who that is.
    pub fn facts(&self) -> LanguageModel {
        match self {
            Self::Endpoint(endpoint, _) => LanguageModel::Endpoint(endpoint.facts().clone()),
            Self::Local(local) => LanguageModel::Local(local.facts().clone()),
        }
    }

    fn runtime(&self) -> RuntimeFacts {
        match self {
            Self::Endpoint(endpoint, _) => RuntimeFacts {
                name: "chat completions".to_owned(),
                version: concat!("assay ", env!("CARGO_PKG_VERSION")).to_owned(),
                library: None,
                provider: endpoint.facts().base_url.clone(),
                fallback: false,
                batch: 1,
                threads: None,
            },
            Self::Local(local) => local.runtime(),
        }
    }
}

/// Writes records in the order of rows, whatever the order of answers was.
fn write(
    folder: &Folder,
    job: &Job<'_>,
    rows: &[u32],
    mut calls: BTreeMap<Place, Call>,
) -> Result<Digest, LanguageRunError> {
    let (secret, schema, facts) = (folder.secret()?, job.dataset.schema(), facts(job)?);
    let mut counts = Counts::new(schema);
    let (mut transcripts, mut records, mut leaves) = (Vec::new(), Vec::new(), Vec::new());
    for (index, &row) in (0..).zip(rows) {
        let of_row = (0..job.set.variants() as u32).filter_map(|variant| calls.remove(&(index, variant)));
        let transcript = Transcript::new(job.set.plan().kind, schema.classes.len(), row, of_row.collect());
        transcript.check(job.set, schema.classes.len(), &facts)?;
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

fn facts(job: &Job<'_>) -> Result<LanguageFacts, LanguageRunError> {
    Ok(LanguageFacts::new(job.set, job.model.facts(), job.shuffle_seed)?)
}

fn parameters(job: &Job<'_>) -> Result<Parameters, LanguageRunError> {
    let (schema, language) = (job.dataset.schema(), facts(job)?);
    Ok(Parameters {
        format: FORMAT.to_owned(),
        model: Named { name: language.model.name().to_owned(), digest: language.model.digest()? },
        dataset: Named { name: schema.name.clone(), digest: job.dataset.digest() },
        dataset_rows: job.dataset.rows(),
        rows: job.rows.clone(),
        classes: schema.classes.clone(),
        favourable: schema.classes[usize::from(schema.favourable)].clone(),
        attributes: Predictions::attributes_of(schema),
        scores: 0,
        decision: decision(),
        runtime: job.model.runtime(),
        language: Some(language),
    })
}
