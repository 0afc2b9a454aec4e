use serde::{Deserialize, Serialize};

use super::{
    ComparisonRecord, DatasetFacts, Facts, GroupRecord, Logged, Measured, ModelFacts, Nanoseconds,
    OddsRecord, caveats::caveats, tables::Tables,
};
use crate::{
    AuditError, Counts, Criterion, Digest, Fraction, Policy, SAMPLE_RULE, Schema, Verdict,
    metrics::{DECIMAL_DIGITS, Frame},
};

/// How far the counts were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The model's owner signed every prediction, and the canister counted them.
    Attested,
    /// As that, and predictions drawn afterwards were run again, by the canister or an auditor.
    SpotChecked,
    /// The canister itself ran the public model on every sample.
    Replayed,
    /// The canister verified a zero-knowledge proof that the committed model makes these counts.
    Proved,
}

impl Level {
    /// Whether all counts were shown to be the model's, not only said to be.
    pub fn is_of_the_model(self) -> bool {
        matches!(self, Self::Replayed | Self::Proved)
    }

    /// In one word, as in a certificate.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::SpotChecked => "spot-checked",
            Self::Replayed => "replayed",
            Self::Proved => "proved",
        }
    }
}

/// What is claimed of a model on a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// How far the counts were checked.
    pub level: Level,
    /// Whether the policy holds.
    pub verdict: Verdict,
    /// Number of the certificate.
    pub certificate: u64,
    /// Number of the audit.
    pub audit: u64,
    /// Principal of the canister that ran the audit.
    pub canister: String,
    /// What ran it.
    pub runtime: String,
    /// Principal of the model's owner.
    pub owner: String,
    /// Principal that requested the audit.
    pub requester: String,
    /// When the audit was requested.
    pub requested_at: Nanoseconds,
    /// When the certificate was issued.
    pub issued_at: Nanoseconds,
    /// When it ends to be valid, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Nanoseconds>,
    /// The certificate that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<u64>,
    /// Audits of this model requested until the certificate was issued, this one included.
    pub audits_of_model: u32,
    /// Audits requested until then for any model of this owner, this one included.
    pub audits_of_owner: u32,
    /// SHA-256 of the zero-knowledge proofs, part by part, where the level is [`Level::Proved`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<Digest>,
    /// The signed log that the counters come from, if the level is `attested` or `spot-checked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Logged>,
    /// What the openings of a `spot-checked` log would have found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odds: Vec<OddsRecord>,
    /// The model.
    pub model: ModelFacts,
    /// The dataset.
    pub dataset: DatasetRecord,
    /// The rows that were drawn.
    pub sample: SampleRecord,
    /// Class names, in index order.
    pub classes: Vec<String>,
    /// The favourable class, by the dataset's manifest.
    pub favourable: String,
    /// Protected attributes, by the dataset's manifest.
    pub attributes: Vec<AttributeRecord>,
    /// What was asked for.
    pub policy: Policy,
    /// SHA-256 of the policy's canonical bytes.
    pub policy_digest: Digest,
    /// What came of each criterion, in the policy's order.
    pub criteria: Vec<CriterionRecord>,
    /// Samples by cell, label and prediction: all that the numbers are computed from. A cell is one combination of
    /// groups, the last attribute fastest; the prediction varies fastest of all.
    pub counters: Vec<u32>,
    /// Intersections of up to this many attributes have tables; the others follow from `counters`.
    pub intersections: u8,
    /// Counts and rates of all samples, of every group, and of intersections.
    pub groups: Vec<GroupRecord>,
    /// Comparisons over the groups of every attribute, and of intersections.
    pub comparisons: Vec<ComparisonRecord>,
    /// How intervals are made.
    pub interval: IntervalRule,
    /// What the numbers do not say.
    pub caveats: Vec<String>,
}

/// What a certificate says about its dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRecord {
    /// SHA-256 of the dataset's bytes.
    pub digest: Digest,
    /// Short name.
    pub name: String,
    /// The publisher's version text.
    pub version: String,
    /// Number of rows.
    pub rows: u32,
    /// When its bytes were fixed.
    pub sealed_at: Nanoseconds,
    /// SHA-256 of the Croissant manifest inside it.
    pub manifest: Digest,
    /// Digest of what puts rows into groups; see [`Schema::group_rule`].
    pub group_rule: Digest,
    /// Digest of feature columns and classes; see [`Schema::encoding`].
    pub encoding: Digest,
}

impl DatasetRecord {
    pub(super) fn new(facts: &DatasetFacts, schema: &Schema) -> Self {
        Self {
            digest: facts.digest,
            name: schema.name.clone(),
            version: schema.version.clone(),
            rows: facts.rows,
            sealed_at: facts.sealed_at,
            manifest: Digest::of(&schema.manifest),
            group_rule: schema.group_rule(),
            encoding: schema.encoding(),
        }
    }
}

/// The rows that were drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleRecord {
    /// Number of rows.
    pub size: u32,
    /// Share of the dataset's rows.
    pub coverage: Fraction,
    /// The same to six digits.
    pub coverage_decimal: String,
    /// Id of the rule that makes rows of a seed.
    pub rule: String,
    /// 32 bytes from the canister's randomness, in hex.
    pub seed: Digest,
    /// When the seed was drawn.
    pub drawn_at: Nanoseconds,
}

