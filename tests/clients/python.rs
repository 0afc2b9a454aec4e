//! `icp-py-core` in Python.

use anyhow::Result;
use serde_json::Value;
use tests::World;

use super::{Client, ask, installed, script, works_and_refuses};

struct Python;

impl Client for Python {
    async fn run(&self, url: &str, world: &World, operation: &str) -> Result<Value> {
        let python = installed("python/bin/python")?;
        let script = script("python/client.py").to_string_lossy().into_owned();
        let (root_key, canister) = (hex::encode(&world.root_key), world.canister.to_text());
        ask(&python, &[&script, url, &root_key, &canister, operation]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_library_works_and_refuses_forged_answers() -> Result<()> {
    let refusals =
        ["QuerySignatureVerificationFailed", "CertificateVerificationError", "CertificateVerificationError"];
    works_and_refuses(&Python, refusals).await
}
