//! Errors of the node itself; what a canister or a client does wrong is a [`Rejection`](crate::Rejection).

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the node cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The WebAssembly engine does not work on this host.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Random(#[from] getrandom::Error),
    /// No key follows from the seed.
    #[error("no root key follows from the seed")]
    Seed,
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another node uses the state directory.
    #[error("the state directory {0} is used by another node")]
    Locked(PathBuf),
    /// A file of the state directory cannot be read or written.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The state on disk is of another version of the node.
    #[error("the state in {path} has format {got}, this node reads format {expected}")]
    Version {
        /// The file.
        path: PathBuf,
        /// What this node reads.
        expected: u32,
        /// What the file has.
        got: u32,
    },
    /// The state on disk is damaged.
    #[error("the state in {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A thread of the node could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The node has been shut down.
    #[error("the node has been shut down")]
    Stopped,
}
