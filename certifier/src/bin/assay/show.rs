//! Records and certificates, as JSON documents and as text for people.

mod certificate;
mod check;
mod measures;
mod rerun;

use audit::{Dataset, Digest, Model, Policy, language::LanguageModel};
use interface::{
    AuditRecord, AuditState, CertificateState, CertificateSummary, DatasetRecord, LayerSummary, ModelRecord,
    Verdict,
};
use serde_json::{Value, json};

use crate::{table::Table, time::utc};

pub use certificate::{certificate_document, certificate_text, verdict_line};
pub use check::{check_document, check_text, standing_text};
pub use measures::measures_table;
pub use rerun::rerun_text;

/// A language model's name, and where it is; of one in files also the texts that a prompt stands between.
pub fn language_model(model: &LanguageModel) -> String {
    match model {
        LanguageModel::Endpoint(endpoint) => format!("{} at {}", endpoint.model, endpoint.base_url),
        LanguageModel::Local(local) => format!(
            "{}, file {}, tokenizer {}, between {:?} and {:?}",
            local.name, local.file, local.tokenizer, local.before, local.after
        ),
    }
}

/// A registered dataset.
pub fn dataset_record(record: &DatasetRecord) -> Value {
    json!({
        "digest": record.digest.to_string(),
        "name": record.name,
        "version": record.version,
        "rows": record.rows,
        "columns": record.columns,
        "bytes": record.bytes,
        "manifest": record.manifest.to_string(),
        "encoding": record.encoding.to_string(),
        "owner": record.owner.to_text(),
        "registeredAt": utc(record.registered_at_ns),
    })
}

/// A dataset in full.
pub fn dataset(dataset: &Dataset) -> Value {
    let schema = dataset.schema();
    let columns = schema
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "offset": column.offset, "scale": column.scale }));
    let attributes = schema.attributes.iter().zip(group_sizes(dataset)).map(|(attribute, sizes)| {
        let groups: Vec<_> = attribute
            .groups
            .iter()
            .zip(sizes)
            .map(|(name, rows)| json!({ "name": name, "rows": rows }))
            .collect();
        let reference = attribute.reference.map(|index| &attribute.groups[usize::from(index)]);
        json!({ "name": attribute.name, "groups": groups, "reference": reference })
    });
    let classes = schema
        .classes
        .iter()
        .zip(class_sizes(dataset))
        .map(|(name, rows)| json!({ "name": name, "rows": rows }));
    json!({
        "digest": dataset.digest(),
        "name": schema.name,
        "version": schema.version,
        "rows": dataset.rows(),
        "bytes": dataset.bytes().len(),
        "manifest": Digest::of(&schema.manifest),
        "encoding": schema.encoding(),
        "classes": classes.collect::<Vec<_>>(),
        "favourable": schema.classes[usize::from(schema.favourable)],
        "attributes": attributes.collect::<Vec<_>>(),
        "columns": columns.collect::<Vec<_>>(),
    })
}

/// A dataset for people.
pub fn dataset_text(dataset: &Dataset) -> String {
    let schema = dataset.schema();
    let mut facts = Table::new(&["dataset", &schema.name]);
    for (name, value) in [
        ("version", schema.version.clone()),
        ("digest", dataset.digest().to_string()),
        ("manifest", Digest::of(&schema.manifest).to_string()),
        ("encoding", schema.encoding().to_string()),
        ("rows", dataset.rows().to_string()),
        ("features", schema.columns.len().to_string()),
        ("bytes", dataset.bytes().len().to_string()),
    ] {
        facts.row([name.to_owned(), value]);
    }
    let mut parts = Table::new(&["attribute", "group", ">rows", "note"]);
    for (index, (class, rows)) in schema.classes.iter().zip(class_sizes(dataset)).enumerate() {
        let note = if index == usize::from(schema.favourable) { "favourable" } else { "" };
        parts.row(["(label)".into(), class.clone(), rows.to_string(), note.into()]);
    }
    for (attribute, sizes) in schema.attributes.iter().zip(group_sizes(dataset)) {
        for (index, (group, rows)) in attribute.groups.iter().zip(sizes).enumerate() {
            let note = if attribute.reference.map(usize::from) == Some(index) { "reference" } else { "" };
            parts.row([attribute.name.clone(), group.clone(), rows.to_string(), note.into()]);
        }
    }
    format!("{}\n{}", facts.render(0), parts.render(0))
}

