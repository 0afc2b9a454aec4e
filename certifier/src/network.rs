//! Where the canister is, and which root key its answers must lead to.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use candid::Principal;
use check::ic_certificate::MAINNET_ROOT_KEY;
use serde::{Deserialize, Serialize};

/// Where the main network answers.
pub const MAINNET_URL: &str = "https://icp-api.io";
/// Name of the file in an embedded node's state folder that says where it runs.
pub const STATUS_NAME: &str = "assay.json";

/// Which Internet Computer to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// The embedded node that `assay localnet start` runs.
    Local,
    /// The main network.
    Ic,
    /// A node or gateway at this address.
    Url(String),
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "local" => Ok(Self::Local),
            "ic" => Ok(Self::Ic),
            url if url.starts_with("http://") || url.starts_with("https://") => Ok(Self::Url(url.to_owned())),
            _ => Err("expected `local`, `ic`, or a URL that starts with http:// or https://".to_owned()),
        }
    }
}

/// What a running embedded node writes down for other commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalStatus {
    /// Where the node answers.
    pub url: String,
    /// Its root key, DER as hex.
    pub root_key: String,
    /// The verifier canister on it.
    pub canister: Principal,
}

/// Why a network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// No embedded node has left its address here.
    #[error("no embedded node runs with its state in {}", .0.display())]
    NotRunning(PathBuf),
    /// The status file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Status {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Neither a file with a key nor a key as hex.
    #[error("{0:?} is neither 266 hex digits nor a file with a root key")]
    RootKey(String),
}

impl NetworkError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotRunning(_) => {
                "start one with `assay localnet start`, in the same folder, or choose another network with --network"
            }
            Self::Status { .. } => "start the node again with `assay localnet start`",
            Self::RootKey(_) => {
                "a root key is 133 bytes in DER; `assay localnet start` prints the embedded node's as hex"
            }
        }
    }
}

impl LocalStatus {
    /// Reads what the node with this state folder wrote.
    pub fn read(state: &Path) -> Result<Self, NetworkError> {
        let path = state.join(STATUS_NAME);
        let failed = |cause: String| NetworkError::Status { path: path.clone(), cause };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|cause| failed(cause.to_string())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                Err(NetworkError::NotRunning(state.to_owned()))
            }
            Err(cause) => Err(failed(cause.to_string())),
        }
    }

    /// Writes it for others.
    pub fn write(&self, state: &Path) -> std::io::Result<()> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        fs::write(state.join(STATUS_NAME), json)
    }

    /// The root key's bytes.
    pub fn root_key(&self) -> Result<Vec<u8>, NetworkError> {
        parse_root_key(&self.root_key)
    }
}

/// Reads a root key given as hex, or as a file that holds it as hex or DER.
pub fn parse_root_key(text: &str) -> Result<Vec<u8>, NetworkError> {
    let wrong = || NetworkError::RootKey(text.chars().take(60).collect());
    let right_length =
        |key: Vec<u8>| if key.len() == MAINNET_ROOT_KEY.len() { Ok(key) } else { Err(wrong()) };
    if let Ok(key) = hex::decode(text.trim()) {
        return right_length(key);
    }
    let key = fs::read(text).map_err(|_| wrong())?;
    if key.len() == MAINNET_ROOT_KEY.len() {
        return Ok(key);
    }
    let digits = std::str::from_utf8(&key).map_err(|_| wrong())?;
    hex::decode(digits.trim()).map_err(|_| wrong()).and_then(right_length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_named_or_have_a_url() {
        assert_eq!("local".parse(), Ok(Network::Local));
        assert_eq!("ic".parse(), Ok(Network::Ic));
        assert_eq!("http://[::1]:8080".parse(), Ok(Network::Url("http://[::1]:8080".into())));
        assert!("mainnet".parse::<Network>().is_err());
    }

    #[test]
    fn a_root_key_is_read_from_hex_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (hex_file, der_file) = (folder.path().join("hex"), folder.path().join("der"));
        fs::write(&hex_file, hex::encode(MAINNET_ROOT_KEY) + "\n").unwrap();
        fs::write(&der_file, MAINNET_ROOT_KEY).unwrap();
        let read = |text: &str| parse_root_key(text).unwrap();
        assert_eq!(read(&hex::encode(MAINNET_ROOT_KEY)), MAINNET_ROOT_KEY);
        assert_eq!(read(hex_file.to_str().unwrap()), MAINNET_ROOT_KEY);
        assert_eq!(read(der_file.to_str().unwrap()), MAINNET_ROOT_KEY);
        for wrong in ["", "00ff", "no-such-file"] {
            assert!(matches!(parse_root_key(wrong), Err(NetworkError::RootKey(_))), "{wrong:?}");
        }
    }

    #[test]
    fn no_status_file_means_no_node() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(LocalStatus::read(folder.path()), Err(NetworkError::NotRunning(_))));
        fs::write(folder.path().join(STATUS_NAME), "{}").unwrap();
        assert!(matches!(LocalStatus::read(folder.path()), Err(NetworkError::Status { .. })));
    }
}
