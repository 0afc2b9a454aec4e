//! The deciding side of the audit proof: from a public statement and proof bytes to "yes" or the check that failed.
//!
//! Everything here is a pure function: no clock, no randomness, no environment. Every size follows from the
//! statement, none is read from a proof. `docs/protocol.md` describes the protocol; the modules carry its names,
//! and the crate `prover` has a module of the same name for each that has something to do there.
//!
//! Main path: [`Architecture`] and [`Layout`] fix what is committed where; [`registration::verify`] accepts the
//! commitment to a model; [`audit_proof::verify`] accepts the counts of an audit, or predictions, of that model.
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

pub mod architecture;
pub mod audit_proof;
pub mod claims;
pub mod closing;
pub mod contraction;
pub mod curve;
pub mod dot;
mod error;
pub mod layers;
pub mod layout;
pub mod lookup;
pub mod mle;
pub mod opening;
pub mod package;
pub mod parts;
pub mod registration;
pub mod setup;
pub mod statement;
pub mod sumcheck;
pub mod table;
pub mod transcript;

pub use architecture::{Architecture, LayerShape};
pub use error::{Check, VerifyError};
pub use layout::{Layout, Tape};
pub use package::Package;
pub use parts::{AuditContext, Parts, Sampled, Submission};
pub use registration::{ModelCommitment, RegisteredModel};
pub use setup::Setup;
pub use statement::Statement;

/// The scalar field.
pub type F = halo2_proofs::pasta::Fp;
/// The group of commitments: Vesta, whose scalar field is [`F`].
pub type Point = halo2_proofs::pasta::EqAffine;
/// A point in projective coordinates.
pub type Curve = halo2_proofs::pasta::Eq;

pub use halo2_proofs;
pub use halo2_proofs::pasta::group::{self, ff};
