//! The `icp` command line: deploys with the repository's own project file, and manages what it deployed.

use std::{fs, io::Read as _, path::PathBuf};

use anyhow::{Context, Result, ensure};
use audit::Digest;
use localnet::{Config, Node};
use serde_json::Value;
use tempfile::TempDir;
use tests::{repository, wasm};
use tokio::process::Command;

use super::{UPLOAD, forger::Forger, installed};

/// A project folder and a home of its own, for a node that has no canister yet.
struct Project {
    node: Node,
    folder: TempDir,
    program: PathBuf,
}

impl Project {
    async fn start() -> Result<Self> {
        let node = Node::start(Config::default()).await?;
        let program = match std::env::var_os("ASSAY_ICP") {
            Some(path) => path.into(),
            None => installed("node/node_modules/@icp-sdk/icp-cli-linux-x64/bin/icp")
                .context("on another system than Linux on x86-64, name icp 1.5.0 in ASSAY_ICP")?,
        };
        let project = Self { node, folder: tempfile::tempdir()?, program };
        // The repository's file, but for the node's port and for building what is built already.
        let file = fs::read_to_string(repository("icp.yaml"))?;
        let mut adapted = file.replacen("http://127.0.0.1:4944", &project.node.url(), 1);
        ensure!(adapted != file, "icp.yaml does not name the embedded node's usual address");
        let (build, copy) =
            ("cargo xtask build-canister", "${CARGO_TARGET_DIR:-target}/canister/verifier.wasm.gz");
        for (from, to) in [(build, "echo built before"), (copy, "module.wasm")] {
            ensure!(adapted.contains(from), "icp.yaml does not have {from:?}");
            adapted = adapted.replacen(from, to, 1);
        }
        fs::write(project.folder.path().join("icp.yaml"), adapted)?;
        project.build(&wasm()?)?;
        project.run(&["identity", "new", "dev", "--storage", "plaintext"]).await?;
        project.run(&["identity", "default", "dev"]).await?;
        Ok(project)
    }

    /// Makes this module what the next deployment builds.
    fn build(&self, module: &[u8]) -> Result<()> {
        Ok(fs::write(self.folder.path().join("module.wasm"), module)?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path());
        for variable in ["ICP_HOME", "ICP_ENVIRONMENT", "ICP_NETWORK", "ICP_PROJECT_ROOT"] {
            command.env_remove(variable);
        }
        command.env("HOME", self.folder.path()).env("DO_NOT_TRACK", "1").env("RUST_BACKTRACE", "0");
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs a command that must succeed and returns what it prints.
    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().await?;
        let (text, errors) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "icp {} failed:\n{text}{errors}", arguments.join(" "));
        Ok(text)
    }

    /// Runs a command that must fail and returns its complaint.
    async fn fails(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().await?;
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "icp {} did not fail:\n{text}", arguments.join(" "));
        Ok(text)
    }

    async fn status(&self) -> Result<Value> {
        let text = self.run(&["canister", "status", "verifier", "--json"]).await?;
        serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))
    }

    async fn balance(&self) -> Result<u128> {
        let text = self.run(&["cycles", "balance", "--quiet"]).await?;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        Ok(digits.parse()?)
    }
}

/// The module, unpacked: no single message can carry it.
fn large_module() -> Result<Vec<u8>> {
    let mut module = Vec::new();
    flate2::read::GzDecoder::new(wasm()?.as_slice()).read_to_end(&mut module)?;
    ensure!(module.len() > 2 << 20, "{} bytes fit one message", module.len());
    Ok(module)
}

