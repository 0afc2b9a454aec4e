//! Everything around the verifier canister: datasets are read, audits requested, certificates checked offline and
//! audits run again.
//!
//! Nothing here decides what a certificate says; that is `audit`'s, which the canister runs too. This crate moves
//! bytes to and from the canister and compares them.
#![forbid(unsafe_code)]

pub mod certificate_file;
pub mod check;
pub mod client;
pub mod dataset;
pub mod deploy;
pub mod identity;
pub mod network;
pub mod node;
pub mod policy;
pub mod private;
pub mod rerun;
