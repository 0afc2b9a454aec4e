//! CycloneDX 1.6: a bill of materials with the model, its model card, and the dataset.

use audit::{
    Digest,
    certificate::{CriterionRecord, Level, Predicate},
    language::LanguageModel,
};
use interface::rfc3339;
use serde_json::{Value, json};

use super::{Checked, Figure, figures, named, value_text};

/// The bill.
pub fn bill(checked: &Checked<'_>) -> Value {
    let predicate = checked.predicate();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial_number(checked.body_digest()),
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(predicate.issued_at.0),
            "tools": { "components": [{
                "type": "application",
                "name": "assay",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
        },
        "components": [model(checked), dataset(predicate)],
    })
}

/// A UUID of the statement's digest (RFC 9562, version 8): the same certificate has the same bill.
fn serial_number(digest: Digest) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.0[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn sha256(digest: Digest) -> Value {
    json!([{ "alg": "SHA-256", "content": digest.to_string() }])
}

/// Of a model whose file stays with its owner, not even its size is known.
fn description(checked: &Checked<'_>, what: &str) -> String {
    if let Some(model) = checked.language_model() {
        let (name, place) = match model {
            LanguageModel::Endpoint(endpoint) => (&endpoint.model, format!("at {}", endpoint.base_url)),
            LanguageModel::Local(local) => {
                (&local.name, format!("in the ONNX file with SHA-256 {}", local.file))
            }
        };
        return format!("Language model {name} {place}, by its owner's word; the digest is that of {what}.");
    }
    match checked.predicate().model.parameters {
        0 => format!("Classifier whose file stays with its owner; the digest is that of {what}."),
        parameters => {
            format!("Integer classifier with {parameters} parameters; the digest is that of {what}.")
        }
    }
}

fn model(checked: &Checked<'_>) -> Value {
    let predicate = checked.predicate();
    let (authentic, model) = (checked.authentic, &predicate.model);
    let what = match predicate.level {
        Level::Attested | Level::SpotChecked => {
            "the model's bytes or of the card that names its file; predictions were logged and signed"
        }
        Level::Replayed => "the integer model",
        Level::Proved => "the package with the commitment to the private weights",
    };
    let property = |name: &str, value: String| json!({ "name": format!("assay:{name}"), "value": value });
    json!({
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": model.name,
        "description": description(checked, what),
        "hashes": sha256(model.digest),
        "externalReferences": references(checked),
        "modelCard": {
            "modelParameters": {
                "task": if checked.language_model().is_some() { "text generation" } else { "classification" },
                "modelArchitecture": model.layers.join("; "),
                "datasets": [{ "ref": "dataset" }],
            },
            "quantitativeAnalysis": {
                "performanceMetrics": figures(predicate).map(metric).collect::<Vec<_>>(),
            },
            "considerations": {
                "technicalLimitations": predicate.caveats,
                "ethicalConsiderations": predicate.criteria.iter().map(criterion).collect::<Vec<_>>(),
                "fairnessAssessments": assessments(predicate),
            },
        },
        "properties": [
            property("assurance", predicate.level.word().to_owned()),
            property("canister", predicate.canister.clone()),
            property("certificate", predicate.certificate.to_string()),
            property("policy", predicate.policy.name.clone()),
            property("policy-sha256", predicate.policy_digest.to_string()),
            property("sample-rows", predicate.sample.size.to_string()),
            property("standing", authentic.standing.word().to_owned()),
            property("standing-as-of", rfc3339(authentic.signed_at_ns)),
            property("verdict", predicate.verdict.word().to_owned()),
        ],
    })
}

/// The dataset that the model was evaluated on: nothing is known of its training.
fn dataset(predicate: &Predicate) -> Value {
    let dataset = &predicate.dataset;
    let attributes = predicate.attributes.iter().map(|attribute| attribute.name.as_str());
    json!({
        "type": "data",
        "bom-ref": "dataset",
        "name": dataset.name,
        "version": dataset.version,
        "hashes": sha256(dataset.digest),
        "data": [{
            "type": "dataset",
            "name": dataset.name,
            "description": format!(
                "Evaluation data, {} of {} rows drawn at random after model and policy were fixed. What the model was \
                 trained on is not known.",
                predicate.sample.size, dataset.rows
            ),
            "sensitiveData": attributes.map(|name| format!("protected attribute: {name}")).collect::<Vec<_>>(),
        }],
    })
}

/// The statement by its digest, and where the canister shows what.
fn references(checked: &Checked<'_>) -> Value {
    let id = checked.file.certificate;
    let body = checked.at(&format!("/certificate/{id}/body.json"));
    let mut all = vec![json!({
        "type": "attestation",
        "url": body.unwrap_or_else(|| named(checked.body_digest())),
        "comment": format!(
            "in-toto statement of certificate {id}, certified by canister {} of the Internet Computer",
            checked.file.canister
        ),
        "hashes": sha256(checked.body_digest()),
    })];
    for (kind, path, comment) in [
        ("certification-report", format!("/certificate/{id}"), "the certificate's page"),
        (
            "digital-signature",
            format!("/dsse/{id}.json"),
            "the statement in a DSSE envelope, signed by the canister",
        ),
        (
            "evidence",
            format!("/export/{id}.json"),
            "statement, status, witness and IC certificate, for offline checks",
        ),
    ] {
        if let Some(url) = checked.at(&path) {
            all.push(json!({ "type": kind, "url": url, "comment": comment }));
        }
    }
    all.into()
}

/// Values are text here, so an undefined one says why.
fn metric(figure: Figure) -> Value {
    let (Ok(value) | Err(value)) = figure.value;
    let mut metric = json!({ "type": figure.id, "value": value });
    if let Some(slice) = figure.slice {
        metric["slice"] = slice.into();
    }
    if let Some(interval) = figure.interval {
        metric["confidenceInterval"] =
            json!({ "lowerBound": interval.lower.to_string(), "upperBound": interval.upper.to_string() });
    }
    metric
}

/// A criterion of the policy with its verdict.
fn criterion(record: &CriterionRecord) -> Value {
    let criterion = &record.criterion;
    let class = criterion.class.as_ref().map_or_else(String::new, |class| format!(", class {class}"));
    let mut name = format!(
        "{} over {}{class}: {}, {} {} is asked for: {}",
        criterion.metric,
        pages::over(&criterion.attributes, &criterion.group),
        value_text(&record.value),
        criterion.comparator.sign(),
        criterion.threshold,
        record.verdict.word(),
    );
    for small in &record.small_groups {
        name.push_str(&format!("; {} has only {} samples", small.group, small.size));
    }
    json!({ "name": name })
}

/// What was measured between the groups of each attribute. Benefits and harms are for people to judge.
fn assessments(predicate: &Predicate) -> Value {
    let assessed = predicate.attributes.iter().map(|attribute| {
        let own = [attribute.name.clone()];
        let of = predicate.comparisons.iter().find(|comparison| comparison.attributes == own);
        let figures = of.into_iter().flat_map(|comparison| &comparison.metrics);
        let texts: Vec<String> =
            figures.map(|record| format!("{}: {}", record.metric, value_text(&record.value))).collect();
        json!({
            "groupAtRisk": format!("groups of {}: {}", attribute.name, attribute.groups.join(", ")),
            "harms": format!("Differences between these groups as measured. {}", texts.join("; ")),
        })
    });
    assessed.collect::<Vec<_>>().into()
}