fn class_sizes(dataset: &Dataset) -> Vec<u64> {
    let mut sizes = vec![0; dataset.schema().classes.len()];
    for row in (0..dataset.rows()).filter_map(|index| dataset.row(index)) {
        sizes[usize::from(row.label)] += 1;
    }
    sizes
}

fn group_sizes(dataset: &Dataset) -> Vec<Vec<u64>> {
    let mut sizes: Vec<Vec<u64>> =
        dataset.schema().attributes.iter().map(|attribute| vec![0; attribute.groups.len()]).collect();
    for row in (0..dataset.rows()).filter_map(|index| dataset.row(index)) {
        sizes.iter_mut().zip(row.groups).for_each(|(sizes, &group)| sizes[usize::from(group)] += 1);
    }
    sizes
}

/// A registered model.
pub fn model_record(record: &ModelRecord) -> Value {
    json!({
        "digest": record.digest.to_string(),
        "name": record.name,
        "source": record.source.map(|digest| digest.to_string()),
        "commitment": record.commitment.map(|digest| digest.to_string()),
        "encoding": record.encoding.to_string(),
        "classes": record.classes,
        "inputs": record.inputs,
        "parameters": record.parameters,
        "layers": record.layers.iter().map(layer_text).collect::<Vec<_>>(),
        "bytes": record.bytes,
        "owner": record.owner.to_text(),
        "registeredAt": utc(record.registered_at_ns),
        "audits": record.audits,
    })
}

/// A model's bytes, registered or not.
pub fn model(model: &Model, bytes: usize) -> Value {
    json!({
        "digest": model.digest(),
        "name": model.name,
        "source": model.source,
        "encoding": model.encoding,
        "classes": model.classes,
        "inputs": model.inputs(),
        "parameters": model.parameters(),
        "layers": LayerSummary::of(model).iter().map(layer_text).collect::<Vec<_>>(),
        "bytes": bytes,
    })
}

/// `dense 55 x 16, relu`.
fn layer_text(layer: &LayerSummary) -> String {
    format!("dense {} x {}, {}", layer.inputs, layer.units, layer.activation)
}

/// A JSON object's members, one a line.
pub fn members_text(document: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map_or(item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    };
    let mut table = Table::new(&["", ""]);
    for (name, value) in document.as_object().into_iter().flatten() {
        table.row([name.clone(), text(value)]);
    }
    table.render(0).trim_start_matches('\n').to_owned()
}

/// A policy for people.
pub fn policy_text(policy: &Policy) -> String {
    let mut table = Table::new(&["metric", "over", "", ">threshold"]);
    for criterion in &policy.criteria {
        table.row([
            criterion.metric.to_string(),
            over_text(&criterion.attributes, &criterion.group, criterion.class.as_deref()),
            criterion.comparator.sign().to_owned(),
            criterion.threshold.to_string(),
        ]);
    }
    format!(
        "policy {:?}, groups of at least {} samples\n{}",
        policy.name,
        policy.min_group_size,
        table.render(0)
    )
}