/// A protected attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeRecord {
    /// Its name.
    pub name: String,
    /// Its groups, in index order.
    pub groups: Vec<String>,
    /// The group that signed comparisons refer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What came of one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionRecord {
    /// The criterion, as in the policy.
    pub criterion: Criterion,
    /// The metric's value.
    pub value: Measured,
    /// Groups below the policy's minimum size; with one, nothing is decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub small_groups: Vec<SmallGroup>,
    /// Pass, fail or undefined.
    pub verdict: Verdict,
}

/// A group too small to decide by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallGroup {
    /// The group.
    pub group: String,
    /// Its samples.
    pub size: u64,
}

/// How intervals are made; each names its method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalRule {
    /// Confidence level of each interval by itself.
    pub level: String,
    /// The normal quantile.
    pub z: String,
    /// How limits are rounded.
    pub rounding: String,
}

impl Predicate {
    pub(super) fn new(
        counts: &Counts,
        level: Level,
        facts: &Facts,
        dataset: DatasetRecord,
        frame: &Frame,
        policy: &Policy,
    ) -> Result<Self, AuditError> {
        facts.validate()?;
        let (expected, got) = (u64::from(level == Level::Proved), u64::from(!facts.proofs.is_empty()));
        if expected != got {
            return Err(AuditError::Mismatch { what: "proofs for this level (1 = some)", expected, got });
        }
        let logged = facts.log.as_ref().map(|log| match log.is_checked() {
            true => Level::SpotChecked,
            false => Level::Attested,
        });
        let expected = matches!(level, Level::Attested | Level::SpotChecked).then_some(level);
        if expected != logged {
            let word = |level: Option<Level>| level.map_or("none", Level::word).to_owned();
            let path = "log".to_owned();
            return Err(AuditError::Differs { path, expected: word(expected), got: word(logged) });
        }
        let (expected, got) = (u64::from(facts.sample_size), counts.total());
        if expected != got {
            return Err(AuditError::Mismatch { what: "samples counted", expected, got });
        }
        if facts.model.encoding != dataset.encoding {
            return Err(AuditError::WrongEncoding { expected: facts.model.encoding, got: dataset.encoding });
        }
        let outcomes = policy.evaluate(frame, counts)?;
        let verdict = Verdict::of_all(outcomes.iter().map(|outcome| outcome.verdict));
        let criteria = policy.criteria.iter().cloned().zip(outcomes).map(|(criterion, outcome)| {
            let small = |(group, size)| SmallGroup { group, size };
            CriterionRecord {
                criterion,
                value: Measured::from(&outcome.estimate),
                small_groups: outcome.small_groups.into_iter().map(small).collect(),
                verdict: outcome.verdict,
            }
        });
        let tables = Tables::new(counts, frame, policy.min_group_size)?;
        let odds = facts.log.as_ref().map(|log| log.odds(facts.sample_size)).transpose()?.unwrap_or_default();
        let coverage = Fraction::new(facts.sample_size, facts.dataset.rows);
        let coverage = coverage.unwrap_or_else(|| Fraction::whole(0));
        Ok(Self {
            level,
            verdict,
            certificate: facts.certificate,
            audit: facts.audit,
            canister: facts.canister.clone(),
            runtime: facts.runtime.clone(),
            owner: facts.owner.clone(),
            requester: facts.requester.clone(),
            requested_at: facts.requested_at,
            issued_at: facts.issued_at,
            valid_until: facts.valid_until,
            supersedes: facts.supersedes,
            audits_of_model: facts.audits_of_model,
            audits_of_owner: facts.audits_of_owner,
            proofs: facts.proofs.clone(),
            log: facts.log.clone(),
            odds,
            model: facts.model.clone(),
            dataset,
            sample: SampleRecord {
                size: facts.sample_size,
                coverage_decimal: coverage.to_decimal(DECIMAL_DIGITS),
                coverage,
                rule: SAMPLE_RULE.to_owned(),
                seed: Digest(facts.seed),
                drawn_at: facts.drawn_at,
            },
            classes: frame.classes.clone(),
            favourable: frame.classes[usize::from(frame.favourable)].clone(),
            attributes: frame.attributes.iter().map(AttributeRecord::from).collect(),
            policy: policy.clone(),
            policy_digest: policy.digest()?,
            criteria: criteria.collect(),
            counters: counts.counters().to_vec(),
            intersections: tables.intersections,
            groups: tables.groups,
            comparisons: tables.comparisons,
            interval: IntervalRule {
                level: "0.95".to_owned(),
                z: "1.959964".to_owned(),
                rounding: "outward to 0.000001".to_owned(),
            },
            caveats: caveats(level),
        })
    }
}

impl From<&crate::Attribute> for AttributeRecord {
    fn from(attribute: &crate::Attribute) -> Self {
        let reference = attribute.reference.map(|index| attribute.groups[usize::from(index)].clone());
        Self { name: attribute.name.clone(), groups: attribute.groups.clone(), reference }
    }
}
