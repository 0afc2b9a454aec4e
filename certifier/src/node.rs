//! An embedded node with the verifier canister on it, in a state folder that other commands find.
//!
//! ```text
//! <state>/node/           the node's own state
//! <state>/controller.pem  key that controls the canister; commands without --identity sign with it
//! <state>/assay.json      where the node answers, its root key, the canister's id
//! ```

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use candid::Principal;
use ic_agent::Identity;
use localnet::{Config, Node, NodeError};

use crate::{
    client::{Client, ClientError},
    deploy::{DeployError, Deployed, deploy},
    identity::{self, IdentityError},
    network::LocalStatus,
};

/// Name of the controller's key in a state folder.
pub const CONTROLLER_NAME: &str = "controller.pem";
const NODE_FOLDER: &str = "node";

/// A running node, the canister on it and the key that controls it.
pub struct CanisterNode {
    node: Node,
    /// What was written to `assay.json`.
    pub status: LocalStatus,
    /// Whether canister and code are new.
    pub deployed: Deployed,
    /// Signs as the canister's controller.
    pub controller: Arc<dyn Identity>,
}

/// Why the node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum CanisterNodeError {
    /// The state folder cannot be made or written.
    #[error("cannot use the state folder {}: {cause}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        cause: io::Error,
    },
    /// The node itself.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The controller's key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The installation.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

impl CanisterNodeError {
    /// What the user can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::State { .. } => "choose another folder with --state".into(),
            Self::Node(_) => {
                "another node may be running: stop it, or choose another --bind address and --state folder".into()
            }
            Self::Identity(cause) => cause.hint(),
            Self::Deploy(_) => {
                "`cargo xtask build-canister` makes a module; with another --state folder the node starts empty".into()
            }
        }
    }
}

impl CanisterNode {
    /// Starts a node with its state in `state`, and installs or upgrades the canister to `module`.
    pub async fn start(state: &Path, bind: SocketAddr, module: &[u8]) -> Result<Self, CanisterNodeError> {
        let failed = |cause| CanisterNodeError::State { path: state.to_owned(), cause };
        fs::create_dir_all(state).map_err(failed)?;
        let controller_path = state.join(CONTROLLER_NAME);
        let controller = if controller_path.exists() {
            identity::load(&controller_path)?
        } else {
            identity::create(&controller_path)?
        };
        let node_state = state.join(NODE_FOLDER);
        // Without the node's own state, the canister that the status file names is gone too.
        let earlier = LocalStatus::read(state).ok().filter(|_| node_state.exists());
        let earlier = earlier.map(|status| status.canister);
        let state_dir = Some(node_state);
        let node = Node::start(Config { bind, state_dir, ..Config::default() }).await?;
        let (url, root_key) = (node.url(), node.root_key());
        let (canister, deployed) =
            deploy(&url, root_key.clone(), controller.clone(), earlier, module).await?;
        let status = LocalStatus { url, root_key: hex::encode(root_key), canister };
        status.write(state).map_err(failed)?;
        Ok(Self { node, status, deployed, controller })
    }

    /// The verifier canister.
    pub fn canister(&self) -> Principal {
        self.status.canister
    }

    /// The node's root key, DER.
    pub fn root_key(&self) -> Vec<u8> {
        self.node.root_key()
    }

    /// A client that signs as the controller.
    pub fn client(&self) -> Result<Client, ClientError> {
        Client::new(&self.status.url, self.root_key(), self.canister(), self.controller.clone())
    }

    /// Stops the node and waits until everything is saved.
    pub async fn shutdown(self) {
        self.node.shutdown().await;
    }
}
