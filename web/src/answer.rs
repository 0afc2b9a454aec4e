use audit::{Certificate, certificate::Nanoseconds, language::LanguageModel};
use check::{Authentic, Standing, Step};
use serde_json::{Map, Value, json};

/// An answer that grows step by step; the first step that fails is the last.
pub struct Answer {
    steps: Vec<Value>,
}

impl Answer {
    pub fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Notes a step of `part`; `None` if it failed.
    pub fn step<T, E: ToString>(
        &mut self,
        part: &str,
        name: &str,
        result: Result<T, E>,
        found: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (ok, detail) = match &result {
            Ok(value) => (true, found(value)),
            Err(cause) => (false, cause.to_string()),
        };
        self.steps.push(json!({ "part": part, "name": name, "ok": ok, "detail": detail }));
        result.ok()
    }

    /// Takes over the steps of a check.
    pub fn steps(&mut self, part: &str, steps: Vec<Step>) {
        for Step { name, result } in steps {
            self.steps.push(match result {
                Ok(found) => json!({ "part": part, "name": name, "ok": true, "detail": found }),
                Err(failure) => json!({
                    "part": part, "name": name, "ok": false, "detail": failure.to_string(), "hint": failure.hint(),
                }),
            });
        }
    }

    /// The document: the members of all `parts`, and the steps.
    pub fn document(self, parts: impl IntoIterator<Item = Value>) -> String {
        let members = |part| match part {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let mut document: Map<String, Value> = parts.into_iter().flat_map(members).collect();
        document.insert("steps".to_owned(), self.steps.into());
        Value::Object(document).to_string()
    }
}

/// A request that cannot be understood. Whatever is wrong with what is checked is a step instead.
pub fn error(message: &str) -> String {
    json!({ "error": message }).to_string()
}

/// What a check found, with nulls where it failed.
pub fn checked(authentic: Option<&Authentic>) -> Value {
    json!({
        "authentic": authentic.is_some(),
        "standing": authentic.map(|authentic| authentic.standing.word()),
        "standingDetail": authentic.map(|authentic| standing(&authentic.standing)),
        "summary": authentic.map(summary),
    })
}

fn standing(standing: &Standing) -> Value {
    match standing {
        Standing::Stands => json!({}),
        Standing::Expired { at_ns } => json!({ "at": at_ns.to_string() }),
        Standing::Superseded { by, at_ns } => json!({ "by": by, "at": at_ns.to_string() }),
        Standing::Suspended { row, by, at_ns } => {
            json!({ "row": row, "by": by, "at": at_ns.to_string() })
        }
        Standing::Revoked { by, reason, at_ns } => {
            json!({ "by": by, "reason": reason, "at": at_ns.to_string() })
        }
    }
}

/// What a certificate is about, and what names the bytes behind it. Times are nanoseconds since 1970, as text.
fn summary(authentic: &Authentic) -> Value {
    let Authentic { certificate: Certificate { predicate, .. }, signed_at_ns, .. } = authentic;
    let time = |time: Nanoseconds| time.0.to_string();
    json!({
        "certificate": predicate.certificate,
        "audit": predicate.audit,
        "canister": predicate.canister,
        "runtime": predicate.runtime,
        "level": predicate.level,
        "verdict": predicate.verdict,
        "owner": predicate.owner,
        "requester": predicate.requester,
        "model": { "name": predicate.model.name, "digest": predicate.model.digest,
            "parameters": predicate.model.parameters },
        "dataset": { "name": predicate.dataset.name, "version": predicate.dataset.version,
            "digest": predicate.dataset.digest, "rows": predicate.dataset.rows },
        "samples": predicate.sample.size,
        "policy": { "name": predicate.policy.name, "digest": predicate.policy_digest },
        "proofs": predicate.proofs,
        "log": predicate.log.as_ref().map(|log| json!({
            "content": log.content, "statement": log.statement, "root": log.root, "signer": log.signer,
            "openings": log.openings.as_ref().map(|opened| opened.content),
            "opened": log.openings.as_ref().map_or(0, |opened| opened.count),
            "checkedBy": log.openings.as_ref().and_then(|opened| opened.checked.as_ref()).map(|one| &one.by),
            "odds": predicate.odds,
            "languageModel": log.language.as_ref().map(|language| match &language.model {
                LanguageModel::Endpoint(endpoint) => json!({ "name": endpoint.model, "baseUrl": endpoint.base_url }),
                LanguageModel::Local(local) => {
                    json!({ "name": local.name, "file": local.file, "tokenizer": local.tokenizer,
                        "before": local.before, "after": local.after })
                }
            }),
            "measures": predicate.language_measures().ok(),
        })),
        "auditsOfModel": predicate.audits_of_model,
        "auditsOfOwner": predicate.audits_of_owner,
        "issuedAt": time(predicate.issued_at),
        "validUntil": predicate.valid_until.map(time),
        "signedAt": signed_at_ns.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_models_summary_has_what_its_answers_add_up_to() {
        let body = include_bytes!("../../verifier-canister/audit/tests/golden/language-counterfactual.json");
        let certificate = Certificate::parse(body).unwrap();
        let expected = serde_json::to_value(certificate.predicate.language_measures().unwrap()).unwrap();
        let authentic = Authentic { certificate, standing: Standing::Stands, signed_at_ns: 0 };
        let found = &checked(Some(&authentic))["summary"]["log"]["measures"];
        assert_eq!((found, found.as_array().unwrap().len()), (&expected, 12));
    }
}
