//! `securesystemslib`, which in-toto and TUF verify with, reads the statement of a prediction log.

use anyhow::{Context, Result};
use audit::log::{PREDICATE_TYPE, Signed};
use serde_json::{Value, json};

use super::{ask, installed, script};

/// The golden envelope of the `audit` crate; `../../verifier-canister/audit/tests/log.rs` makes it.
const ENVELOPE: &str = "verifier-canister/audit/tests/golden/log-statement.json";

#[tokio::test]
async fn a_signed_log_is_verified_by_a_third_party_and_a_forged_one_refused() -> Result<()> {
    let python = installed("python/bin/python")?;
    let script = script("python/dsse.py").to_string_lossy().into_owned();
    let bytes = std::fs::read(tests::repository(ENVELOPE))?;
    let key = Signed::verify(&bytes)?.statement().predicate.signer.to_string();
    let mut envelope: Value = serde_json::from_slice(&bytes)?;
    let keyid = envelope["signatures"][0]["keyid"].as_str().context("a key id is text")?.to_owned();
    let verify = async |envelope: &Value| {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), envelope.to_string())?;
        ask(&python, &[&script, &file.path().to_string_lossy(), &key, &keyid]).await
    };
    let accepted = json!({ "type": "application/vnd.in-toto+json", "predicate": PREDICATE_TYPE });
    assert_eq!(verify(&envelope).await?, accepted);

    let payload = envelope["payload"].as_str().context("a payload is text")?.replacen('A', "B", 1);
    envelope["payload"] = payload.into();
    assert_eq!(verify(&envelope).await?, json!({ "error": "VerificationError" }));
    Ok(())
}
