use audit::{Activation, Layer, Model, Schema, Table};
use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};

use crate::DigestBytes;

/// A registered dataset. Certified under `dataset/<hex digest>`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetRecord {
    /// SHA-256 of its bytes.
    pub digest: DigestBytes,
    /// The registrar who sealed it.
    pub owner: Principal,
    /// Short name.
    pub name: String,
    /// The publisher's version text.
    pub version: String,
    /// SHA-256 of its Croissant manifest.
    pub manifest: DigestBytes,
    /// Digest of feature columns and classes: what a model must be made for.
    pub encoding: DigestBytes,
    /// Number of rows.
    pub rows: u32,
    /// Number of feature columns.
    pub columns: u32,
    /// Its size.
    pub bytes: u64,
    /// Bytes before the first row.
    pub header_bytes: u64,
    /// When it was sealed, in nanoseconds since 1970.
    pub registered_at_ns: u64,
}

/// A feature column: the integer stored is `round((value - offset) * scale)`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetColumn {
    /// Unique name.
    pub name: String,
    /// Exact decimal.
    pub offset: String,
    /// Exact decimal.
    pub scale: String,
}

/// A protected attribute.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetAttribute {
    /// Unique name.
    pub name: String,
    /// Group names, in index order.
    pub groups: Vec<String>,
    /// The group that signed differences compare with.
    pub reference: Option<String>,
}

/// What a dataset's rows mean.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetSchema {
    /// Feature columns.
    pub columns: Vec<DatasetColumn>,
    /// Class names, in index order.
    pub classes: Vec<String>,
    /// The favourable class.
    pub favourable: String,
    /// Protected attributes.
    pub attributes: Vec<DatasetAttribute>,
}

impl From<&Schema> for DatasetSchema {
    fn from(schema: &Schema) -> Self {
        let named = |names: &[String], index: u8| names.get(usize::from(index)).cloned();
        let column = |column: &audit::Column| DatasetColumn {
            name: column.name.clone(),
            offset: column.offset.to_string(),
            scale: column.scale.to_string(),
        };
        let attribute = |attribute: &audit::Attribute| DatasetAttribute {
            name: attribute.name.clone(),
            groups: attribute.groups.clone(),
            reference: attribute.reference.and_then(|index| named(&attribute.groups, index)),
        };
        Self {
            columns: schema.columns.iter().map(column).collect(),
            classes: schema.classes.clone(),
            favourable: named(&schema.classes, schema.favourable).unwrap_or_default(),
            attributes: schema.attributes.iter().map(attribute).collect(),
        }
    }
}

/// A registered dataset and what its rows mean. The schema follows from the bytes that the digest covers.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetDetails {
    /// The certified record.
    pub record: DatasetRecord,
    /// Read from the dataset's header.
    pub schema: DatasetSchema,
}

/// One dense layer.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Activations read.
    pub inputs: u32,
    /// Units.
    pub units: u32,
    /// Bits dropped from the accumulator.
    pub shift: u8,
    /// `identity`, `relu`, `step`, or the table's name.
    pub activation: String,
}

impl LayerSummary {
    /// Every layer of a model.
    pub fn of(model: &Model) -> Vec<Self> {
        let summary = |layer: &Layer| {
            Self::new(layer.inputs, layer.units, layer.shift, layer.activation, &model.tables)
        };
        model.layers.iter().map(summary).collect()
    }

    /// One layer; `tables` are the model's.
    pub fn new(inputs: u32, units: u32, shift: u8, activation: Activation, tables: &[Table]) -> Self {
        let activation = match activation {
            Activation::Identity => "identity".to_owned(),
            Activation::Relu => "relu".to_owned(),
            Activation::Step => "step".to_owned(),
            Activation::Table(index) => {
                let table = tables.get(usize::from(index));
                table.map(|table| format!("table {}", table.name)).unwrap_or_default()
            }
        };
        Self { inputs, units, shift, activation }
    }
}

/// A registered model. Certified under `model/<hex digest>`.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct ModelRecord {
    /// SHA-256 of its bytes; of a private model's package; of a logged model's card.
    pub digest: DigestBytes,
    /// Who sealed it.
    pub owner: Principal,
    /// Short name.
    pub name: String,
    /// SHA-256 of the ONNX file that it was made from, as its owner says; not told of a private model.
    pub source: Option<DigestBytes>,
    /// Id of the commitment to the weights, of a private model: what proofs speak about.
    pub commitment: Option<DigestBytes>,
    /// Whether it stays with its owner, and only logs of its predictions are audited.
    pub logged: bool,
    /// Digest of the feature encoding that it was made for.
    pub encoding: DigestBytes,
    /// Number of classes.
    pub classes: u8,
    /// Number of features it reads.
    pub inputs: u32,
    /// Number of weights and biases; 0 of a logged model.
    pub parameters: u64,
    /// Its layers; none of a logged model.
    pub layers: Vec<LayerSummary>,
    /// Its size.
    pub bytes: u64,
    /// When it was sealed, in nanoseconds since 1970.
    pub registered_at_ns: u64,
    /// Audits requested so far, whatever became of them.
    pub audits: u32,
}

/// Which datasets to list, in the order of their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetsRequest {
    /// Only with this in name or version, whatever the case.
    pub text: Option<String>,
    /// Only this registrar's.
    pub owner: Option<Principal>,
    /// Only those that a model with this encoding fits.
    pub encoding: Option<DigestBytes>,
    /// Go on after this one: `next` of the page before.
    pub after: Option<DigestBytes>,
    /// Most items; at most and by default [`crate::PAGE_ITEMS`].
    pub limit: Option<u32>,
}

/// Some datasets.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct DatasetPage {
    /// The datasets.
    pub items: Vec<DatasetRecord>,
    /// Where the next page goes on; nothing at the end.
    pub next: Option<DigestBytes>,
}

/// Which models to list, in the order of their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, CandidType, Deserialize)]
pub struct ModelsRequest {
    /// Only with this in the name, whatever the case.
    pub text: Option<String>,
    /// Only this owner's.
    pub owner: Option<Principal>,
    /// Only those made for this encoding.
    pub encoding: Option<DigestBytes>,
    /// Go on after this one: `next` of the page before.
    pub after: Option<DigestBytes>,
    /// Most items; at most and by default [`crate::PAGE_ITEMS`].
    pub limit: Option<u32>,
}

/// Some models.
#[derive(Debug, Clone, PartialEq, Eq, CandidType, Deserialize)]
pub struct ModelPage {
    /// The models.
    pub items: Vec<ModelRecord>,
    /// Where the next page goes on; nothing at the end.
    pub next: Option<DigestBytes>,
}

/// A stretch of a dataset's or model's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, CandidType, Deserialize)]
pub struct ReadRequest {
    /// Which.
    pub digest: DigestBytes,
    /// First byte.
    pub offset: u64,
    /// Number of bytes, at most [`crate::CHUNK_BYTES`]; fewer are returned at the end.
    pub length: u32,
}
