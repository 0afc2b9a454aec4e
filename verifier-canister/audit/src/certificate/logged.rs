//! What a certificate says about the prediction log that its counters come from.

use serde::{Deserialize, Serialize};

use super::{Nanoseconds, facts::in_order};
use crate::{
    AuditError, Digest, Fraction, SAMPLE_RULE, codec,
    language::LanguageFacts,
    log::{DecisionFacts, MAX_OPENINGS, RuntimeFacts, odds},
    metrics::DECIMAL_DIGITS,
};

/// Shares of lies that [`OddsRecord`]s are given for: one prediction in so many.
const ONE_IN: [u32; 3] = [1000, 100, 20];
/// Longest note of who ran openings again, in bytes.
const MAX_NOTE: i64 = 1 << 10;

/// A log that was handed in and counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// Root of its tree.
    pub root: Digest,
    /// SHA-256 of the signed statement.
    pub statement: Digest,
    /// SHA-256 of what was handed in: envelope, and class and output digest of every record.
    pub content: Digest,
    /// Ed25519 key of the signature, registered by the owner.
    pub signer: Digest,
    /// When it was handed in.
    pub submitted_at: Nanoseconds,
    /// How the class follows from the model's outputs; fixed with the model.
    pub decision: DecisionFacts,
    /// How a language model was asked; fixed with the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageFacts>,
    /// What ran the model, as the signer's program found it.
    pub runtime: RuntimeFacts,
    /// The predictions that were opened, where any were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openings: Option<Opened>,
}

/// Predictions that were drawn after the log was fixed, and opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// How many.
    pub count: u32,
    /// Id of the rule that makes places of a seed.
    pub rule: String,
    /// 32 bytes from the canister's randomness, in hex.
    pub seed: Digest,
    /// When they were drawn.
    pub drawn_at: Nanoseconds,
    /// How often openings were drawn for logs of this model until then, this time included, whatever became of those
    /// audits.
    pub draws: u32,
    /// SHA-256 of the openings.
    pub content: Digest,
    /// When they were handed in.
    pub submitted_at: Nanoseconds,
    /// Who ran the model on them again, and found the same classes; nobody did without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Checked>,
}

/// Who ran the model on opened predictions again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Principal of the canister itself, or of an auditor.
    pub by: String,
    /// When.
    pub at: Nanoseconds,
    /// What an auditor said about how.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// How likely the openings would have hit a lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OddsRecord {
    /// Predictions that would be lies.
    pub lies: u32,
    /// Their share of all, as a decimal.
    pub share: String,
    /// Probability that at least one is opened, rounded down.
    pub detected: String,
}

impl Logged {
    /// Whether somebody ran opened predictions again.
    pub fn is_checked(&self) -> bool {
        self.openings.as_ref().is_some_and(|openings| openings.checked.is_some())
    }

    /// Whether a language model behind an endpoint was asked, which nobody can have say the same again.
    pub fn is_endpoint(&self) -> bool {
        self.language.as_ref().is_some_and(|language| language.model.local().is_none())
    }

    /// What the openings were worth; nothing where nobody ran them again.
    pub(super) fn odds(&self, records: u32) -> Result<Vec<OddsRecord>, AuditError> {
        let Some(openings) = self.openings.as_ref().filter(|openings| openings.checked.is_some()) else {
            return Ok(Vec::new());
        };
        let mut lies: Vec<u32> = ONE_IN.iter().map(|one_in| records.div_ceil(*one_in)).collect();
        lies.dedup();
        let record = |lies| {
            let share = Fraction::new(lies, records).unwrap_or_else(|| Fraction::whole(0));
            Ok(OddsRecord {
                lies,
                share: share.to_decimal(DECIMAL_DIGITS),
                detected: odds::floor(&odds::detection(records, lies, openings.count)?, DECIMAL_DIGITS),
            })
        };
        lies.into_iter().map(record).collect()
    }

    pub(super) fn validate(
        &self,
        records: u32,
        drawn_at: Nanoseconds,
        issued_at: Nanoseconds,
        not_by: &str,
    ) -> Result<(), AuditError> {
        for (what, text) in [
            ("runtime name", &self.runtime.name),
            ("runtime version", &self.runtime.version),
            ("provider", &self.runtime.provider),
        ] {
            codec::check_text(what, text)?;
        }
        self.decision.check()?;
        if let Some(language) = &self.language {
            language
                .check()
                .map_err(|cause| AuditError::Json { what: "language", cause: cause.to_string() })?;
        }
        in_order([("time of the log", drawn_at, self.submitted_at)])?;
        let Some(openings) = &self.openings else {
            return in_order([("time of issue", self.submitted_at, issued_at)]);
        };
        codec::in_range("openings", 1, MAX_OPENINGS.min(records).into(), openings.count.into())?;
        if openings.rule != SAMPLE_RULE {
            let name = openings.rule.chars().take(codec::MAX_TEXT).collect();
            return Err(AuditError::Unknown { what: "rule of openings", name });
        }
        let checked = openings.checked.as_ref().map_or(openings.submitted_at, |checked| checked.at);
        in_order([
            ("time of the second draw", self.submitted_at, openings.drawn_at),
            ("time of the openings", openings.drawn_at, openings.submitted_at),
            ("time of their check", openings.submitted_at, checked),
            ("time of issue", checked, issued_at),
        ])?;
        let Some(checked) = &openings.checked else { return Ok(()) };
        codec::check_text("checker", &checked.by)?;
        codec::in_range("length of the note", 0, MAX_NOTE, checked.note.len() as i64)?;
        if self.is_endpoint() {
            let path = "log.openings.checked".to_owned();
            return Err(AuditError::Differs {
                path,
                expected: "nothing".to_owned(),
                got: checked.by.clone(),
            });
        }
        if checked.by == not_by {
            let path = "log.openings.checked.by".to_owned();
            return Err(AuditError::Differs {
                path,
                expected: "another".to_owned(),
                got: checked.by.clone(),
            });
        }
        if !odds::is_spot_check(records, openings.count)? {
            let (path, got) = ("log.openings.count".to_owned(), openings.count.to_string());
            return Err(AuditError::Differs { path, expected: "enough for a spot check".to_owned(), got });
        }
        Ok(())
    }
}
