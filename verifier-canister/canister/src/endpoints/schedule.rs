//! Timers that run the steps of open audits, see [`crate::replay`].
//!
//! A chain of one-shot timers goes from step to step without a pause. While an audit is open a watchdog looks
//! every half minute whether the chain still goes on: a step that trapped, or that was rejected because the
//! canister was being stopped, is begun again.

use std::{cell::Cell, time::Duration};

use ic_cdk::api;
use ic_cdk_timers::TimerId;
use interface::{AuditId, AuditState, Error};

use super::{change, log, pages, read};
use crate::replay::{Next, Step};

const WATCHDOG: Duration = Duration::from_secs(30);

thread_local! {
    static WATCHDOG_ID: Cell<Option<TimerId>> = const { Cell::new(None) };
}

/// Starts the watchdog and the chain, if an audit is open.
pub(super) fn resume() {
    if read(|state| Ok(state.turns.len())).unwrap_or_default() == 0 {
        return;
    }
    if WATCHDOG_ID.get().is_none() {
        WATCHDOG_ID.set(Some(ic_cdk_timers::set_timer_interval(WATCHDOG, || async { begin() })));
    }
    ic_cdk_timers::set_timer(Duration::ZERO, async { begin() });
}

/// Begins the next step and has it done by the next message.
fn begin() {
    let now = api::time();
    match change(|state| state.begin_step(now)) {
        Ok(Next::Do(id, step)) => {
            ic_cdk_timers::set_timer(Duration::ZERO, async move { perform(id, step).await });
        }
        Ok(Next::Wait { .. }) => {}
        Ok(Next::Idle) => {
            if let Some(watchdog) = WATCHDOG_ID.take() {
                ic_cdk_timers::clear_timer(watchdog);
            }
        }
        Err(cause) => log(format!("no step could be begun: {cause}")),
    }
}

async fn perform(id: AuditId, step: Step) {
    let done = match step {
        Step::Draw => draw(id).await,
        Step::Replay => change(|state| state.replay(id, api::time(), &api::instruction_counter)),
        Step::Certify => change(|state| state.certify(id, api::canister_self(), api::time())),
    };
    if let Step::Certify = step {
        // It may expire before the others.
        pages::resume();
    }
    match done {
        Ok(()) => log_state(id),
        Err(cause) => log(format!("audit {id}: {cause}")),
    }
    begin();
}

async fn draw(id: AuditId) -> Result<(), Error> {
    match ic_cdk_management_canister::raw_rand().await {
        Ok(random) => {
            let random = <[u8; 32]>::try_from(random.as_slice());
            let random = random.map_err(|_| Error::internal("raw_rand did not return 32 bytes"))?;
            change(|state| state.draw(id, random, api::time()))
        }
        // Begun again after a wait.
        Err(cause) => Err(Error::internal(format!("no randomness: {cause}"))),
    }
}

fn log_state(id: AuditId) {
    let Ok(audit) = read(|state| state.audit_entry(id)) else { return };
    log(match audit.state {
        AuditState::Requested => format!("audit {id}: requested"),
        AuditState::Running { done, of } => {
            let instructions = audit.replay_instructions;
            format!("audit {id}: {done} of {of} samples, {instructions} instructions so far")
        }
        AuditState::AwaitingProof { done, of } => format!("audit {id}: {done} of {of} samples proved"),
        AuditState::AwaitingLog { of } => format!("audit {id}: awaits a log of {of} samples"),
        AuditState::Counted { openings } => format!("audit {id}: log counted, {openings} openings to draw"),
        AuditState::AwaitingOpenings { openings } => format!("audit {id}: awaits {openings} openings"),
        AuditState::AwaitingAuditor { openings } => {
            format!("audit {id}: {openings} openings await an auditor")
        }
        AuditState::Completed { certificate } => format!("audit {id}: completed, certificate {certificate}"),
        AuditState::Refused { reason } => format!("audit {id}: refused: {reason}"),
        AuditState::Abandoned { reason, .. } => format!("audit {id}: abandoned: {reason}"),
    });
}
