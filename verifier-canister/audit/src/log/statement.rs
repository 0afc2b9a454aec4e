//! The signed statement about a log: an in-toto Statement v1 in canonical JSON, in a DSSE envelope.

use serde::{Deserialize, Serialize};

use super::{DecisionFacts, LOG_RULE, LogError, MAX_RECORDS, MAX_SCORES, RuntimeFacts};
use crate::{
    Attribute, Counts, Digest, SAMPLE_RULE, Schema,
    canonical::{from_canonical_json, to_canonical_json},
    certificate::{AttributeRecord, Nanoseconds, STATEMENT_TYPE, Subject, SubjectDigest},
    codec, draw_sample,
    dsse::{self, Envelope, Signature},
    language::LanguageFacts,
    metrics::Frame,
};

/// What the predicate is; the name resolves nowhere on purpose.
pub const PREDICATE_TYPE: &str = "https://assay.invalid/predictions/v1";
/// Longest statement, in bytes.
const MAX_STATEMENT: usize = 2 << 20;
/// Longest envelope, in bytes.
pub const MAX_ENVELOPE: usize = 3 << 20;
/// Most rows that are listed one by one.
const MAX_LISTED: i64 = 1 << 16;

/// What is signed about a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// The model file and the dataset.
    pub subject: [Subject; 2],
    /// Everything that is claimed of them.
    pub predicate: Predictions,
}

/// What is claimed: these predictions, made so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predictions {
    /// The log.
    pub log: LogFacts,
    /// The rows of the dataset that it has, in order.
    pub rows: Rows,
    /// Number of rows of the dataset.
    pub dataset_rows: u32,
    /// Class names, in index order.
    pub classes: Vec<String>,
    /// The favourable class.
    pub favourable: String,
    /// Protected attributes.
    pub attributes: Vec<AttributeRecord>,
    /// Predictions by cell, label and class decided, as in a certificate.
    pub counters: Vec<u32>,
    /// How the class follows from the model's outputs.
    pub decision: DecisionFacts,
    /// What ran the model.
    pub runtime: RuntimeFacts,
    /// How a language model was asked; then outputs are transcripts, not scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageFacts>,
    /// The signer's Ed25519 key, 32 bytes in hex.
    pub signer: Digest,
    /// When the statement was made.
    pub created_at: Nanoseconds,
}

/// The log that is committed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFacts {
    /// [`LOG_RULE`].
    pub rule: String,
    /// Root of the tree of records.
    pub root: Digest,
    /// Number of records.
    pub size: u32,
    /// Scores of each prediction; none where the model only gives a label.
    pub scores: u32,
}

/// Which rows of the dataset a log has; always in increasing order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rows {
    /// All of them.
    All {},
    /// Those that a seed draws.
    Drawn {
        /// [`SAMPLE_RULE`].
        rule: String,
        /// The seed.
        seed: Digest,
        /// How many.
        size: u32,
    },
    /// These.
    Listed {
        /// The rows.
        rows: Vec<u32>,
    },
}

impl Rows {
    /// The rows, in increasing order, of a dataset with so many.
    pub fn expand(&self, dataset_rows: u32) -> Result<Vec<u32>, LogError> {
        codec::in_range("rows of the dataset", 1, MAX_RECORDS.into(), dataset_rows.into())?;
        match self {
            Self::All {} => Ok((0..dataset_rows).collect()),
            Self::Drawn { rule, seed, size } => {
                expect("sample rule", SAMPLE_RULE, rule)?;
                codec::in_range("rows drawn", 1, dataset_rows.into(), (*size).into())?;
                Ok(draw_sample(&seed.0, dataset_rows, *size))
            }
            Self::Listed { rows } => {
                codec::in_range("rows listed", 1, MAX_LISTED, rows.len() as i64)?;
                if !rows.is_sorted_by(|left, right| left < right) {
                    return Err(LogError::Inconsistent("the listed rows do not increase"));
                }
                let last = rows.last().copied().unwrap_or_default();
                codec::in_range("row", 0, i64::from(dataset_rows) - 1, last.into())?;
                Ok(rows.clone())
            }
        }
    }
}

impl Statement {
    /// A statement about a model file and a dataset; fails unless its parts agree.
    pub fn new(
        model: (&str, Digest),
        dataset: (&str, Digest),
        predicate: Predictions,
    ) -> Result<Self, LogError> {
        let subject = |kind, (name, sha256): (&str, Digest)| Subject {
            name: format!("{kind}/{name}"),
            digest: SubjectDigest { sha256 },
        };
        let statement = Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            subject: [subject("model", model), subject("dataset", dataset)],
            predicate,
        };
        statement.check()?;
        Ok(statement)
    }

    /// The canonical bytes, which are signed.
    pub fn to_json(&self) -> Result<Vec<u8>, LogError> {
        let json = to_canonical_json("statement", self)?;
        codec::in_range("statement length", 0, MAX_STATEMENT as i64, json.len() as i64)?;
        Ok(json)
    }

    /// SHA-256 of the model file.
    pub fn model(&self) -> Digest {
        self.subject[0].digest.sha256
    }

    /// SHA-256 of the dataset.
    pub fn dataset(&self) -> Digest {
        self.subject[1].digest.sha256
    }

    /// The counters with their shape.
    pub fn counts(&self) -> Result<Counts, LogError> {
        let Predictions { classes, favourable, attributes, .. } = &self.predicate;
        let frame = frame(classes, favourable, attributes)?;
        frame.validate()?;
        Ok(Counts::of_frame(&frame, self.predicate.counters.clone())?)
    }

    fn check(&self) -> Result<(), LogError> {
        expect("_type", STATEMENT_TYPE, &self.statement_type)?;
        expect("predicateType", PREDICATE_TYPE, &self.predicate_type)?;
        let [model, dataset] = &self.subject;
        if !model.name.starts_with("model/") || !dataset.name.starts_with("dataset/") {
            return Err(LogError::Inconsistent("the subjects are not a model and a dataset"));
        }
        let Predictions { log, rows, dataset_rows, decision, runtime, .. } = &self.predicate;
        expect("log rule", LOG_RULE, &log.rule)?;
        codec::in_range("scores", 0, MAX_SCORES.into(), log.scores.into())?;
        if rows.expand(*dataset_rows)?.len() as u64 != u64::from(log.size) {
            return Err(LogError::Inconsistent("the log has not as many records as there are rows"));
        }
        if self.counts()?.total() != u64::from(log.size) {
            return Err(LogError::Inconsistent("the counters do not add up to the number of records"));
        }
        if let Some(language) = &self.predicate.language {
            language.check()?;
            language.check_classes(&self.predicate.classes)?;
            if log.scores != 0 {
                return Err(LogError::Inconsistent("a language model has transcripts, not scores"));
            }
            if language.model.digest()? != self.model() {
                return Err(LogError::Inconsistent("the model's digest is not that of the language model"));
            }
        }
        for (what, text) in [
            ("runtime name", &runtime.name),
            ("runtime version", &runtime.version),
            ("provider", &runtime.provider),
        ] {
            codec::check_text(what, text)?;
        }
        Ok(decision.check()?)
    }
}

