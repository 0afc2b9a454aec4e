//! What Assay claims: an exact integer model, a dataset with labels and protected groups, and every metric
//! computed from integer counts.
//!
//! The crate does no I/O, knows nothing of proofs or canisters, and decides nothing with floating point. The
//! same code runs in the verifier canister (wasm32) and on an auditor's machine (native), with equal results.
//!
//! Main path: [`Model`] and [`Dataset`] are parsed from their byte encodings; [`draw_sample`] picks the rows;
//! [`Replay`] runs the [`Engine`] on each of them and fills [`Counts`]; metrics, policy and the certificate body
//! follow from the counts alone.
#![forbid(unsafe_code)]

pub mod canonical;
pub mod certificate;
pub mod codec;
pub mod counts;
pub mod dataset;
mod decimal;
mod digest;
mod dot;
pub mod dsse;
pub mod engine;
mod error;
mod fraction;
pub mod interval;
pub mod language;
pub mod log;
pub mod metrics;
pub mod model;
pub mod policy;
mod replay;
mod sample;
pub mod schema;

pub use certificate::{Body, Certificate, Facts, certificate_body, recompute};
pub use counts::{Confusion, Counts};
pub use dataset::{Dataset, DatasetHeader, Row};
pub use decimal::Decimal;
pub use digest::Digest;
pub use engine::Engine;
pub use error::AuditError;
pub use fraction::{Fraction, MAX_FRACTION_TEXT};
pub use metrics::{Metric, Value};
pub use model::{Activation, Decision, Layer, Model, Table};
pub use policy::{Comparator, Criterion, Policy, Verdict};
pub use replay::{Replay, Verified};
pub use sample::{SAMPLE_RULE, draw_sample};
pub use schema::{Attribute, Column, Schema};
