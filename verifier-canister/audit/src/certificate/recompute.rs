//! Computes a certificate again from what it holds, as someone who has nothing but its bytes can.

use serde_json::Value as Json;

use super::{Certificate, DatasetFacts, Facts, Predicate};
use crate::{
    Attribute, AuditError, Counts,
    language::{Measure, measures},
    metrics::Frame,
};

/// Computes every number, verdict, digest of the policy and text again from counters, policy and facts in the
/// certificate, and fails at the first that differs, with its path, what should stand there and what does.
///
/// It does not check what needs more than the certificate: that the counters are the model's (the assurance level
/// says who did), the digests of model, dataset, manifest and group rule, and who issued it.
pub fn recompute(certificate: &Certificate) -> Result<(), AuditError> {
    let predicate = &certificate.predicate;
    let frame = predicate.frame()?;
    let counts = Counts::of_frame(&frame, predicate.counters.clone())?;
    let expected = Certificate::new(Predicate::new(
        &counts,
        predicate.level,
        &predicate.facts(),
        predicate.dataset.clone(),
        &frame,
        &predicate.policy,
    )?);
    if expected == *certificate {
        return Ok(());
    }
    let json = |certificate: &Certificate| {
        serde_json::to_value(certificate)
            .map_err(|cause| AuditError::Json { what: "certificate", cause: cause.to_string() })
    };
    match difference("", &json(&expected)?, &json(certificate)?) {
        Some((path, expected, got)) => Err(AuditError::Differs { path, expected, got }),
        None => Ok(()),
    }
}

impl Predicate {
    /// Classes and attributes, checked.
    pub fn frame(&self) -> Result<Frame, AuditError> {
        let index_of = |what: &'static str, names: &[String], name: &str| {
            let index = names.iter().position(|other| other == name).map(|index| index as u8);
            index.ok_or_else(|| AuditError::Unknown { what, name: name.chars().take(80).collect() })
        };
        let attribute = |record: &super::AttributeRecord| {
            let reference = record.reference.as_ref();
            Ok(Attribute {
                name: record.name.clone(),
                reference: reference
                    .map(|name| index_of("reference group", &record.groups, name))
                    .transpose()?,
                groups: record.groups.clone(),
            })
        };
        let frame = Frame {
            favourable: index_of("favourable class", &self.classes, &self.favourable)?,
            classes: self.classes.clone(),
            attributes: self.attributes.iter().map(attribute).collect::<Result<_, AuditError>>()?,
        };
        frame.validate()?;
        Ok(frame)
    }

    /// What the answers of a language model add up to, from the counters; no figures of any other model. The body does
    /// not state them, and no verdict uses them.
    pub fn language_measures(&self) -> Result<Vec<Measure>, AuditError> {
        let Some(language) = self.log.as_ref().and_then(|log| log.language.as_ref()) else {
            return Ok(Vec::new());
        };
        let frame = self.frame()?;
        measures(language.kind, &frame, &Counts::of_frame(&frame, self.counters.clone())?)
    }

    /// What was stated rather than computed.
    pub fn facts(&self) -> Facts {
        Facts {
            certificate: self.certificate,
            audit: self.audit,
            canister: self.canister.clone(),
            runtime: self.runtime.clone(),
            owner: self.owner.clone(),
            requester: self.requester.clone(),
            model: self.model.clone(),
            dataset: DatasetFacts {
                digest: self.dataset.digest,
                rows: self.dataset.rows,
                sealed_at: self.dataset.sealed_at,
            },
            seed: self.sample.seed.0,
            sample_size: self.sample.size,
            requested_at: self.requested_at,
            drawn_at: self.sample.drawn_at,
            issued_at: self.issued_at,
            valid_until: self.valid_until,
            supersedes: self.supersedes,
            audits_of_model: self.audits_of_model,
            audits_of_owner: self.audits_of_owner,
            proofs: self.proofs.clone(),
            log: self.log.clone(),
        }
    }
}

/// The first place where two JSON values differ: its path, and both sides.
fn difference(path: &str, expected: &Json, got: &Json) -> Option<(String, String, String)> {
    match (expected, got) {
        (Json::Object(left), Json::Object(right)) => {
            let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            keys.into_iter().find_map(|key| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                difference(&path, left.get(key).unwrap_or(&Json::Null), right.get(key).unwrap_or(&Json::Null))
            })
        }
        (Json::Array(left), Json::Array(right)) => (0..left.len().max(right.len())).find_map(|index| {
            let side = |list: &[Json]| list.get(index).cloned().unwrap_or(Json::Null);
            difference(&format!("{path}[{index}]"), &side(left), &side(right))
        }),
        _ if expected == got => None,
        _ => Some((path.to_owned(), excerpt(expected), excerpt(got))),
    }
}

fn excerpt(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        _ => value.to_string().chars().take(200).collect(),
    }
}
