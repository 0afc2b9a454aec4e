//! A policy: what a model must reach, as metrics with exact thresholds, and whether counts reach it.
//!
//! A policy is JSON; `docs/policy.md` describes it. Its digest is the SHA-256 of its canonical bytes.

use std::{cmp::Ordering, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{
    AuditError, Counts, Digest, Fraction, Metric, Schema, Value,
    canonical::{from_json, to_canonical_json},
    codec,
    metrics::{Estimate, Frame, Split},
    schema::MAX_ATTRIBUTES,
};

/// Longest policy, in bytes.
pub const MAX_POLICY: usize = 64 << 10;
/// Most criteria of a policy.
pub const MAX_CRITERIA: u32 = 64;
/// Longest threshold as it is printed, in characters.
pub const MAX_THRESHOLD: u32 = 64;
/// Largest minimum group size.
pub const MAX_MIN_GROUP_SIZE: u32 = 1 << 20;

/// What a model must reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Short name.
    pub name: String,
    /// A criterion that looks at a group with fewer samples is undefined, whatever its value; at least 1.
    pub min_group_size: u32,
    /// 1 to [`MAX_CRITERIA`] conditions, all of which must hold.
    pub criteria: Vec<Criterion>,
}

/// One condition: `metric comparator threshold`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// What is measured.
    pub metric: Metric,
    /// Protected attributes by name: none for all samples, one, or several for their intersection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// One group, as a group name for each of `attributes`; needed for a rate of a group, allowed for a comparison
    /// with the reference group (which otherwise takes all other groups together).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// The class that counts as positive; the favourable one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// How value and threshold must lie.
    pub comparator: Comparator,
    /// What the value is compared with, exactly.
    pub threshold: Fraction,
}

/// How a value must lie to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparator {
    /// At least.
    #[serde(rename = ">=")]
    AtLeast,
    /// At most.
    #[serde(rename = "<=")]
    AtMost,
    /// More than.
    #[serde(rename = ">")]
    MoreThan,
    /// Less than.
    #[serde(rename = "<")]
    LessThan,
    /// The absolute value is at most; for signed differences.
    #[serde(rename = "abs<=")]
    AbsAtMost,
}

/// What came of a criterion, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Holds.
    Pass,
    /// Does not hold.
    Fail,
    /// Cannot be said: a value is undefined, or a group is too small.
    Undefined,
}

impl Verdict {
    /// In one word, as in a certificate.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undefined => "undefined",
        }
    }
}

/// One criterion's value and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The metric's value with its interval; shown even where a group is too small to decide by it.
    pub estimate: Estimate,
    /// Groups with fewer samples than the policy's minimum, by name, with their sizes.
    pub small_groups: Vec<(String, u64)>,
    /// Pass, fail or undefined.
    pub verdict: Verdict,
}

impl Comparator {
    /// Whether `value` lies as it must to `threshold`; `None` when it is undefined.
    pub fn holds(self, value: &Value, threshold: &Fraction) -> Option<bool> {
        Some(match self {
            Self::AtLeast => value.compare(threshold)? != Ordering::Less,
            Self::AtMost => value.compare(threshold)? != Ordering::Greater,
            Self::MoreThan => value.compare(threshold)? == Ordering::Greater,
            Self::LessThan => value.compare(threshold)? == Ordering::Less,
            Self::AbsAtMost => value.abs().compare(threshold)? != Ordering::Greater,
        })
    }

    /// The sign as it stands in a policy.
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::MoreThan => ">",
            Self::LessThan => "<",
            Self::AbsAtMost => "abs<=",
        }
    }
}

impl Verdict {
    /// Fail if any failed, else undefined if any is undefined, else pass.
    pub fn of_all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().fold(Self::Pass, |all, one| match (all, one) {
            (Self::Fail, _) | (_, Self::Fail) => Self::Fail,
            (Self::Undefined, _) | (_, Self::Undefined) => Self::Undefined,
            (Self::Pass, Self::Pass) => Self::Pass,
        })
    }
}

/// A criterion with its names looked up.
struct Resolved {
    attributes: Vec<u8>,
    group: Option<Vec<usize>>,
    class: u8,
}

impl Policy {
    /// Reads a policy of at most [`MAX_POLICY`] bytes and checks what can be checked without a dataset.
    pub fn from_json(bytes: &[u8]) -> Result<Self, AuditError> {
        let policy: Self = from_json("policy", MAX_POLICY, bytes)?;
        policy.validate()?;
        Ok(policy)
    }

