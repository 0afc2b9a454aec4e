//! One call: a prompt with all its attempts.

use std::time::Duration;

use audit::language::Answer;

use super::{
    Endpoint, LanguageRunError, Limits,
    endpoint::Attempt,
    limits::{Budget, Pace},
};

/// What all calls of a run share.
pub(super) struct Shared {
    pub endpoint: std::sync::Arc<Endpoint>,
    pub limits: Limits,
    pub pace: Pace,
    pub budget: Budget,
}

/// How a call ended.
pub(super) struct Asked {
    pub answer: Option<Answer>,
    /// What went wrong in each failed attempt.
    pub errors: Vec<String>,
    /// Whether every attempt failed for a reason that is not the prompt's.
    pub exhausted: bool,
}

/// Why a call has no result; it may be asked again in another run.
pub(super) enum Stop {
    /// Nothing is left to spend.
    Budget,
    /// No call will succeed.
    Fatal(LanguageRunError),
}

impl Shared {
    pub async fn ask(&self, prompt: &str) -> Result<Asked, Stop> {
        let mut errors = Vec::new();
        for attempt in 0..self.limits.attempts.max(1) {
            self.pace.turn().await;
            let held = self.endpoint.most_tokens(prompt);
            if !self.budget.take(held) {
                return Err(Stop::Budget);
            }
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
