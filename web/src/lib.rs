//! The crate `check` as a wasm module: bytes in, JSON out.
//!
//! A call gets a JSON request and byte strings and returns a JSON document with every step that was taken, in order, up to
//! the end or the first that fails. Nothing is fetched or decided outside: who calls hands over bytes and shows steps.
//!
//! The module has a plain C interface (`abi.rs`) and no generated code. A code generator's library would have cost every
//! command of xtask 43 s of building, for a dozen lines of JavaScript that can be read; and this way the module is what
//! the compiler wrote, byte for byte.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

#[cfg(target_family = "wasm")]
pub mod abi;
mod answer;
pub mod calls;
mod options;
