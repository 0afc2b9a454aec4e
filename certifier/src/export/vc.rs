//! W3C Verifiable Credentials Data Model 2.0.
//!
//! The credential has no `proof`: no proof type of that world verifies a subnet's signature, and one that nobody
//! verifies would be worth nothing. It names the digest of the signed statement instead, and carries the statement, whose
//! canonical JSON (RFC 8785) has that digest.

use audit::{certificate::CriterionRecord, dsse::IN_TOTO, language::Measure};
use check::Standing;
use interface::rfc3339;
use serde_json::{Map, Value, json};

use super::{Checked, integrity, named};

/// What a reader of the credential has to know.
const NOTE: &str = "This credential is not secured by a proof of its own. Its figures are those of the statement under \
     evidence, whose canonical JSON (RFC 8785) has the SHA-256 given there. A canister of the Internet Computer certifies \
     that digest: check the exported file, or the DSSE envelope, with its tools. A value is given only where it is \
     defined; otherwise the reason is.";

/// The credential.
pub fn credential(checked: &Checked<'_>) -> Value {
    let predicate = checked.predicate();
    let id = predicate.certificate;
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", context()],
        "type": ["VerifiableCredential", "ModelEvaluationCredential"],
        "name": format!("Assay certificate {id}: {} on {}", predicate.model.name, predicate.dataset.name),
        "description": NOTE,
        "issuer": {
            "id": checked.issuer(),
            "name": format!("Assay verifier canister {}", predicate.canister),
        },
        "validFrom": rfc3339(predicate.issued_at.0),
        "credentialSubject": subject(checked),
        "credentialStatus": status(checked),
        "evidence": evidence(checked),
    });
    if let Some(until) = predicate.valid_until {
        credential["validUntil"] = rfc3339(until.0).into();
    }
    if let Some(page) = checked.page() {
        credential["id"] = page.into();
    }
    if let Some(body) = checked.at(&format!("/certificate/{id}/body.json")) {
        credential["relatedResource"] = json!([{
            "id": body,
            "digestSRI": integrity(checked.body_digest()),
            "mediaType": IN_TOTO,
        }]);
    }
    credential
}

/// Our terms, in a domain that can never exist: they are not looked up. A statement is JSON as it is.
fn context() -> Value {
    json!({
        "@vocab": "https://assay.invalid/terms#",
        "statement": { "@id": "https://assay.invalid/terms#statement", "@type": "@json" },
    })
}

fn subject(checked: &Checked<'_>) -> Value {
    let predicate = checked.predicate();
    let sample = &predicate.sample;
    let mut subject = json!({
        "id": named(predicate.model.digest),
        "type": "EvaluatedModel",
        "name": predicate.model.name,
        "parameters": predicate.model.parameters,
        "dataset": {
            "id": named(predicate.dataset.digest),
            "name": predicate.dataset.name,
            "datasetVersion": predicate.dataset.version,
            "rows": predicate.dataset.rows,
        },
        "sampleSize": sample.size,
        "assurance": predicate.level.word(),
        "favourableClass": predicate.favourable,
        "policy": {
            "id": named(predicate.policy_digest),
            "name": predicate.policy.name,
            "minimumGroupSize": predicate.policy.min_group_size,
        },
        "verdict": predicate.verdict.word(),
        "criteria": predicate.criteria.iter().map(criterion).collect::<Vec<_>>(),
    });
    if checked.language_model().is_some() {
        let answers = predicate.language_measures().unwrap_or_default();
        subject["answers"] = answers.iter().map(answer).collect();
    }
    subject
}

/// What a language model's answers add up to, one figure of it.
fn answer(measure: &Measure) -> Value {
    let over = measure.group.as_deref().unwrap_or("all samples");
    let mut object = json!({ "figure": measure.id, "over": over });
    match &measure.value {
        Ok(exact) => {
            object["exactValue"] = exact.to_string().into();
            object["decimalValue"] = measure.decimal().into();
        }
        Err(reason) => object["undefined"] = reason.to_string().into(),
    }
    if let Some(interval) = measure.interval {
        object["interval95"] =
            json!({ "lower": interval.lower.to_string(), "upper": interval.upper.to_string() });
    }
    object
}

fn criterion(record: &CriterionRecord) -> Value {
    let (criterion, value) = (&record.criterion, &record.value);
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("metric", criterion.metric.to_string().into());
    put("over", pages::over(&criterion.attributes, &criterion.group).into());
    if let Some(class) = &criterion.class {
        put("class", class.as_str().into());
    }
    put("comparator", criterion.comparator.sign().into());
    put("threshold", criterion.threshold.to_string().into());
    match &value.undefined {
        Some(undefined) => {
            put("undefined", undefined.to_string().into());
        }
        None => {
            if let Some(exact) = &value.exact {
                put("exactValue", exact.to_string().into());
            }
            if let Some(decimal) = &value.decimal {
                put("decimalValue", decimal.as_str().into());
            }
        }
    }
    if let Some(interval) = &value.interval {
        put(
            "interval95",
            json!({ "lower": interval.lower.to_string(), "upper": interval.upper.to_string() }),
        );
    }
    if !record.small_groups.is_empty() {
        let small = record.small_groups.iter().map(|small| format!("{}: {}", small.group, small.size));
        put("groupsTooSmall", small.collect::<Vec<_>>().into());
    }
    put("verdict", record.verdict.word().into());
    object.into()
}

/// What the canister had certified of it when it was exported. No list that others publish has it.
fn status(checked: &Checked<'_>) -> Value {
    let authentic = checked.authentic;
    let mut status = json!({
        "type": "AssayCertifiedStatus",
        "state": authentic.standing.word(),
        "asOf": rfc3339(authentic.signed_at_ns),
    });
    match &authentic.standing {
        Standing::Stands | Standing::Expired { .. } => {}
        Standing::Superseded { by, at_ns } => {
            status["supersededBy"] = (*by).into();
            status["since"] = rfc3339(*at_ns).into();
        }
        Standing::Suspended { row, at_ns, .. } => {
            status["reason"] = format!("the model does not decide what its log says of row {row}").into();
            status["since"] = rfc3339(*at_ns).into();
        }
        Standing::Revoked { reason, at_ns, .. } => {
            status["reason"] = reason.as_str().into();
            status["since"] = rfc3339(*at_ns).into();
        }
    }
    if let Some(export) = checked.at(&format!("/export/{}.json", checked.file.certificate)) {
        status["id"] = export.into();
    }
    status
}

fn evidence(checked: &Checked<'_>) -> Value {
    json!([{
        "id": named(checked.body_digest()),
        "type": "AssayStatement",
        "canister": checked.file.canister.to_text(),
        "certificateNumber": checked.file.certificate,
        "sha256": checked.body_digest().to_string(),
        "statement": checked.authentic.certificate,
    }])
}
