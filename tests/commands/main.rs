//! The command line against a canister, as people type it: audits by logs.

mod shell;

use std::{fs, path::Path};

use anyhow::Result;
use audit::{
    Digest,
    language::Transcript,
    log::{output_digest, salt},
};
use serde_json::json;

use shell::Shell;

const ITEMS: &str = "datasets/language/german-sex";
const MODEL: &str = "datasets/language/models/credit-letters/model.onnx";
const MISMATCH: i32 = 3;
const SPOT_CHECKED: &str = r#""level":"spot-checked""#;

/// An audit of the small language model is requested, its log run, signed and handed in; `bend` may change the log before.
fn logged(shell: &Shell, bend: impl FnOnce(&Path) -> Result<()>) -> Result<String> {
    let asks =
        "audit request --log --sample 80 --openings 40 --model letters --dataset german-credit-sex --wait";
    let record = shell.does("owner", &format!("{asks} --policy datasets/policies/german-sex.json"))?;
    let (id, log) = (record["id"].to_string(), shell.at(&format!("audit-{}.log", record["id"])));
    let run = format!("language run --audit {id} --items {ITEMS} --local {MODEL} --model letters -o {log}");
    shell.does("owner", &run)?;
    bend(Path::new(&log))?;
    shell.does("owner", &format!("log sign {log}"))?;
    let record = shell.does("owner", &format!("log submit {log} --audit {id}"))?;
    assert_eq!(record["state"]["kind"], "awaiting auditor", "{record}");
    Ok(id)
}

/// Makes every prompt of a log another than the item's. The canister, which has no items, cannot see it.
fn kinder(log: &Path) -> Result<()> {
    let (transcripts, records) = (log.join("transcripts.jsonl"), log.join("records.bin"));
    let secret: Digest = fs::read_to_string(log.join("secret"))?.trim().parse()?;
    let (mut bytes, mut lines) = (fs::read(&records)?, Vec::new());
    for (index, line) in fs::read_to_string(&transcripts)?.lines().enumerate() {
        let mut transcript = Transcript::parse(line.as_bytes())?;
        transcript.calls[1].prompt.push_str(" Be kind.");
        let json = transcript.to_json()?;
        let digest = output_digest(&salt(&secret.0, u32::try_from(index)?), &json);
        bytes[69 * index + 36..69 * index + 68].copy_from_slice(&digest.0);
        lines.extend(json);
        lines.push(b'\n');
    }
    fs::write(transcripts, lines)?;
    Ok(fs::write(records, bytes)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_language_model_is_audited_confirmed_and_run_again() -> Result<()> {
    let shell = Shell::start().await?;
    shell.does("controller", &format!("dataset add {ITEMS}"))?;
    let seen = shell.does("owner", &format!("language prompt {ITEMS} --local {MODEL}"))?;
    let [male, female] = [0, 1].map(|variant| &seen["local"][variant]["tokens"]);
    assert!(male.to_string().contains("Ġmale") && female.to_string().contains("Ġfemale"), "{seen}");
    let register = format!("language register --items {ITEMS} --local {MODEL} --model letters");
    shell.does("owner", &register)?;
    shell.does("owner", "key add")?;
    shell.does("controller", &format!("role add auditor {}", shell.principal("auditor")?))?;
    // Another text around prompts would be another try, and another name no other model.
    let other = format!(r"{register} --after \nReply: --name other");
    let said = shell.refused("owner", &other)?;
    assert!(said.contains("the model would say something else"), "{said}");
    let said = shell.refused("owner", &format!("{other} --anyway"))?;
    assert!(said.contains("your card for this language model and item set"), "{said}");

    let id = logged(&shell, kinder)?;
    let confirm = format!("log confirm {id} --model {MODEL} --items {ITEMS} --note here");
    let dry = shell.exits(MISMATCH, "auditor", &format!("{confirm} --dry-run"))?;
    assert_eq!(dry["agrees"], json!(false));
    assert!(dry["note"].to_string().contains("prompt 1 is not that of the item"), "{dry}");
    shell.exits(MISMATCH, "auditor", &confirm)?;
    let record = shell.does("auditor", &format!("audit status {id}"))?;
    assert_eq!(record["state"]["kind"], "refused", "{record}");

    let id = logged(&shell, |_| Ok(()))?;
    let done = shell.does("auditor", &format!("log confirm {id} --model {MODEL} --items {ITEMS}"))?;
    assert_eq!(done["state"]["kind"], "completed", "{done}");
    let shown = shell.does("auditor", "certificate show 1")?;
    assert!(shown.to_string().contains(SPOT_CHECKED), "{shown}");
    let again = shell.does("auditor", &format!("rerun 1 --model {MODEL} --items {ITEMS} --attest"))?;
    assert_eq!((&again["equal"], &again["wrongTranscripts"]), (&json!(true), &json!([])), "{again}");
    let found = shell.does("auditor", "attest 1")?;
    assert!(found.to_string().contains("agrees"), "{found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn classifiers_are_audited_by_logs() -> Result<()> {
    const ONNX: &str = "datasets/german/models/logistic.onnx";
    let shell = Shell::start().await?;
    shell.does("controller", "dataset add datasets/german")?;
    let said = shell.refused("owner", "key add")?;
    assert!(said.contains("register a model first"), "{said}");
    shell.does("controller", &format!("role add auditor {}", shell.principal("auditor")?))?;
    let public = shell.at("public.assay-model");
    shell
        .does("owner", &format!("model import {ONNX} --dataset datasets/german --name public -o {public}"))?;
    shell.does("owner", &format!("model register {public}"))?;
    shell.does("owner", &format!("model register {ONNX} --logged --dataset datasets/german --name kept"))?;
    shell.does("owner", "key add")?;
    let policy = shell.at("policy.json");
    fs::write(&policy, tests::ACCURACY_POLICY)?;
    for (model, file) in [("public", public), ("kept", format!("{ONNX} --embedded"))] {
        let asks = "audit request --log --sample 200 --openings 67 --dataset german-credit --wait";
        let record = shell.does("owner", &format!("{asks} --model {model} --policy {policy}"))?;
        let (id, log) = (&record["id"], shell.at(model));
        shell.does("owner", &format!("log run --audit {id} -o {log} --model {file}"))?;
        shell.does("owner", &format!("log sign {log}"))?;
        let mut record = shell.does("owner", &format!("log submit {log} --audit {id}"))?;
        // The canister runs a public model itself.
        if model == "kept" {
            assert_eq!(record["state"]["kind"], "awaiting auditor", "{record}");
            record = shell.does("auditor", &format!("log confirm {id} --model {file}"))?;
        }
        assert_eq!(record["state"]["kind"], "completed", "{record}");
        let certificate = &record["certificate"];
        let shown = shell.does("auditor", &format!("certificate show {certificate}"))?;
        assert!(shown.to_string().contains(SPOT_CHECKED), "{shown}");
        let given = if model == "kept" { format!("--model {file}") } else { String::new() };
        let again = shell.does("auditor", &format!("rerun {certificate} --attest {given}"))?;
        assert_eq!((&again["equal"], &again["log"]["ran"]), (&json!(true), &json!(true)), "{again}");
    }
    // Honest predictions are no reason to suspend anything.
    let said = shell.exits(MISMATCH, "owner", "dispute 1")?;
    assert_eq!(said["suspended"], json!(false), "{said}");
    Ok(())
}
