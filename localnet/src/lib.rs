//! An embedded Internet Computer node for development and tests.
//!
//! [`Node`] runs unmodified canister modules and answers the public HTTP interface with certificates, so that any
//! agent reaches it as it reaches mainnet. [`Subnet`] is the same without network and threads, for tests.
//!
//! It is an HTTP gateway too: canisters' pages are at `http://<canister>.localhost:<port>/`, shown only as certified.
//!
//! What is real: the system API with its contexts, limits and instruction weights; messages that happen completely
//! or not at all; certified data, certificates and query signatures; timers, calls between canisters, cycles; the
//! management canister; of the cycles ledger and the cycles minting canister, what tools need to create canisters.
//! What is not: there is one node and one subnet, so nothing here shows agreement between
//! nodes; long messages are not sliced; heartbeats, low-memory hooks and calls by composite queries are not run;
//! snapshots, HTTP outcalls and threshold signatures are missing; prices are those of a 13-node subnet, approximated as [`Subnet`]'s fees say.
//!
//! ```no_run
//! # async fn example(wasm: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! use localnet::{Config, Node, management_types::CanisterInstallMode};
//!
//! let node = Node::start(Config { state_dir: Some("state".into()), ..Config::default() }).await?;
//! let owner = candid::Principal::anonymous();
//! let canister = node.with_subnet(move |subnet| -> Result<_, localnet::Rejection> {
//!     let canister = subnet.create_canister(owner)?;
//!     subnet.install(owner, canister, CanisterInstallMode::Install, &wasm, b"DIDL\0\0")?;
//!     Ok(canister)
//! });
//! let canister = canister.await??;
//! // Any agent now reaches `canister` at `node.url()`, trusting `node.root_key()`.
//! node.shutdown().await;
//! # let _ = canister;
//! # Ok(())
//! # }
//! ```

mod cbor;
mod certificate;
mod disk;
mod error;
mod http;
mod machine;
mod management;
mod native;
mod node;
mod subnet;

pub use error::NodeError;
pub use machine::{Kind, ModuleError, RejectCode, Rejection, Response};
pub use node::{Config, Node};
pub use subnet::{Clock, Executed, LogLine, RequestId, Subnet};

/// Install modes and other records of the management canister.
pub use ic_management_canister_types as management_types;
