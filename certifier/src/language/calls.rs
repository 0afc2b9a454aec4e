//! The calls of a log: those that have a result, on the disk, and those that are left.

use std::{collections::BTreeMap, time::Duration};

use audit::language::{Answer, Call, MAX_ERRORS, Parsed};

use super::{
    Job, LanguageRunError, Progress, Respondent,
    journal::{Journal, Place},
    local::MILLION,
};
use crate::log::{LogRunError, folder::Folder};

/// Characters of an answer that are shown.
const SHOWN: usize = 80;

/// What a run goes through, whoever is asked.
pub(super) struct Calls<'a> {
    pub job: &'a Job<'a>,
    pub state: Progress,
    /// What went wrong in the last call without an answer, of this run.
    pub last_error: Option<String>,
    /// The beginning of the last answer that is no option, of this run.
    pub last_invalid: Option<String>,
    rows: &'a [u32],
    journal: Journal,
    done: BTreeMap<Place, Call>,
    /// Errors of calls that are made again.
    earlier: BTreeMap<Place, Vec<String>>,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Calls<'a> {
    /// Opens a folder's journal. Calls that failed count as left where the job says so.
    pub fn open(
        folder: &Folder,
        job: &'a Job<'a>,
        rows: &'a [u32],
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, LanguageRunError> {
        let (journal, mut done) = Journal::open(folder.path(), job.set, rows, &job.shuffle_seed)?;
        let mut earlier = BTreeMap::new();
        if job.retry_failed {
            let failed = done.extract_if(.., |_, call| call.answer.is_none());
            earlier.extend(failed.map(|(place, call)| (place, call.errors)));
        }
        let total = rows.len() as u64 * job.set.variants() as u64;
        let mut state = Progress { total, ..Progress::default() };
        done.values().for_each(|call| state.count(call));
        progress(state);
        Ok(Self { job, state, last_error: None, last_invalid: None, rows, journal, done, earlier, progress })
    }

    /// Places without a result, in order.
    pub fn left(&self) -> Vec<Place> {
        let variants = self.job.set.variants() as u32;
        let places = (0..self.rows.len() as u32).flat_map(|index| (0..variants).map(move |at| (index, at)));
        places.filter(|place| !self.done.contains_key(place)).collect()
    }

    /// Row and prompt of a place.
    pub fn asked(&self, place: Place) -> Result<(u32, String), LanguageRunError> {
        let row = self.rows.get(place.0 as usize).copied().unwrap_or_default();
        let prompt = self.job.set.prompt(&self.job.shuffle_seed, row, place.1 as usize);
        Ok((row, prompt.ok_or(LogRunError::NoRow(row))?))
    }

    /// Writes down what came of a call. Errors of earlier runs come first; the oldest fall out when there are too many.
    pub fn note(
        &mut self,
        place: Place,
        answer: Option<Answer>,
        errors: Vec<String>,
    ) -> Result<(), LanguageRunError> {
        let (row, prompt) = self.asked(place)?;
        let mut all = self.earlier.remove(&place).unwrap_or_default();
        all.extend(errors);
        all.drain(..all.len().saturating_sub(MAX_ERRORS));
        let (set, seed) = (self.job.set, &self.job.shuffle_seed);
        let parsed = answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(set, seed, row));
        let call = Call { prompt, answer, errors: all, parsed };
        // An answer of an endpoint has a price, and is on the disk before it is counted.
        let may_be_lost = match self.job.model {
            Respondent::Endpoint(..) => Duration::ZERO,
            Respondent::Local(_) => Duration::from_secs(1),
        };
        self.journal.append(place, &call, may_be_lost)?;
        if call.answer.is_none() {
            self.last_error = call.errors.last().cloned();
        }
        if let (Parsed::Invalid(_), Some(answer)) = (call.parsed, &call.answer) {
            let text: String = answer.text.chars().take(SHOWN).collect();
            self.last_invalid = Some(format!("{text:?}"));
        }
        self.state.count(&call);
        (self.progress)(self.state);
        self.done.insert(place, call);
        Ok(())
    }

    /// All of them, once none is left. Fails where not a single one has an answer: nobody was asked anything, and that is no
    /// audit, whatever the reason.
    pub fn into_complete(mut self) -> Result<Option<BTreeMap<Place, Call>>, LanguageRunError> {
        self.journal.sync()?;
        if self.state.failed == self.state.total {
            let last = self.done.values().find_map(|call| call.errors.last().cloned());
            let last = self.last_error.or(last).unwrap_or_default();
            let calls = u32::try_from(self.state.total).unwrap_or(u32::MAX);
            return Err(LanguageRunError::Unreachable { calls, last });
        }
        Ok((self.state.done == self.state.total).then_some(self.done))
    }
}

/// Whether a local model finds all letters together less likely than 1 %.
pub fn is_unlikely(answer: &Answer) -> bool {
    let share = |&likelihood: &i64| (likelihood as f64 / MILLION).exp();
    !answer.likelihoods.is_empty() && answer.likelihoods.iter().map(share).sum::<f64>() < 0.01
}

impl Progress {
    fn count(&mut self, call: &Call) {
        self.done += 1;
        self.failed += u64::from(call.parsed == Parsed::Failed);
        self.invalid += u64::from(matches!(call.parsed, Parsed::Invalid(_)));
        self.unlikely += u64::from(call.answer.as_ref().is_some_and(is_unlikely));
    }
}
