//! Time: the clock, and what happens only because time passes (timers, time-outs, storage charges, forgetting).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::state::{Message, RequestStatus};
use super::{Subnet, fees};
use crate::machine::{RejectCode, Rejection, Response};

/// How long an answered request can still be asked for.
const KEEP_ANSWER: u64 = 5 * 60 * 1_000_000_000;

/// Where canisters' time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock, moved forward by some nanoseconds.
    Wall(u64),
    /// A clock that stands still at these nanoseconds since 1970 unless it is advanced.
    Manual(u64),
}

impl Clock {
    pub(crate) fn now(self) -> u64 {
        match self {
            Clock::Wall(ahead) => wall() + ahead,
            Clock::Manual(time) => time,
        }
    }
}

/// The system's clock in nanoseconds since 1970.
pub(crate) fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

impl Subnet {
    /// Moves the time that canisters see forward. Certificates keep the real time, so that clients accept them.
    pub fn advance_time(&mut self, by: Duration) {
        let (Clock::Wall(time) | Clock::Manual(time)) = &mut self.clock;
        *time += by.as_nanos() as u64;
        self.tick();
    }

    /// Time that canisters see, in nanoseconds since 1970.
    pub fn time(&self) -> u64 {
        self.state.time
    }

    /// The clock, which may be ahead of the time that canisters saw last.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now().max(self.state.time)
    }

    /// Reads the clock and queues what is due.
    pub fn tick(&mut self) {
        self.state.time = self.state.time.max(self.clock.now());
        let time = self.state.time;
        let ids: Vec<_> = self.state.canisters.keys().copied().collect();
        for id in ids {
            self.charge_storage(id);
            self.expire_calls(id);
            let Some(canister) = self.state.canisters.get(&id) else { continue };
            let timer = canister.calls.timer;
            if timer != 0
                && timer <= time
                && canister.runs_timers()
                && let Some(canister) = self.canister_mut(id)
            {
                canister.calls.timer = 0;
                canister.calls.queue.push_back(Message::Timer);
            }
        }
        // Users' clocks are real ones, whatever time canisters see.
        let wall = wall();
        self.state.requests.retain(|_, request| {
            let answered = matches!(request.status, RequestStatus::Answered(_));
            !answered || wall <= request.expiry || wall <= request.answered + KEEP_ANSWER
        });
    }

    /// When the next timer or time-out is due, in nanoseconds of canister time.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let due = |canister: &super::Canister| {
            let timer = Some(canister.calls.timer).filter(|_| canister.runs_timers());
            let waiting = canister.calls.callbacks.values().filter(|callback| !callback.answered);
            let deadlines = waiting.map(|callback| callback.deadline);
            timer.into_iter().chain(deadlines).filter(|time| *time != 0).min()
        };
        self.state.canisters.values().filter_map(|canister| due(canister)).min()
    }

    fn charge_storage(&mut self, id: candid::Principal) {
        let time = self.state.time;
        let Some(canister) = self.state.canisters.get(&id) else { return };
        let elapsed = time.saturating_sub(canister.calls.charged);
        // Once a minute is often enough, and keeps an idle canister's state unchanged in between.
        if elapsed < 60_000_000_000 {
            return;
        }
        let cost = fees::idle(canister.memory_bytes(), canister.settings.compute_allocation, elapsed);
        let empty = cost > canister.cycles;
        if let Some(canister) = self.canister_mut(id) {
            canister.cycles = canister.cycles.saturating_sub(cost);
            canister.calls.charged = time;
        }
        if empty {
            self.uninstall(id, "the canister ran out of cycles");
        }
    }

    /// Answers best-effort calls whose time is over.
    fn expire_calls(&mut self, id: candid::Principal) {
        let time = self.state.time;
        let Some(canister) = self.state.canisters.get(&id) else { return };
        let late: Vec<u64> = (canister.calls.callbacks.iter())
            .filter(|(_, callback)| callback.deadline != 0 && callback.deadline < time && !callback.answered)
            .map(|(callback, _)| *callback)
            .collect();
        for callback in late {
            let text = "Call timed out";
            let response = Rejection { code: RejectCode::SysUnknown, message: text.into(), error_code: None };
            self.answer_canister(id, callback, Response::Reject(response), 0);
        }
    }
}
