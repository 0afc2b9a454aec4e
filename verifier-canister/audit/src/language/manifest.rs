use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LanguageError, MAX_OPTIONS, MAX_VARIANTS};
use crate::{
    Digest, Schema,
    canonical::from_json,
    codec,
    schema::{MAX_CLASSES, MAX_MANIFEST},
};

/// What an item set asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Questions with one right option: the label.
    Choice,
    /// StereoSet's context association: which of three continuations, stereotype, anti-stereotype or unrelated.
    ContextAssociation,
    /// The same question once per value of one field; whether the answer changes.
    Counterfactual,
}

impl Kind {
    /// Number of options of every item where the dataset has so many classes, or `None` when no set has so many.
    pub fn options(self, classes: usize) -> Option<usize> {
        let options = classes.checked_sub(2)?;
        match self {
            Self::Choice => (2..=MAX_OPTIONS).contains(&options).then_some(options),
            Self::ContextAssociation => (options == 3).then_some(3),
            // Unchanged favourable, unchanged unfavourable, changed.
            Self::Counterfactual => (options == 3).then_some(2),
        }
    }
}

/// A field whose values are tried one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Varied {
    /// The field; the items do not have it.
    pub field: String,
    /// Its values, all different.
    pub values: Vec<String>,
}

/// A file by name and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// Its name, without folder.
    pub file: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// What the manifest of an item set says: its kind and its files. The dataset's digest covers the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is asked.
    pub kind: Kind,
    /// The items.
    pub items: FileFacts,
    /// The templates, by the name that items use.
    pub templates: BTreeMap<String, FileFacts>,
    /// What a counterfactual varies.
    pub varied: Option<Varied>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    distribution: Vec<FileObject>,
    #[serde(rename = "assay:language")]
    language: Option<Block>,
}

#[derive(Deserialize)]
struct FileObject {
    #[serde(default)]
    name: String,
    sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    version: u64,
    kind: Kind,
    items: String,
    templates: BTreeMap<String, String>,
    varied: Option<Varied>,
}

impl Plan {
    /// Calls per item.
    pub fn calls(&self) -> u8 {
        self.varied.as_ref().map_or(1, |varied| varied.values.len() as u8)
    }

    /// Reads the manifest's `assay:language` block.
    pub fn of(schema: &Schema) -> Result<Self, LanguageError> {
        let wrong = LanguageError::Manifest;
        let manifest: Manifest = from_json("manifest", MAX_MANIFEST as usize, &schema.manifest)?;
        let block = manifest.language.ok_or(wrong("it has no assay:language block"))?;
        if block.version != 1 {
            return Err(wrong("its version is not 1"));
        }
        codec::in_range("number of templates", 1, MAX_CLASSES.into(), block.templates.len() as i64)?;
        let file = |file: String| {
            // A name with a folder in it could make a reader open any file.
            let plain =
                !file.is_empty() && !file.contains(['/', '\\', '\0', ':']) && file != "." && file != "..";
            if !plain {
                return Err(wrong("a file must be named without a folder"));
            }
            let entry = manifest.distribution.iter().find(|object| object.name == file);
            let digest = entry.and_then(|object| object.sha256.as_deref()?.parse().ok());
            Ok(FileFacts { digest: digest.ok_or(wrong("a file has no sha256 in the distribution"))?, file })
        };
        let named = |(name, template)| Ok((name, file(template)?));
        let templates = block.templates.into_iter().map(named).collect::<Result<_, LanguageError>>()?;
        if (block.kind == Kind::Counterfactual) != block.varied.is_some() {
            return Err(wrong("a counterfactual has a varied field, no other kind has"));
        }
        if let Some(varied) = &block.varied {
            codec::in_range(
                "values of the varied field",
                2,
                MAX_VARIANTS as i64,
                varied.values.len() as i64,
            )?;
            varied
                .values
                .iter()
                .try_for_each(|value| codec::check_text("value of the varied field", value))?;
            // Equal values would make every answer the same, and the set look fair.
            codec::check_distinct("value of the varied field", varied.values.iter().map(String::as_str))?;
        }
        Ok(Self { kind: block.kind, items: file(block.items)?, templates, varied: block.varied })
    }
}