/// `sex=female`, `sex, age` or `all`; with the class if it is not the favourable one.
pub fn over_text(attributes: &[String], group: &[String], class: Option<&str>) -> String {
    let over = match (attributes, group) {
        ([], _) => "all".to_owned(),
        (attributes, []) => attributes.join(", "),
        (attributes, group) => attributes
            .iter()
            .zip(group)
            .map(|(name, group)| format!("{name}={group}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    class.map_or(over.clone(), |class| format!("{over} (class {class})"))
}

/// An audit.
pub fn audit_record(record: &AuditRecord) -> Value {
    let (mut state, mut more) = (json!({}), Value::Null);
    state["kind"] = record.state.kind().name().into();
    match &record.state {
        AuditState::Running { done, of } => (state["done"], state["of"]) = (json!(done), json!(of)),
        AuditState::Completed { certificate } => more = json!(certificate),
        AuditState::Refused { reason } => state["reason"] = json!(reason),
        AuditState::Abandoned { reason, by } => {
            (state["reason"], state["by"]) = (json!(reason), json!(by.to_text()))
        }
        AuditState::AwaitingProof { done, of } => (state["done"], state["of"]) = (json!(done), json!(of)),
        AuditState::AwaitingLog { of } => state["of"] = json!(of),
        AuditState::Counted { openings }
        | AuditState::AwaitingOpenings { openings }
        | AuditState::AwaitingAuditor { openings } => state["openings"] = json!(openings),
        AuditState::Requested => {}
    }
    json!({
        "id": record.id,
        "state": state,
        "certificate": more,
        "model": record.model.to_string(),
        "dataset": record.dataset.to_string(),
        "policy": record.policy.to_string(),
        "policyName": record.policy_name,
        "sampleSize": record.sample_size,
        "owner": record.owner.to_text(),
        "requester": record.requester.to_text(),
        "auditOfModel": record.audit_of_model,
        "auditOfOwner": record.audit_of_owner,
        "auditsOfModel": record.audits_of_model,
        "auditsOfOwner": record.audits_of_owner,
        "requestedAt": utc(record.requested_at_ns),
        "seed": record.seed.map(|seed| seed.to_string()),
        "drawnAt": record.drawn_at_ns.map(utc),
        "endedAt": record.ended_at_ns.map(utc),
        "supersedes": record.supersedes,
        "replayMessages": record.replay_messages,
        "replayInstructions": record.replay_instructions,
        "proofs": record.proofs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "log": record.log.as_ref().map(|log| json!({
            "openings": log.openings,
            "submitted": log.submitted.as_ref().map(|log| json!({
                "content": log.content.to_string(), "statement": log.statement.to_string(),
                "root": log.root.to_string(), "signer": log.signer.to_string(), "at": utc(log.at_ns),
            })),
            "seed": log.seed.map(|seed| seed.to_string()),
            "drawnAt": log.drawn_at_ns.map(utc),
            "opened": log.opened.as_ref().map(|opened| json!({
                "content": opened.content.to_string(), "at": utc(opened.at_ns),
            })),
            "checked": log.checked.as_ref().map(|checked| json!({
                "by": checked.by.to_text(), "at": utc(checked.at_ns),
            })),
        })),
    })
}

/// What has become of an audit, in a few words.
pub fn state_text(state: &AuditState) -> String {
    match state {
        AuditState::Requested => "requested".to_owned(),
        AuditState::Running { done, of } => format!("running, {done} of {of} samples"),
        AuditState::AwaitingProof { done, of } => {
            format!("awaiting the owner's proof, {done} of {of} samples proved")
        }
        AuditState::AwaitingLog { of } => format!("awaiting the owner's log of {of} predictions"),
        AuditState::Counted { openings } => format!("log counted, {openings} openings to be drawn"),
        AuditState::AwaitingOpenings { openings } => format!("awaiting {openings} openings of the owner"),
        AuditState::AwaitingAuditor { openings } => format!("{openings} openings await an auditor"),
        AuditState::Completed { certificate } => format!("completed: certificate {certificate}"),
        AuditState::Refused { reason } => format!("refused: {reason}"),
        AuditState::Abandoned { reason, .. } => format!("abandoned: {reason}"),
    }
}

/// A certificate in a list.
pub fn certificate_summary(summary: &CertificateSummary) -> Value {
    json!({
        "id": summary.id,
        "audit": summary.audit,
        "verdict": verdict_word(summary.verdict),
        "state": certificate_state_word(&summary.state),
        "model": summary.model.to_string(),
        "modelName": summary.model_name,
        "dataset": summary.dataset.to_string(),
        "datasetName": summary.dataset_name,
        "datasetVersion": summary.dataset_version,
        "policy": summary.policy.to_string(),
        "policyName": summary.policy_name,
        "sampleSize": summary.sample_size,
        "owner": summary.owner.to_text(),
        "issuedAt": utc(summary.issued_at_ns),
        "validUntil": summary.valid_until_ns.map(utc),
        "supersedes": summary.supersedes,
        "bodyDigest": summary.body_digest.to_string(),
    })
}

/// `pass`, `fail` or `undefined`.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Undefined => "undefined",
    }
}

/// `valid`, `superseded by 7`, `suspended for row 3` or `revoked: reason`.
pub fn certificate_state_word(state: &CertificateState) -> String {
    match state {
        CertificateState::Valid => "valid".to_owned(),
        CertificateState::Superseded { by, .. } => format!("superseded by {by}"),
        CertificateState::Suspended { row, .. } => format!("suspended for row {row}"),
        CertificateState::Revoked { reason, .. } => format!("revoked: {reason}"),
    }
}
