//! The convincing side of the audit proof: makes what the crate `verifier` accepts.
//!
//! Modules carry the names of those they answer to. Main path: [`ModelSecret`] keeps what opens a model's
//! commitment; [`registration::prove`] commits to the weights; [`Witness`] runs the integer model;
//! [`audit_proof::prove`] commits to the run and proves it. [`kernels`] hold the hot loops.
#![deny(unsafe_code)]

pub mod audit_proof;
pub mod closing;
pub mod contraction;
mod error;
pub mod kernels;
pub mod layers;
pub mod lookup;
pub mod opening;
pub mod randomness;
pub mod registration;
#[doc(hidden)]
pub mod sabotage;
pub mod setup;
pub mod sumcheck;
pub mod tape;
pub mod transcript;
pub mod witness;

pub use error::ProveError;
pub use randomness::Randomness;
pub use registration::ModelSecret;
pub use setup::ProverSetup;
pub use witness::Witness;
