//! What the demo says at the end.

use std::{fmt::Write as _, path::Path};

use audit::Verdict;
use certifier::node::CanisterNode;
use check::rerun::Comparison;
use serde_json::{Value, json};

use super::{Certified, ROOT_KEY_NAME, private::Proved};
use crate::{show, table::Table};

/// Everything as JSON.
pub fn document(node: &CanisterNode, certified: &[Certified], seconds: f64) -> Value {
    let entry = |certified: &Certified| {
        json!({
            "certificate": certified.certificate,
            "import": certified.import,
            "check": { "steps": certified.steps, "authentic": true, "changedCopyRefused": certified.changed_copy },
            "rerun": certified.rerun.document(),
            "replayInstructions": certified.instructions,
            "proved": certified.proved.as_ref().map(Proved::document),
            "file": { "path": certified.file, "sha256": certified.file_digest },
        })
    };
    json!({
        "canister": node.canister().to_text(),
        "rootKey": node.status.root_key,
        "models": certified.iter().map(entry).collect::<Vec<_>>(),
        "held": certified.iter().all(|certified| certified.rerun.is_equal()),
        "seconds": seconds,
    })
}

/// The first certificate in full, a table of all, and how to check them again.
pub fn text(node: &CanisterNode, certified: &[Certified], keep: Option<&Path>) -> String {
    let mut text = String::new();
    if let Some(first) = certified.first() {
        let _ = writeln!(text, "\n{}", show::certificate_text(&first.certificate, false));
        let _ = writeln!(text, "  run again natively: {}", rerun_line(&first.rerun));
        let _ = writeln!(text, "  a copy with another verdict is refused: {}", first.changed_copy);
        if let Some(proved) = &first.proved {
            let _ = writeln!(text, "  a proof with another count is refused: {}", proved.false_proof);
            let _ = writeln!(text, "  a prediction of another class is refused: {}", proved.false_prediction);
        }
        text.push('\n');
    }
    let mut table = Table::new(&[
        ">#",
        "dataset",
        "model",
        ">parameters",
        ">equal to ONNX",
        ">sample",
        ">instr./sample",
        "criteria",
        "verdict",
        "check",
        "rerun",
    ]);
    for certified in certified {
        let predicate = &certified.certificate.predicate;
        let held = predicate.criteria.iter().filter(|record| record.verdict == Verdict::Pass).count();
        table.row([
            predicate.certificate.to_string(),
            predicate.dataset.name.clone(),
            predicate.model.name.clone(),
            predicate.model.parameters.to_string(),
            format!("{:.2} %", 100.0 * certified.import.share_equal()),
            predicate.sample.size.to_string(),
            (certified.instructions / u64::from(predicate.sample.size.max(1))).to_string(),
            format!("{held} of {}", predicate.criteria.len()),
            format!("{:?}", predicate.verdict).to_lowercase(),
            format!("{} steps ok", certified.steps),
            if certified.rerun.is_equal() { "equal".to_owned() } else { "DIFFERENT".to_owned() },
        ]);
    }
    text.push_str(&table.render(0));
    text.push_str(&proved_text(certified));
    text.push_str("\ncheck them again, offline:\n");
    match keep {
        Some(folder) => {
            for certified in certified {
                let (file, canister, folder) = (certified.file.display(), node.canister(), folder.display());
                let _ = writeln!(
                    text,
                    "  assay certificate check {file} --canister {canister} --root-key {folder}/{ROOT_KEY_NAME}"
                );
            }
        }
        None => {
            text.push_str("  assay demo --keep demo     keeps the exported certificates, and prints how\n")
        }
    }
    text
}

/// What proving took, with `--private`.
fn proved_text(certified: &[Certified]) -> String {
    let mut table = Table::new(&[
        ">#",
        "model",
        ">sample",
        ">proofs",
        ">bytes",
        ">prove and verify",
        ">canister instr.",
        ">one prediction",
        ">bytes",
    ]);
    let mut rows = 0;
    for certified in certified {
        let Some(proved) = &certified.proved else { continue };
        let predicate = &certified.certificate.predicate;
        rows += 1;
        table.row([
            predicate.certificate.to_string(),
            format!("{}/{}", predicate.dataset.name, predicate.model.name),
            predicate.sample.size.to_string(),
            proved.parts.to_string(),
            proved.bytes.to_string(),
            format!("{:.2} s", proved.seconds),
            certified.instructions.to_string(),
            format!("{:.2} s", proved.prediction_seconds),
            proved.prediction_bytes.to_string(),
        ]);
    }
    if rows == 0 { String::new() } else { format!("\nzero-knowledge proofs:\n{}", table.render(0)) }
}

fn rerun_line(rerun: &Comparison) -> String {
    let differences = rerun.differences().count();
    format!(
        "{} samples, {} values compared, {differences} different, same bytes: {}",
        rerun.samples,
        rerun.values(),
        if rerun.is_equal() { "yes" } else { "NO" }
    )
}
