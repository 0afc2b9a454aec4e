//! The verifier canister: keeps public datasets and models, runs audits by replaying the model on every sample,
//! and certifies what it finds.
//!
//! The logic is in plain modules over any stable memory, so that tests run it natively; `endpoints` is the thin
//! edge that knows the Internet Computer: caller, time, randomness, timers, certified data.
//!
//! No input can make it panic: every method answers a typed [`interface::Error`], and then nothing has changed.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

mod administration;
mod attestations;
mod audits;
mod awaiting;
mod certificates;
mod certification;
mod endpoints;
mod guards;
mod keys;
mod lists;
mod logs;
mod proofs;
mod replay;
mod rows;
mod sealing;
mod site;
mod storage;
mod uploads;

/// What certificates say about the code that ran an audit.
pub const VERSION: &str = concat!("assay-canister ", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
