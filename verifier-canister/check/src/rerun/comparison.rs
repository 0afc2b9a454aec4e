use std::collections::BTreeMap;

use audit::Digest;
use serde_json::{Value, json};

use super::LoggedRerun;

/// Two values that should be equal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Where, e.g. `predicate.groups[1].truePositives`.
    pub path: String,
    /// What the rerun gives, or nothing.
    pub rerun: Option<Value>,
    /// What the certificate says, or nothing.
    pub certificate: Option<Value>,
}

/// One part of the certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Section {
    /// Values compared.
    pub values: u64,
    /// Those that differ.
    pub differences: Vec<Difference>,
}

/// What came of a rerun.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Comparison {
    /// Samples run, or proved.
    pub samples: u32,
    /// Proofs verified; none of a public model.
    pub proofs: usize,
    /// What came of a log's predictions, where the certificate comes from a log.
    pub logged: Option<LoggedRerun>,
    /// Weights and biases of the model.
    pub parameters: u64,
    /// SHA-256 of the certificate's body.
    pub certificate_digest: Digest,
    /// SHA-256 of the rebuilt body.
    pub rerun_digest: Digest,
    /// Values by part of the body.
    pub sections: BTreeMap<String, Section>,
}

impl Comparison {
    /// Whether the bytes are equal.
    pub fn is_equal(&self) -> bool {
        self.certificate_digest == self.rerun_digest
    }

    /// Values compared.
    pub fn values(&self) -> u64 {
        self.sections.values().map(|section| section.values).sum()
    }

    /// As JSON, for programs.
    pub fn document(&self) -> Value {
        json!({
            "equal": self.is_equal(),
            "samples": self.samples,
            "parameters": self.parameters,
            "proofs": self.proofs,
            "log": self.logged,
            "values": self.values(),
            "differences": self.differences().collect::<Vec<_>>(),
            "certificateDigest": self.certificate_digest,
            "rerunDigest": self.rerun_digest,
        })
    }

    /// All differences.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.sections.values().flat_map(|section| &section.differences)
    }
}

/// Compares two bodies value by value, by the part of the predicate that they are in.
pub(super) fn compare(certificate: &[u8], rerun: &[u8]) -> BTreeMap<String, Section> {
    let leaves = |json: &[u8]| {
        let mut leaves = BTreeMap::new();
        collect(String::new(), &serde_json::from_slice(json).unwrap_or_default(), &mut leaves);
        leaves
    };
    let (certificate, mut rerun) = (leaves(certificate), leaves(rerun));
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut note = |path: String, rerun: Option<Value>, certificate: Option<Value>| {
        let section = sections.entry(section_of(&path)).or_default();
        section.values += 1;
        if rerun != certificate {
            section.differences.push(Difference { path, rerun, certificate });
        }
    };
    for (path, value) in certificate {
        let rerun = rerun.remove(&path);
        note(path, rerun, Some(value));
    }
    rerun.into_iter().for_each(|(path, value)| note(path, Some(value), None));
    sections
}

/// `predicate.groups[1].size` is in `groups`; everything outside the predicate is `statement`.
fn section_of(path: &str) -> String {
    let inside = path.strip_prefix("predicate.").map(|rest| rest.split(['.', '[']).next().unwrap_or(rest));
    inside.unwrap_or("statement").to_owned()
}

fn collect(path: String, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(path, value, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect(format!("{path}[{index}]"), item, leaves));
        }
        _ => {
            leaves.insert(path, value.clone());
        }
    }
}
