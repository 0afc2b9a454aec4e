//! What a stranger checks: one certificate, the records it was made from, the whole audit again, a proved prediction.
//!
//! The crate is a pure function of files, a root key and the time: no I/O, no clock, no threads. The command line, the
//! browser and JavaScript decide with the same code.
//!
//! [`check`] takes one exported file. Each step rests on the one before; the first that fails ends the check.
//!
//! ```text
//! signature       the IC certificate is signed by a subnet that the root key vouches for
//! canister        that subnet hosts the canister, and it is the one to be trusted
//! age             the signature is not older than allowed
//! certified data  the witness is what the canister had certified at that time
//! body, status    their digests are in the witness
//! form            the body is a certificate in canonical form, about this number and canister
//! numbers         every figure, interval and verdict follows from the counters
//! ```
//!
//! A certificate that passes is authentic; whether it stands (is not expired, superseded, suspended or revoked) is
//! [`Standing`]. What the canister's own code did is not proved by a check. [`rerun::rerun`] does that again, from the
//! records that [`check_records`] accepts and from bytes that the certificate names by their digests.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap
    )
)]

mod certificate;
mod failure;
pub mod ic_certificate;
pub mod prediction;
pub mod proof;
mod records;
pub mod rerun;
mod standing;
mod steps;

use candid::Principal;

pub use certificate::{Authentic, Report, check};
pub use failure::Failure;
pub use records::{Records, RecordsReport, check_range, check_record, check_records, held};
pub use standing::{Standing, Status};
pub use steps::Step;

/// What the checker brings along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The root key, DER.
    pub root_key: Vec<u8>,
    /// The verifier canister to be trusted; without it, the file's own claim is only shown.
    pub canister: Option<Principal>,
    /// The time now, in nanoseconds since 1970.
    pub now_ns: u64,
    /// Oldest signature accepted, in seconds.
    pub max_age_s: Option<u64>,
}
