//! `@icp-sdk/core` in Node.

use anyhow::Result;
use serde_json::Value;
use tests::World;

use super::{Client, ask, installed, script, works_and_refuses};

struct JavaScript;

impl Client for JavaScript {
    async fn run(&self, url: &str, world: &World, operation: &str) -> Result<Value> {
        let packages = installed("node")?;
        let (script, packages) = (script("node/client.mjs"), packages.to_string_lossy().into_owned());
        let (root_key, canister) = (hex::encode(&world.root_key), world.canister.to_text());
        let script = script.to_string_lossy().into_owned();
        ask("node".as_ref(), &[&script, &packages, url, &root_key, &canister, operation]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_library_works_and_refuses_forged_answers() -> Result<()> {
    let certificate = "CertificateVerificationErrorCode";
    works_and_refuses(&JavaScript, ["QuerySignatureVerificationFailedErrorCode", certificate, certificate])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_library_polls_for_the_answer_of_an_asynchronous_call() -> Result<()> {
    let world = World::start().await?;
    let answer = JavaScript.run(world.url(), &world, "polled").await?;
    let digest = audit::Digest(super::UPLOAD).to_string();
    assert_eq!(answer, serde_json::json!({ "ok": { "status": 202, "digest": digest } }));
    Ok(())
}
