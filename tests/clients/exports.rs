//! What other people's libraries read of exported certificates: CycloneDX's validator, the Hugging Face hub's client, and
//! Digital Bazaar's for verifiable credentials. The documents are the certifier's golden files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::{ask, installed, script};

/// A time at which the golden certificate is valid.
const THEN: &str = "2026-10-01T00:00:00Z";

fn golden(name: &str) -> PathBuf {
    tests::repository("certifier/tests/golden").join(name)
}

/// A golden file in which one place is another.
fn changed(folder: &Path, name: &str, from: &str, to: &str) -> Result<PathBuf> {
    let text = std::fs::read_to_string(golden(name))?;
    assert!(text.contains(from), "{name} does not have {from:?}");
    let path = folder.join(name);
    std::fs::write(&path, text.replacen(from, to, 1))?;
    Ok(path)
}

async fn python(form: &str, file: &Path) -> Result<Value> {
    let script = script("python/exports.py");
    ask(&installed("python/bin/python")?, &[&script.to_string_lossy(), form, &file.to_string_lossy()]).await
}

async fn credential(file: &Path, now: &str) -> Result<Value> {
    let (script, packages) = (script("node/credential.mjs"), installed("node")?);
    let arguments =
        [script.to_string_lossy(), packages.to_string_lossy(), file.to_string_lossy(), now.into()];
    ask("node".as_ref(), &arguments.each_ref().map(AsRef::as_ref)).await
}

fn refused(answer: &Value, complaint: &str) {
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(error.contains(complaint), "expected {complaint:?}: {answer}");
}

#[tokio::test]
async fn a_bill_of_materials_has_the_published_schema() -> Result<()> {
    let read = python("cyclonedx", &golden("bill.json")).await?;
    assert_eq!(read, json!({ "ok": { "model": "three-way", "numbers": 194, "undefined": 77 } }));
    let read = python("cyclonedx", &golden("language/bill.json")).await?;
    assert_eq!(read["ok"]["model"], json!("rule"), "{read}");
    let folder = tempfile::tempdir()?;
    let unknown = changed(folder.path(), "bill.json", "\"lowerBound\"", "\"lower\"")?;
    refused(&python("cyclonedx", &unknown).await?, "lower");
    let no_uuid = changed(folder.path(), "bill.json", "urn:uuid:", "urn:")?;
    refused(&python("cyclonedx", &no_uuid).await?, "does not match");
    Ok(())
}

#[tokio::test]
async fn a_model_card_is_read_by_the_hubs_client() -> Result<()> {
    let read = python("model-index", &golden("card.md")).await?;
    let expected = json!({
        "model": "three-way",
        "dataset": "loans 2026-11",
        "task": "tabular-classification",
        "source": "https://rrkah-fqaaa-aaaaa-aaaaq-cai.icp0.io/certificate/4",
        "numbers": 134,
        "entries": 1,
    });
    assert_eq!(read, json!({ "ok": expected }));
    let read = python("model-index", &golden("language/card.md")).await?;
    assert_eq!(
        (&read["ok"]["model"], &read["ok"]["task"]),
        (&json!("rule"), &json!("text-generation")),
        "{read}"
    );
    let folder = tempfile::tempdir()?;
    let text = changed(folder.path(), "card.md", "value: 0.", "value: about 0.")?;
    refused(&python("model-index", &text).await?, "about 0.");
    let without =
        changed(folder.path(), "card.md", "      type: tabular-classification", "      kind: none")?;
    refused(&python("model-index", &without).await?, "KeyError");
    Ok(())
}

#[tokio::test]
async fn a_credential_is_json_ld_of_the_data_model() -> Result<()> {
    let read = credential(&golden("credential.json"), THEN).await?;
    let expected = json!({
        "issuer": "https://rrkah-fqaaa-aaaaa-aaaaq-cai.icp0.io",
        "types": [
            "https://www.w3.org/2018/credentials#VerifiableCredential",
            "https://assay.invalid/terms#ModelEvaluationCredential",
        ],
        "from": "2026-09-21T14:13:23Z",
        "proof": false,
        "undefined": 2,
        "quads": true,
    });
    assert_eq!(read, json!({ "ok": expected }));
    let language = credential(&golden("language/credential.json"), THEN).await?;
    assert_eq!(language["ok"]["types"], read["ok"]["types"], "{language}");
    refused(
        &credential(&golden("credential.json"), "2028-01-01T00:00:00Z").await?,
        "is after \"validUntil\"",
    );
    let folder = tempfile::tempdir()?;
    for (from, to, complaint) in [
        ("\"issuer\"", "\"issued-by\"", "\"issuer\" property is required"),
        ("\"audits_of_model\": 2", "\"audits_of_model\": 1", "the statement has another digest"),
        ("\"@vocab\"", "\"unused\"", "Safe mode validation error"),
    ] {
        let file = changed(folder.path(), "credential.json", from, to)?;
        refused(&credential(&file, THEN).await?, complaint);
    }
    Ok(())
}
