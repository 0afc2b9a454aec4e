//! How much, how often and how long an endpoint is asked.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// Most attempts of one call.
pub const MAX_ATTEMPTS: u32 = 16;
/// Most calls at a time.
pub const MAX_CONCURRENCY: u32 = 256;
/// Longest pause between two attempts that is not asked for by the endpoint.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Limits of one run.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Calls at a time.
    pub concurrency: u32,
    /// Requests a minute, evenly spread.
    pub requests_per_minute: Option<u32>,
    /// Most requests of this run, attempts that fail included.
    pub max_requests: Option<u64>,
    /// Most tokens of this run, prompts and answers.
    pub max_tokens_total: Option<u64>,
    /// Attempts of one call.
    pub attempts: u32,
    /// Pause after the first failed attempt; doubled after each further one.
    pub first_delay: Duration,
    /// Longest pause that an endpoint may ask for.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 4,
            requests_per_minute: None,
            max_requests: None,
            max_tokens_total: None,
            attempts: 6,
            first_delay: Duration::from_millis(500),
            longest_pause: Duration::from_secs(600),
        }
    }
}

impl Limits {
    /// The pause after failed attempt `attempt`, from 0: doubling, half of it random, so that calls that failed together
    /// do not come back together.
    pub fn delay(&self, attempt: u32) -> Duration {
        let longest = self.first_delay.saturating_mul(1 << attempt.min(20)).min(MAX_DELAY);
        let mut random = [0; 8];
        // Without randomness the pause is the longest one.
        let share = match getrandom::fill(&mut random) {
            Ok(()) => u64::from_le_bytes(random) % 1001,
            Err(_) => 1000,
        };
        longest / 2 + longest.mul_f64(share as f64 / 2000.0)
    }
}

/// When the next request may be sent.
pub struct Pace {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    pub fn new(limits: &Limits) -> Self {
        let interval = limits.requests_per_minute.map(|rate| Duration::from_secs(60) / rate.max(1));
        Self { interval: interval.unwrap_or_default(), next: Mutex::new(Instant::now()) }
    }

    /// Waits for the next turn.
    pub async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.interval;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// No request starts before a pause is over; the endpoint asked for it.
    pub fn pause(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause);
    }
}

/// What may still be spent.
pub struct Budget(Mutex<Spent>);

struct Spent {
    requests: u64,
    tokens: u64,
    max_requests: u64,
    max_tokens: u64,
}

impl Budget {
    pub fn new(limits: &Limits) -> Self {
        let (max_requests, max_tokens) =
            (limits.max_requests.unwrap_or(u64::MAX), limits.max_tokens_total.unwrap_or(u64::MAX));
        Self(Mutex::new(Spent { requests: 0, tokens: 0, max_requests, max_tokens }))
    }

    /// Takes a request that may cost up to so many tokens, unless that would be too much. Tokens are held until
    /// [`Budget::settle`], so that calls under way together stay in the budget too.
    pub fn take(&self, tokens: u64) -> bool {
        let mut spent = self.lock();
        let fits =
            spent.requests < spent.max_requests && spent.tokens.saturating_add(tokens) <= spent.max_tokens;
        if fits {
            spent.requests += 1;
            spent.tokens = spent.tokens.saturating_add(tokens);
        }
        fits
    }

    /// What was held for a request becomes what it cost.
    pub fn settle(&self, held: u64, cost: u64) {
        let mut spent = self.lock();
        spent.tokens = spent.tokens.saturating_sub(held).saturating_add(cost);
    }

    /// Requests and tokens of this run.
    pub fn spent(&self) -> (u64, u64) {
        let spent = self.lock();
        (spent.requests, spent.tokens)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Spent> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_are_at_least_half_of_that() {
        let limits = Limits::default();
        for (attempt, longest) in [(0, 500), (1, 1000), (3, 4000), (7, 60_000), (31, 60_000)] {
            for _ in 0..50 {
                let delay = limits.delay(attempt).as_millis();
                assert!((longest / 2..=longest).contains(&delay), "{attempt}: {delay}");
            }
        }
        let several: std::collections::BTreeSet<_> = (0..20).map(|_| limits.delay(5)).collect();
        assert!(several.len() > 10, "pauses are random");
    }

    #[test]
    fn a_budget_holds_what_a_request_may_cost_and_gives_back_what_it_did_not() {
        let limits = Limits { max_requests: Some(3), max_tokens_total: Some(100), ..Limits::default() };
        let budget = Budget::new(&limits);
        assert!(budget.take(60));
        assert!(!budget.take(60));
        budget.settle(60, 10);
        assert!(budget.take(60));
        budget.settle(60, 60);
        assert!(!budget.take(31));
        assert!(budget.take(30));
        assert!(!budget.take(0), "three requests were made");
        assert_eq!(budget.spent(), (3, 100));
    }
}