impl Predictions {
    /// Whether a language model behind an endpoint was asked, which nobody can have say the same again.
    pub fn is_endpoint(&self) -> bool {
        self.language.as_ref().is_some_and(|language| language.model.local().is_none())
    }

    /// The attributes of a dataset as a statement names them.
    pub fn attributes_of(schema: &Schema) -> Vec<AttributeRecord> {
        let record = |attribute: &Attribute| AttributeRecord {
            name: attribute.name.clone(),
            groups: attribute.groups.clone(),
            reference: attribute
                .reference
                .and_then(|index| attribute.groups.get(usize::from(index)))
                .cloned(),
        };
        schema.attributes.iter().map(record).collect()
    }
}

/// Classes, favourable class and attributes as a statement names them.
pub fn frame(
    classes: &[String],
    favourable: &String,
    attributes: &[AttributeRecord],
) -> Result<Frame, LogError> {
    let unknown = |what| LogError::Inconsistent(what);
    let index = |names: &[String], name: &String| names.iter().position(|other| other == name);
    let favourable = index(classes, favourable)
        .and_then(|index| u8::try_from(index).ok())
        .ok_or(unknown("the favourable class is none of the classes"))?;
    let attribute = |record: &AttributeRecord| {
        let reference = match &record.reference {
            None => None,
            Some(name) => index(&record.groups, name).map(|index| index.try_into()),
        };
        let named = record.reference.is_some();
        let reference = reference.transpose().ok().filter(|found| found.is_some() == named);
        let reference = reference.ok_or(unknown("a reference group is none of the groups"))?;
        Ok(Attribute { name: record.name.clone(), groups: record.groups.clone(), reference })
    };
    let attributes = attributes.iter().map(attribute).collect::<Result<_, LogError>>()?;
    Ok(Frame { classes: classes.to_vec(), favourable, attributes })
}

/// A statement whose signature is by the key that it names. Whether that key is to be trusted is the caller's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    statement: Statement,
    digest: Digest,
}

impl Signed {
    /// Reads an envelope, checks the statement's form and sums, and verifies the signature.
    pub fn verify(bytes: &[u8]) -> Result<Self, LogError> {
        let envelope = Envelope::parse(MAX_ENVELOPE, bytes)?;
        let json = envelope.statement()?;
        let statement: Statement = from_canonical_json("statement", MAX_STATEMENT, &json)?;
        statement.check()?;
        let message = dsse::pre_authentication(&json);
        let by_key = |signature: &Signature| {
            let bytes = signature.bytes().unwrap_or_default();
            dsse::verify_ed25519(&statement.predicate.signer, &message, &bytes)
        };
        if !envelope.signatures.iter().any(by_key) {
            return Err(LogError::Signature);
        }
        Ok(Self { statement, digest: Digest::of(&json) })
    }

    /// What was signed.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// SHA-256 of the statement's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Fails unless these are the log's records, one for each of its rows, and agree with the counters.
    pub fn check_records(&self, bytes: &[u8]) -> Result<Vec<super::Record>, LogError> {
        let records = super::Record::parse_all(bytes)?;
        let predicate = &self.statement.predicate;
        let tree = super::Tree::new(records.iter().map(|record| record.leaf()).collect());
        if tree.root() != predicate.log.root {
            return Err(LogError::OtherLog { expected: predicate.log.root, got: tree.root() });
        }
        if !records.iter().map(|record| record.row).eq(predicate.rows.expand(predicate.dataset_rows)?) {
            return Err(LogError::Inconsistent("the records are not those of the rows stated"));
        }
        let counts = self.statement.counts()?;
        let matrix = counts.matrix(&[]);
        for class in 0..counts.classes() {
            let decided = records.iter().filter(|record| record.class == class).count() as u64;
            let stated: u64 = matrix.iter().skip(class.into()).step_by(counts.classes().into()).sum();
            if decided != stated {
                return Err(LogError::Inconsistent("the counters do not agree with the classes decided"));
            }
        }
        Ok(records)
    }
}

fn expect(what: &'static str, expected: &'static str, got: &str) -> Result<(), LogError> {
    if got == expected {
        return Ok(());
    }
    Err(LogError::Kind { what, expected, got: got.chars().take(codec::MAX_TEXT).collect() })
}
