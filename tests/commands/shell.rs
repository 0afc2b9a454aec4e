//! A node with the canister, and `assay` as people of a test call it, each with a key of their own.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result};
use certifier::{deploy::deploy, identity};
use localnet::{Config, Node};
use serde_json::Value;
use tempfile::TempDir;
use tests::{repository, wasm};

/// Who has a key.
const PEOPLE: [&str; 3] = ["controller", "owner", "auditor"];

pub struct Shell {
    _node: Node,
    folder: TempDir,
    network: Vec<String>,
}

impl Shell {
    /// Starts a node and makes everybody's key.
    pub async fn start() -> Result<Self> {
        let (node, folder) = (Node::start(Config::default()).await?, tempfile::tempdir()?);
        for name in PEOPLE {
            identity::create(&key(folder.path(), name))?;
        }
        let controller = identity::load(&key(folder.path(), "controller"))?;
        let root_key = node.root_key();
        let (canister, _) = deploy(&node.url(), root_key.clone(), controller, None, &wasm()?).await?;
        let network = [
            "--network",
            &node.url(),
            "--root-key",
            &hex::encode(root_key),
            "--canister",
            &canister.to_text(),
        ];
        let network = network.map(String::from).to_vec();
        Ok(Self { _node: node, folder, network })
    }

    /// The path of a test's own file or folder.
    pub fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Somebody's principal.
    pub fn principal(&self, who: &str) -> Result<String> {
        let identity = identity::load(&key(self.folder.path(), who))?;
        Ok(identity.sender().map_err(anyhow::Error::msg)?.to_text())
    }

    /// Runs a command that must do what it is asked to; returns its document.
    pub fn does(&self, who: &str, line: &str) -> Result<Value> {
        self.exits(0, who, line)
    }

    /// Runs a command that must end with this code; returns its document, if it has one.
    pub fn exits(&self, code: i32, who: &str, line: &str) -> Result<Value> {
        let (exit, stdout, stderr) = self.run(who, line)?;
        assert_eq!(exit, code, "{line}\n{stdout}{stderr}");
        let said = (!stdout.is_empty()).then(|| serde_json::from_str(&stdout)).transpose();
        Ok(said.with_context(|| format!("{line}: {stdout}"))?.unwrap_or_default())
    }

    /// Runs a command that must fail; returns what it says.
    pub fn refused(&self, who: &str, line: &str) -> Result<String> {
        let (exit, stdout, stderr) = self.run(who, line)?;
        assert_eq!(exit, 1, "{line}\n{stdout}{stderr}");
        Ok(stderr)
    }

    fn run(&self, who: &str, line: &str) -> Result<(i32, String, String)> {
        // Built with the workspace's tests, two folders above theirs.
        let program = std::env::current_exe()?;
        let program = program.ancestors().nth(2).context("no folder")?.join("assay");
        let mut command = Command::new(program);
        command.current_dir(repository("")).args(line.split_whitespace()).args(&self.network);
        command.arg("--identity").arg(key(self.folder.path(), who)).arg("--json");
        let output = command.output().context("cannot run assay: `cargo build --workspace --bins` first")?;
        let text = |bytes| String::from_utf8(bytes).context("no UTF-8");
        Ok((output.status.code().context("killed")?, text(output.stdout)?, text(output.stderr)?))
    }
}

fn key(folder: &Path, who: &str) -> std::path::PathBuf {
    folder.join(format!("{who}.pem"))
}
