//! Everything around the verifier canister: datasets are read, audits requested, and what the crate `check` needs to
//! check certificates and to run audits again is downloaded.
//!
//! Nothing here decides what a certificate says, nor whether to believe it: that is `audit`'s, which the canister runs
//! too, and `check`'s. This crate moves bytes to and from the canister.
#![forbid(unsafe_code)]

pub mod client;
pub mod dataset;
pub mod deploy;
pub mod export;
pub mod identity;
pub mod language;
pub mod log;
pub mod network;
pub mod node;
pub mod policy;
pub mod private;
pub mod report;
