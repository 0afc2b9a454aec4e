//! A local model runs items of a log again.

use audit::{
    Digest,
    language::{Answer, CHANGED, Call, ItemSet, Kind, LanguageFacts, Parsed, Transcript, order},
    log::Openings,
};
use runtime::RuntimeError;

use super::{
    LanguageRunError, Local,
    local::{MILLION, NoAnswer},
};
use crate::log::{Difference, LogRunError};

/// What came of running opened items again.
#[derive(Debug, Default)]
pub struct Reran {
    /// Items of which a likelihood differs by more than was tolerated.
    pub differences: Vec<Difference>,
    /// The largest difference of a likelihood seen, in natural logarithms.
    pub largest: f64,
    /// Calls that failed in the log and could not be run here either.
    pub failed_too: u64,
}

/// An item of a log that is decided again.
#[derive(Debug, Clone, Copy)]
pub struct Decided {
    /// Its row.
    pub row: u32,
    /// Its class in the log.
    pub class: u8,
}

/// What is asked: an item set as a log's statement says.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The items.
    pub set: &'a ItemSet,
    /// The statement's words.
    pub facts: &'a LanguageFacts,
    /// Classes of the dataset.
    pub classes: usize,
}

/// One call, made again.
struct Again {
    prompt: String,
    outcome: Result<Answer, RuntimeError>,
}

impl Asked<'_> {
    fn seed(&self) -> &Digest {
        &self.facts.shuffle.seed
    }

    /// All calls of an item.
    fn again(&self, local: &Local, item: u32) -> Result<Vec<Again>, LanguageRunError> {
        let call = |variant| {
            let prompt = self.set.prompt(self.seed(), item, variant).ok_or(LogRunError::NoRow(item))?;
            let outcome = match local.answer(self.set, item, &prompt) {
                Ok(answer) => Ok(answer),
                Err(NoAnswer::Text(cause)) => Err(cause),
                Err(NoAnswer::Model(cause)) => return Err(cause.into()),
            };
            Ok(Again { prompt, outcome })
        };
        (0..self.set.variants()).map(call).collect()
    }

    /// The class that calls come to.
    fn class(&self, item: u32, calls: Vec<Again>) -> u8 {
        let call = |Again { prompt, outcome }: Again| {
            let answer = outcome.ok();
            let parsed =
                answer.as_ref().map_or(Parsed::Failed, |answer| answer.parse(self.set, self.seed(), item));
            Call { prompt, answer, errors: Vec::new(), parsed }
        };
        Transcript::new(self.facts.kind, self.classes, item, calls.into_iter().map(call).collect()).class
    }

    /// Runs opened items again. An item differs when a likelihood does by more than `tolerance`: its class then may too, and
    /// where likelihoods agree, a class that differs is a tie that rounds otherwise. Fails where an item that has an answer
    /// in the log cannot be run: that says nothing about the log.
    pub fn rerun(
        &self,
        local: &Local,
        openings: &Openings,
        tolerance: f64,
    ) -> Result<Reran, LanguageRunError> {
        let mut found = Reran::default();
        for opening in &openings.openings {
            let (row, logged) = (opening.row, Transcript::parse(&opening.output)?);
            let calls = self.again(local, row)?;
            let mut score = if logged.calls.len() == calls.len() { 0.0 } else { f64::INFINITY };
            for (logged, again) in logged.calls.iter().zip(&calls) {
                score = score.max(match (&logged.answer, &again.outcome) {
                    (Some(logged), Ok(again)) => distance(logged, again),
                    (None, Ok(_)) => f64::INFINITY,
                    (None, Err(_)) => {
                        found.failed_too += 1;
                        0.0
                    }
                    (Some(_), Err(cause)) => return Err(not_run(row, cause)),
                });
            }
            found.largest = found.largest.max(score);
            if score > tolerance {
                let class = self.class(row, calls);
                found.differences.push(Difference { row, logged: opening.class, class, score });
            }
        }
        Ok(found)
    }

    /// Runs items; returns their classes. Where options are as likely up to `tolerance`, the log's class is as right as
    /// another. Fails where an item that has an answer in the log cannot be run.
    pub fn decide(
        &self,
        local: &Local,
        items: &[Decided],
        tolerance: f64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Vec<u8>, LanguageRunError> {
        let failed = self.classes.saturating_sub(1);
        let decide = |(at, item): (usize, &Decided)| {
            let calls = self.again(local, item.row)?;
            let broken = calls.iter().find_map(|call| call.outcome.as_ref().err());
            if let Some(cause) = broken.filter(|_| usize::from(item.class) != failed) {
                return Err(not_run(item.row, cause));
            }
            let near: Option<Vec<_>> = calls
                .iter()
                .map(|call| Some(self.near(item.row, call.outcome.as_ref().ok()?, tolerance)))
                .collect();
            progress(at as u64 + 1, items.len() as u64);
            Ok(match near.is_some_and(|near| can_be(self.facts.kind, &near, item.class)) {
                true => item.class,
                false => self.class(item.row, calls),
            })
        };
        items.iter().enumerate().map(decide).collect()
    }

    /// The options that are as likely as any, up to a tolerance.
    fn near(&self, item: u32, answer: &Answer, tolerance: f64) -> Vec<u8> {
        let largest = answer.likelihoods.iter().max().copied().unwrap_or_default();
        let near = |likelihood: i64| largest.abs_diff(likelihood) as f64 <= tolerance * MILLION;
        let options = order(self.seed(), item, answer.likelihoods.len());
        let options = answer.likelihoods.iter().zip(options).filter(|(likelihood, _)| near(**likelihood));
        options.map(|(_, option)| option as u8).collect()
    }
}

/// Whether calls of which each may come to any of these options can give this class.
fn can_be(kind: Kind, near: &[Vec<u8>], class: u8) -> bool {
    let all_can = |option| near.iter().all(|options| options.contains(&option));
    match kind {
        Kind::Counterfactual if class == CHANGED => {
            let first = near.iter().flatten().next();
            near.iter().flatten().any(|option| Some(option) != first)
        }
        _ => all_can(class),
    }
}

fn not_run(row: u32, cause: &RuntimeError) -> LanguageRunError {
    LanguageRunError::NotRun { row, cause: cause.to_string() }
}

/// Largest difference of a likelihood; infinite where one has none.
fn distance(logged: &Answer, again: &Answer) -> f64 {
    let (logged, again) = (&logged.likelihoods, &again.likelihoods);
    if logged.len() != again.len() {
        return f64::INFINITY;
    }
    let pairs = logged.iter().zip(again);
    pairs.map(|(logged, again)| logged.abs_diff(*again) as f64 / MILLION).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_can_come_to_each_of_its_options() {
        let near: &[Vec<u8>] = &[vec![0], vec![0, 1]];
        for (kind, near, classes) in [
            (Kind::Choice, &near[1..], vec![0, 1]),
            (Kind::Choice, &near[..1], vec![0]),
            // One call settles for 0, the other for either.
            (Kind::Counterfactual, near, vec![0, CHANGED]),
            (Kind::Counterfactual, &[vec![1], vec![1]], vec![1]),
            (Kind::Counterfactual, &[vec![1], vec![0]], vec![CHANGED]),
            (Kind::Counterfactual, &[vec![0, 1], vec![0, 1]], vec![0, 1, CHANGED]),
        ] {
            let found: Vec<u8> = (0..5).filter(|&class| can_be(kind, near, class)).collect();
            assert_eq!(found, classes, "{kind:?} {near:?}");
        }
    }
}
