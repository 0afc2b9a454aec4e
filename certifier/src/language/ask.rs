//! Asks an endpoint: several calls at a time, each a prompt with all its attempts.

use std::{sync::Arc, time::Duration};

use audit::language::Answer;
use tokio::task::JoinSet;

use super::{
    Endpoint, LanguageRunError, Limits,
    calls::Calls,
    endpoint::Attempt,
    limits::{Budget, Pace},
};

/// So many calls in a row without an answer end a run, or twice as many as are under way.
const HOPELESS: u32 = 8;

/// What all calls of a run share.
struct Shared {
    endpoint: Arc<Endpoint>,
    limits: Limits,
    pace: Pace,
    budget: Budget,
}

/// How a call ended.
struct Asked {
    answer: Option<Answer>,
    /// What went wrong in each failed attempt.
    errors: Vec<String>,
    /// Whether every attempt failed for a reason that is not the prompt's.
    exhausted: bool,
}

/// Why a call has no result; it may be asked again in another run.
enum Stop {
    /// Nothing is left to spend.
    Budget,
    /// No call will succeed.
    Fatal(LanguageRunError),
}

/// Asks what is left, as far as the budget goes. Returns requests and tokens spent.
pub(super) async fn all(
    calls: &mut Calls<'_>,
    endpoint: &Arc<Endpoint>,
    limits: &Limits,
) -> Result<(u64, u64), LanguageRunError> {
    let shared = Arc::new(Shared {
        pace: Pace::new(limits),
        budget: Budget::new(limits),
        endpoint: endpoint.clone(),
        limits: limits.clone(),
    });
    let mut left = calls.left().into_iter();
    let (mut tasks, mut budget_left, mut in_a_row) = (JoinSet::new(), true, 0);
    let unreachable = |calls: &Calls<'_>, in_a_row| LanguageRunError::Unreachable {
        calls: in_a_row,
        last: calls.last_error.clone().unwrap_or_default(),
    };
    loop {
        while budget_left && tasks.len() < limits.concurrency as usize {
            let Some(place) = left.next() else { break };
            let (_, prompt) = calls.asked(place)?;
            let shared = shared.clone();
            tasks.spawn(async move { (place, shared.ask(&prompt).await) });
        }
        let Some(joined) = tasks.join_next().await else { break };
        let (place, outcome) = joined.map_err(|cause| LanguageRunError::Task(cause.to_string()))?;
        match outcome {
            Ok(Asked { answer, errors, exhausted }) => {
                calls.note(place, answer, errors)?;
                in_a_row = if exhausted { in_a_row + 1 } else { 0 };
                // One failing call stops nobody; when all fail, the rest of the log must not become failures too.
                if in_a_row >= HOPELESS.max(2 * limits.concurrency) {
                    return Err(unreachable(calls, in_a_row));
                }
            }
            Err(Stop::Budget) => budget_left = false,
            Err(Stop::Fatal(cause)) => return Err(cause),
        }
    }
    if in_a_row > 0 && u64::from(in_a_row) == calls.state.done {
        return Err(unreachable(calls, in_a_row));
    }
    Ok(shared.budget.spent())
}

impl Shared {
    async fn ask(&self, prompt: &str) -> Result<Asked, Stop> {
        let mut errors = Vec::new();
        for attempt in 0..self.limits.attempts.max(1) {
            let held = self.endpoint.most_tokens(prompt);
            // Before its turn: nobody waits for a turn that nothing is left for.
            if !self.budget.take(held) {
                return Err(Stop::Budget);
            }
            self.pace.turn().await;
            let outcome = self.endpoint.attempt(prompt).await;
            let cost = match &outcome {
                Attempt::Answered(_, Some(tokens)) => *tokens,
                // Where nobody says what it cost, it may have cost the most.
                Attempt::Answered(_, None) => held,
                Attempt::Never { billed: true, .. } | Attempt::Again { billed: true, .. } => held,
                // An error status costs nothing at providers.
                _ => 0,
            };
            self.budget.settle(held, cost);
            match outcome {
                Attempt::Answered(answer, _) => {
                    return Ok(Asked { answer: Some(answer), errors, exhausted: false });
                }
                Attempt::Never { error, .. } => {
                    errors.push(error);
                    return Ok(Asked { answer: None, errors, exhausted: false });
                }
                Attempt::Stop(cause) => return Err(Stop::Fatal(cause)),
                Attempt::Again { error, pause, .. } => {
                    errors.push(error);
                    self.wait(attempt, pause).await?;
                }
            }
        }
        Ok(Asked { answer: None, errors, exhausted: true })
    }

    /// Waits before the next attempt, if there is one; a pause that the endpoint asks for holds for all calls.
    async fn wait(&self, attempt: u32, pause: Option<Duration>) -> Result<(), Stop> {
        if let Some(pause) = pause {
            if pause > self.limits.longest_pause {
                return Err(Stop::Fatal(LanguageRunError::Pause(pause)));
            }
            self.pace.pause(pause);
        }
        if attempt + 1 < self.limits.attempts {
            tokio::time::sleep(self.limits.delay(attempt)).await;
        }
        Ok(())
    }
}