#[tokio::test(flavor = "multi_thread")]
async fn icp_deploys_calls_upgrades_and_inspects() -> Result<()> {
    let project = Project::start().await?;
    let ping: Value = serde_json::from_str(&project.run(&["network", "ping"]).await?)?;
    assert_eq!(ping["replica_health_status"], "healthy");
    let network = project.run(&["network", "status"]).await?;
    assert!(network.contains(&hex::encode(project.node.root_key())), "{network}");

    // Created through the cycles ledger, installed, called.
    let before = project.balance().await?;
    let deployed = project.run(&["deploy", "-e", "local"]).await?;
    // It found that the canister has pages, and where the gateway shows them.
    let canister = project.run(&["canister", "status", "verifier", "--id-only"]).await?.trim().to_owned();
    assert!(deployed.contains(&format!("http://{canister}.localhost:")), "{deployed}");
    assert_eq!(before - project.balance().await?, 2_000_100_000_000);
    let version = ["canister", "call", "verifier", "version", "()", "--query"];
    assert!(project.run(&version).await?.contains("assay-canister"));
    let upload = format!(
        "(record {{ kind = variant {{ Dataset }}; digest = blob \"{}\"; size = 4096 }})",
        UPLOAD.map(|byte| format!("\\{byte:02x}")).concat()
    );
    let begun = project.run(&["canister", "call", "verifier", "begin_upload", &upload]).await?;
    assert!(begun.contains("Ok") && begun.contains("4_096"), "{begun}");

    // What it tells of the canister.
    let first = project.status().await?;
    assert_eq!(first["status"], "Running");
    assert_eq!(first["module_hash"], format!("0x{}", Digest::of(&wasm()?)));
    let interface = project.run(&["canister", "metadata", "verifier", "candid:service"]).await?;
    let committed = fs::read_to_string(repository("verifier-canister/interface/verifier_canister.did"))?;
    assert_eq!(interface.trim_end(), committed.trim_end());
    assert!(project.run(&["canister", "logs", "verifier"]).await?.contains("started"));
    project.run(&["canister", "top-up", "--amount", "1t", "verifier"]).await?;
    assert_eq!(before - project.balance().await?, 3_000_200_000_000);

    // The same module again is an upgrade: stopped, upgraded, started, with its state.
    project.run(&["deploy", "-e", "local"]).await?;
    let status = ["canister", "call", "verifier", "uploads", "()", "--query"];
    assert!(project.run(&status).await?.contains("4_096"), "the upload is still there");
    assert_eq!(project.status().await?["status"], "Running");

    // A module that no message can carry goes through the chunk store.
    let large = large_module()?;
    project.build(&large)?;
    project.run(&["deploy", "-e", "local"]).await?;
    assert_eq!(project.status().await?["module_hash"], format!("0x{}", Digest::of(&large)));
    assert!(project.run(&status).await?.contains("4_096"), "the upload is still there");

    // A module whose interface breaks that of the installed one is not installed. Metadata is at its end.
    let (method, other) = (b"\n  version : (", b"\n  versiom : (");
    let at = large.windows(method.len()).rposition(|window| window == method).context("no metadata")?;
    let mut breaking = large.clone();
    breaking[at..at + other.len()].copy_from_slice(other);
    project.build(&breaking)?;
    let refused = project.fails(&["deploy", "-e", "local"]).await?;
    assert!(refused.contains("Candid compatibility check failed"), "{refused}");
    assert_eq!(project.status().await?["module_hash"], format!("0x{}", Digest::of(&large)));
    project.node.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn icp_refuses_forged_answers_and_a_wrong_root_key() -> Result<()> {
    let project = Project::start().await?;
    project.run(&["deploy", "-e", "local"]).await?;
    let canister = project.run(&["canister", "status", "verifier", "--id-only"]).await?.trim().to_owned();
    let root_key = hex::encode(project.node.root_key());
    let call = async |url: &str, root_key: &str, query: bool| {
        let mut arguments = vec!["canister", "call", &canister, "version", "()", "-n", url, "-k", root_key];
        arguments.extend(query.then_some("--query"));
        project.fails(&arguments).await
    };
    let forger = Forger::start(&project.node.url(), b"assay-canister".to_vec()).await?;
    let refused = call(&forger.url, &root_key, true).await?;
    assert!(forger.forged() > 0 && refused.to_lowercase().contains("signature"), "{refused}");

    let other = Node::start(Config::default()).await?;
    let refused = call(&project.node.url(), &hex::encode(other.root_key()), true).await?;
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");

    let forger = Forger::start(&project.node.url(), UPLOAD.to_vec()).await?;
    let upload = format!(
        "(record {{ kind = variant {{ Dataset }}; digest = blob \"{}\"; size = 4096 }})",
        UPLOAD.map(|byte| format!("\\{byte:02x}")).concat()
    );
    let begin = ["canister", "call", &canister, "begin_upload", &upload, "-n", &forger.url, "-k", &root_key];
    let refused = project.fails(&begin).await?;
    assert!(forger.forged() > 0 && refused.to_lowercase().contains("certificate"), "{refused}");
    Ok(())
}