    /// The canonical bytes, which the digest covers.
    pub fn to_json(&self) -> Result<Vec<u8>, AuditError> {
        to_canonical_json("policy", self)
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Result<Digest, AuditError> {
        self.to_json().map(|bytes| Digest::of(&bytes))
    }

    fn validate(&self) -> Result<(), AuditError> {
        codec::check_text("policy name", &self.name)?;
        codec::in_range("min_group_size", 1, MAX_MIN_GROUP_SIZE.into(), self.min_group_size.into())?;
        codec::in_range("number of criteria", 1, MAX_CRITERIA.into(), self.criteria.len() as i64)?;
        self.criteria.iter().try_for_each(|criterion| {
            let length = criterion.threshold.to_string().len() as i64;
            codec::in_range("length of a threshold", 1, MAX_THRESHOLD.into(), length)
        })
    }

    /// Fails when a criterion names what the dataset does not have, or gives a metric arguments it does not take.
    pub fn check(&self, schema: &Schema) -> Result<(), AuditError> {
        self.validate()?;
        self.resolve(&schema.frame()).map(|_| ())
    }

    /// Every criterion's value and outcome, in the policy's order.
    pub fn evaluate(&self, frame: &Frame, counts: &Counts) -> Result<Vec<Outcome>, AuditError> {
        self.validate()?;
        let mut splits = BTreeMap::new();
        let resolved = self.resolve(frame)?;
        for Resolved { attributes, .. } in &resolved {
            if !splits.contains_key(attributes) {
                splits.insert(attributes.clone(), Split::new(frame, counts, attributes)?);
            }
        }
        let outcomes = self.criteria.iter().zip(&resolved).filter_map(|(criterion, resolved)| {
            let split = splits.get(&resolved.attributes)?;
            Some(self.outcome(criterion, resolved, split))
        });
        Ok(outcomes.collect())
    }

    fn outcome(&self, criterion: &Criterion, resolved: &Resolved, split: &Split<'_>) -> Outcome {
        let group = resolved.group.as_ref().map(|parts| split.group(parts.iter().copied()));
        let estimate = criterion.metric.estimate(split, resolved.class, group);
        let mut small_groups = criterion.metric.parties(split, group);
        small_groups.retain(|(_, size)| *size < self.min_group_size.into());
        let verdict = match criterion.comparator.holds(&estimate.value, &criterion.threshold) {
            Some(true) if small_groups.is_empty() => Verdict::Pass,
            Some(false) if small_groups.is_empty() => Verdict::Fail,
            _ => Verdict::Undefined,
        };
        Outcome { estimate, small_groups, verdict }
    }

    fn resolve(&self, frame: &Frame) -> Result<Vec<Resolved>, AuditError> {
        let resolved = self.criteria.iter().enumerate().map(|(index, criterion)| {
            criterion.resolve(frame).map_err(|cause| {
                AuditError::Policy(format!("criterion {} ({}): {cause}", index + 1, criterion.metric))
            })
        });
        resolved.collect()
    }
}

impl Criterion {
    fn resolve(&self, frame: &Frame) -> Result<Resolved, String> {
        let attributes = self.resolve_attributes(frame)?;
        let group = self.resolve_group(frame, &attributes)?;
        if self.comparator == Comparator::AbsAtMost && self.threshold.signum() < 0 {
            return Err(format!("no absolute value is at most {}", self.threshold));
        }
        let class = match &self.class {
            None => frame.favourable,
            Some(_) if !self.metric.has_class() => {
                return Err("it is over all classes, so takes no class".into());
            }
            Some(name) => frame.class(name).ok_or_else(|| unknown("class", name, &frame.classes))?,
        };
        Ok(Resolved { attributes, group, class })
    }

    fn resolve_attributes(&self, frame: &Frame) -> Result<Vec<u8>, String> {
        let known: Vec<_> = frame.attributes.iter().map(|attribute| attribute.name.clone()).collect();
        if self.attributes.len() > MAX_ATTRIBUTES.into() {
            return Err(format!(
                "it names {} attributes, at most {MAX_ATTRIBUTES} can be",
                self.attributes.len()
            ));
        }
        if self.metric.compares_groups() && self.attributes.is_empty() {
            return Err(format!("it compares groups, so needs attributes; {}", list("attributes", &known)));
        }
        let mut attributes = Vec::new();
        for name in &self.attributes {
            let index = frame.attribute(name).ok_or_else(|| unknown("attribute", name, &known))?;
            if attributes.contains(&index) {
                return Err(format!("attribute {name:?} appears twice"));
            }
            attributes.push(index);
        }
        Ok(attributes)
    }

    fn resolve_group(&self, frame: &Frame, attributes: &[u8]) -> Result<Option<Vec<usize>>, String> {
        if self.group.is_empty() {
            if !self.metric.compares_groups() && !attributes.is_empty() {
                return Err(
                    "it is a figure of one group, so needs that group; or leave out attributes".into()
                );
            }
            return Ok(None);
        }
        if self.metric.compares_groups() && !self.metric.needs_reference() {
            return Err("it compares all groups with each other, so takes no group".into());
        }
        if self.group.len() != attributes.len() {
            let (names, count) = (self.group.len(), attributes.len());
            return Err(format!("group has {names} names for {count} attributes"));
        }
        let mut is_reference = true;
        let mut parts = Vec::new();
        for (name, &attribute) in self.group.iter().zip(attributes) {
            let attribute = &frame.attributes[usize::from(attribute)];
            let index = attribute.groups.iter().position(|group| group == name);
            let index = index
                .ok_or_else(|| unknown(&format!("group of {}", attribute.name), name, &attribute.groups))?;
            is_reference &= attribute.reference.map(usize::from) == Some(index);
            parts.push(index);
        }
        if is_reference && self.metric.needs_reference() {
            return Err("it compares with the reference group, which group names; name another".into());
        }
        Ok(Some(parts))
    }
}

fn unknown(what: &str, name: &str, known: &[String]) -> String {
    let name: String = name.chars().take(80).collect();
    format!("there is no {what} {name:?}; {}", list("there are", known))
}

fn list(what: &str, known: &[String]) -> String {
    match known {
        [] => format!("{what}: none"),
        _ => format!("{what}: {}", known.join(", ")),
    }
}
