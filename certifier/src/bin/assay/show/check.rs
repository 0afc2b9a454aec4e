use check::{Report, Standing};
use serde_json::{Value, json};

use crate::time::utc;

/// A check as JSON.
pub fn check_document(report: &Report) -> Value {
    let steps = report.steps.iter().map(|step| match &step.result {
        Ok(found) => json!({ "step": step.name, "ok": true, "found": found }),
        Err(failure) => {
            json!({ "step": step.name, "ok": false, "error": failure.to_string(), "hint": failure.hint() })
        }
    });
    let authentic = report.authentic.as_ref();
    json!({
        "authentic": authentic.is_some(),
        "standing": authentic.map(|authentic| authentic.standing.word()),
        "standingText": authentic.map(|authentic| standing_text(&authentic.standing)),
        "signedAt": authentic.map(|authentic| utc(authentic.signed_at_ns)),
        "verdict": authentic.map(|authentic| authentic.certificate.predicate.verdict),
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// A check, one line a step.
pub fn check_text(report: &Report) -> String {
    let mut text = String::new();
    for step in &report.steps {
        let (mark, what) = match &step.result {
            Ok(found) => ("ok    ", found.clone()),
            Err(failure) => ("FAILED", failure.to_string()),
        };
        text.push_str(&format!("{mark}  {:14}  {what}\n", step.name));
    }
    match &report.authentic {
        Some(authentic) => text.push_str(&format!(
            "\nauthentic; {} (as signed {})\n",
            standing_text(&authentic.standing),
            utc(authentic.signed_at_ns)
        )),
        None => text.push_str("\nNOT authentic: do not rely on it\n"),
    }
    text
}

/// How a certificate stands, in words.
pub fn standing_text(standing: &Standing) -> String {
    match standing {
        Standing::Stands => "it stands".to_owned(),
        Standing::Expired { at_ns } => format!("EXPIRED on {}", utc(*at_ns)),
        Standing::Superseded { by, at_ns } => format!("SUPERSEDED by certificate {by} on {}", utc(*at_ns)),
        Standing::Suspended { row, by, at_ns } => format!(
            "SUSPENDED on {}: the model does not decide what the log says of row {row}, as {by} pointed out",
            utc(*at_ns)
        ),
        Standing::Revoked { by, reason, at_ns } => format!("REVOKED by {by} on {}: {reason}", utc(*at_ns)),
    }
}
