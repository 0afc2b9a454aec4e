use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Logged;
use crate::{AuditError, Digest, Model, codec, log::Card};

/// Nanoseconds since 1970 in UTC; text in JSON, since not every reader has 64-bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanoseconds(pub u64);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Nanoseconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Nanoseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(number))
    }
}

/// Everything that a certificate says and that does not follow from counts, schema and policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Number of the certificate.
    pub certificate: u64,
    /// Number of the audit.
    pub audit: u64,
    /// Principal of the canister that ran the audit.
    pub canister: String,
    /// What ran it: the canister's version, with the digest of its module where it is known.
    pub runtime: String,
    /// Principal of the model's owner.
    pub owner: String,
    /// Principal that requested the audit.
    pub requester: String,
    /// The audited model.
    pub model: ModelFacts,
    /// The dataset it was audited on.
    pub dataset: DatasetFacts,
    /// Seed of the sample, drawn by the canister.
    pub seed: [u8; 32],
    /// Number of rows drawn; all if it is the dataset's number of rows.
    pub sample_size: u32,
    /// When the audit was requested.
    pub requested_at: Nanoseconds,
    /// When the seed was drawn.
    pub drawn_at: Nanoseconds,
    /// When the certificate was issued.
    pub issued_at: Nanoseconds,
    /// When it ends to be valid, if it does.
    pub valid_until: Option<Nanoseconds>,
    /// The certificate that it replaces.
    pub supersedes: Option<u64>,
    /// Audits of this model requested until the certificate was issued, this one included.
    pub audits_of_model: u32,
    /// Audits requested until then for any model of this owner, this one included.
    pub audits_of_owner: u32,
    /// SHA-256 of each zero-knowledge proof that was verified, if the level is `proved`.
    pub proofs: Vec<Digest>,
    /// The prediction log, if the level is `attested` or `spot-checked`.
    pub log: Option<Logged>,
}

/// What a certificate says about its model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// SHA-256 of the integer model's bytes; of a private model's package; of a logged model's card.
    pub digest: Digest,
    /// Short name.
    pub name: String,
    /// SHA-256 of the file it was imported from, as its owner states it; not told of a private model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Digest>,
    /// Digest of the feature encoding it reads.
    pub encoding: Digest,
    /// Number of weights and biases; 0 of a model that only its log is known of.
    pub parameters: u64,
    /// One text per layer, e.g. `dense 55 x 16, relu`; none where they are not known.
    pub layers: Vec<String>,
    /// When its bytes were fixed.
    pub registered_at: Nanoseconds,
}

impl ModelFacts {
    /// What can be said of a model with this digest that was fixed at this time.
    pub fn new(model: &Model, digest: Digest, registered_at: Nanoseconds) -> Self {
        Self {
            digest,
            name: model.name.clone(),
            source: Some(model.source),
            encoding: model.encoding,
            parameters: model.parameters(),
            layers: model.describe_layers(),
            registered_at,
        }
    }

    /// What can be said of a model that stays with its owner.
    pub fn of_card(card: &Card, digest: Digest, registered_at: Nanoseconds) -> Self {
        Self {
            digest,
            name: card.name.clone(),
            source: Some(card.source),
            encoding: card.encoding,
            parameters: 0,
            layers: Vec::new(),
            registered_at,
        }
    }
}

/// What a certificate says about its dataset beyond the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetFacts {
    /// SHA-256 of the dataset's bytes.
    pub digest: Digest,
    /// Number of rows.
    pub rows: u32,
    /// When its bytes were fixed.
    pub sealed_at: Nanoseconds,
}

impl Facts {
    /// Fails when a text is out of bounds, or the sample is empty or larger than the dataset, or a time precedes
    /// one that it must follow.
    pub(crate) fn validate(&self) -> Result<(), AuditError> {
        let texts = [
            ("canister", &self.canister),
            ("runtime", &self.runtime),
            ("owner", &self.owner),
            ("requester", &self.requester),
            ("model name", &self.model.name),
        ];
        texts.into_iter().try_for_each(|(what, text)| codec::check_text(what, text))?;
        codec::in_range("sample size", 1, self.dataset.rows.into(), self.sample_size.into())?;
        if let Some(log) = &self.log {
            log.validate(self.sample_size, self.drawn_at, self.issued_at)?;
        }
        let order = [
            ("time of the request", self.model.registered_at, self.requested_at),
            ("time of the request", self.dataset.sealed_at, self.requested_at),
            ("time of the draw", self.requested_at, self.drawn_at),
            ("time of issue", self.drawn_at, self.issued_at),
            ("end of validity", self.issued_at, self.valid_until.unwrap_or(self.issued_at)),
        ];
        in_order(order)
    }
}

/// Fails at the first later time that precedes its earlier one.
pub(super) fn in_order<const N: usize>(
    times: [(&'static str, Nanoseconds, Nanoseconds); N],
) -> Result<(), AuditError> {
    let bounded = |time: Nanoseconds| i64::try_from(time.0).unwrap_or(i64::MAX);
    times.into_iter().try_for_each(|(what, earlier, later)| {
        codec::in_range(what, bounded(earlier), i64::MAX - 1, bounded(later))
    })
}
