//! Unmodified clients of other people drive the embedded node and the real canister: each does its work, and refuses
//! answers that were forged on the way. What is exported is read by the libraries that it is for.

mod dsse;
mod exports;
mod forger;
mod icp;
mod javascript;
mod python;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use audit::Digest;
use serde_json::{Value, json};
use tests::{World, wasm};
use tokio::process::Command;

use crate::forger::Forger;

/// Digest of the dataset that clients announce. It comes back in the answer.
const UPLOAD: [u8; 32] = [0xd5; 32];

/// Something of what `cargo xtask test` installs below `target/clients`.
fn installed(path: &str) -> Result<PathBuf> {
    let folder =
        std::env::var_os("ASSAY_CLIENTS").map_or_else(|| tests::repository("target/clients"), PathBuf::from);
    let path = folder.join(path);
    ensure!(path.exists(), "{} is missing; `cargo xtask test --only clients` installs it", path.display());
    Ok(path)
}

/// A script of this folder.
fn script(name: &str) -> PathBuf {
    tests::repository("tests/clients").join(name)
}

/// Runs a program that prints one JSON object.
async fn ask(program: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?} ended with {}: {errors}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments:?} printed no JSON: {errors}"))
}

/// A client that does one operation per process, all its verification on.
trait Client {
    /// Runs `operation` against the node at `url`.
    async fn run(&self, url: &str, world: &World, operation: &str) -> Result<Value>;
}

/// What each operation answers, and bytes of the answer whose forgery has to be noticed.
fn operations() -> Result<[(&'static str, Value, Vec<u8>); 3]> {
    let module = Digest::of(&wasm()?);
    Ok([
        (
            "version",
            json!(format!("assay-canister {}", env!("CARGO_PKG_VERSION"))),
            b"assay-canister".to_vec(),
        ),
        ("begin_upload", json!({ "digest": Digest(UPLOAD).to_string(), "size": 4096 }), UPLOAD.to_vec()),
        ("state", json!(module.to_string()), module.0.to_vec()),
    ])
}

/// Each operation works; each forged answer is refused with one of these errors.
async fn works_and_refuses(client: &impl Client, refusals: [&str; 3]) -> Result<()> {
    let world = World::start().await?;
    for ((operation, expected, needle), refusal) in operations()?.into_iter().zip(refusals) {
        let answer = client.run(world.url(), &world, operation).await?;
        assert_eq!(answer, json!({ "ok": expected }), "{operation}");

        let forger = Forger::start(world.url(), needle).await?;
        let answer = client.run(&forger.url, &world, operation).await?;
        assert!(forger.forged() > 0, "{operation}: there was nothing to forge");
        assert_eq!(answer["error"], json!(refusal), "{operation}: {answer}");
    }
    world.stop().await;
    Ok(())
}
