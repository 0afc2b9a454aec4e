//! What a dataset's rows mean: feature columns with their encoding, classes, protected attributes.

use crate::{
    AuditError, Decimal, Digest, Row,
    codec::{self, Reader},
    metrics::Frame,
};

/// Most feature columns of a dataset.
pub const MAX_COLUMNS: u16 = 4096;
/// Most classes of a label.
pub const MAX_CLASSES: u8 = 64;
/// Most protected attributes.
pub const MAX_ATTRIBUTES: u8 = 4;
/// Most groups of one attribute.
pub const MAX_GROUPS: u8 = 64;
/// Most counters of an audit: product of all group counts, times classes squared.
pub const MAX_COUNTERS: u64 = 1 << 16;
/// Longest manifest kept in a dataset, in bytes.
pub const MAX_MANIFEST: u32 = 256 << 10;

const GROUP_RULE_MAGIC: &[u8; 8] = b"ASSAYGR\x01";
const ENCODING_MAGIC: &[u8; 8] = b"ASSAYEN\x01";
const NO_REFERENCE: u8 = u8::MAX;

/// One feature column: the integer stored is `round((value - offset) * scale)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Unique name, `column=value` for a one-hot column.
    pub name: String,
    /// Subtracted first, in raw units.
    pub offset: Decimal,
    /// Integers per raw unit, positive.
    pub scale: Decimal,
}

/// A protected attribute that splits the rows into groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Unique name.
    pub name: String,
    /// Group names, in index order.
    pub groups: Vec<String>,
    /// Index of the reference (AIF360: privileged) group, which signed differences compare with.
    pub reference: Option<u8>,
}

/// Everything about a dataset except its rows. Favourable class and group rules belong to it, not to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Short name, e.g. `german`.
    pub name: String,
    /// The publisher's version text.
    pub version: String,
    /// The Croissant manifest (JSON bytes) that the rows were made with.
    pub manifest: Vec<u8>,
    /// Feature columns, in order.
    pub columns: Vec<Column>,
    /// Class names, in index order.
    pub classes: Vec<String>,
    /// Index of the favourable class.
    pub favourable: u8,
    /// Protected attributes, at most [`MAX_ATTRIBUTES`].
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// Fails when a size, name or index is outside its bounds.
    pub fn validate(&self) -> Result<(), AuditError> {
        codec::check_text("dataset name", &self.name)?;
        codec::check_text("dataset version", &self.version)?;
        codec::in_range("manifest length", 0, MAX_MANIFEST.into(), self.manifest.len() as i64)?;
        codec::in_range("number of columns", 1, MAX_COLUMNS.into(), self.columns.len() as i64)?;
        for column in &self.columns {
            codec::check_text("column name", &column.name)?;
            codec::in_range("column scale", 1, i64::MAX, column.scale.0)?;
        }
        codec::check_distinct("column", self.columns.iter().map(|column| column.name.as_str()))?;
        validate_classes(&self.classes, self.favourable)?;
        validate_attributes(&self.attributes, self.classes.len() as u64)
    }

    /// Classes, favourable class and attributes: what counts are about.
    pub fn frame(&self) -> Frame {
        Frame {
            classes: self.classes.clone(),
            favourable: self.favourable,
            attributes: self.attributes.clone(),
        }
    }

    /// Digest of everything that puts a row into its groups: the manifest, which holds the rule, and the names
    /// of classes, favourable class, attributes, groups and references.
    pub fn group_rule(&self) -> Digest {
        let mut out = GROUP_RULE_MAGIC.to_vec();
        out.extend_from_slice(&Digest::of(&self.manifest).0);
        self.put_classes(&mut out);
        self.put_attributes(&mut out);
        Digest::of(&out)
    }

    /// Number of finest group cells: the product of all group counts, 1 without attributes.
    pub fn cells(&self) -> u64 {
        self.attributes.iter().map(|attribute| attribute.groups.len() as u64).product()
    }

    /// Fails unless a model with this encoding, so many inputs and so many classes is made for these columns and
    /// classes. A model's word for its encoding does not say how many there are of either: all three are compared.
    pub fn check_model(&self, encoding: Digest, inputs: u32, classes: u8) -> Result<(), AuditError> {
        let got = self.encoding();
        if encoding != got {
            return Err(AuditError::WrongEncoding { expected: encoding, got });
        }
        let (expected, got) = (self.columns.len() as u64, u64::from(inputs));
        if expected != got {
            return Err(AuditError::Mismatch { what: "features of the model", expected, got });
        }
        let (expected, got) = (self.classes.len() as u64, u64::from(classes));
        if expected != got {
            return Err(AuditError::Mismatch { what: "classes of the model", expected, got });
        }
        Ok(())
    }

    /// Digest of feature columns and classes: what a model must have been made for.
    pub fn encoding(&self) -> Digest {
        let mut out = ENCODING_MAGIC.to_vec();
        self.put_encoding(&mut out);
        Digest::of(&out)
    }

    /// The cell that a row's groups and label put it in: groups with the last attribute fastest, then the label.
    pub fn cell_of(&self, row: &Row<'_>) -> u32 {
        let groups = row.groups.iter().zip(&self.attributes);
        let cell = groups
            .fold(0, |cell, (&group, attribute)| cell * attribute.groups.len() as u32 + u32::from(group));
        cell * self.classes.len() as u32 + u32::from(row.label)
    }

    /// Bytes of one row: features as `i16`, the label, one group index per attribute.
    pub fn record_len(&self) -> usize {
        2 * self.columns.len() + 1 + self.attributes.len()
    }

    fn put_encoding(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.columns.len() as u16).to_le_bytes());
        for column in &self.columns {
            codec::put_text(out, &column.name);
            out.extend_from_slice(&column.offset.0.to_le_bytes());
            out.extend_from_slice(&column.scale.0.to_le_bytes());
        }
        self.put_classes(out);
    }

    fn put_classes(&self, out: &mut Vec<u8>) {
        out.push(self.classes.len() as u8);
        self.classes.iter().for_each(|class| codec::put_text(out, class));
    }

    /// Appends the schema's bytes; it must be valid.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        codec::put_text(out, &self.name);
        codec::put_text(out, &self.version);
        out.extend_from_slice(&(self.manifest.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.manifest);
        self.put_encoding(out);
        self.put_attributes(out);
    }

    fn put_attributes(&self, out: &mut Vec<u8>) {
        out.push(self.favourable);
        out.push(self.attributes.len() as u8);
        for attribute in &self.attributes {
            codec::put_text(out, &attribute.name);
            out.push(attribute.groups.len() as u8);
            attribute.groups.iter().for_each(|group| codec::put_text(out, group));
            out.push(attribute.reference.unwrap_or(NO_REFERENCE));
        }
    }

    /// Reads and validates a schema.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, AuditError> {
        let name = reader.text("dataset name")?;
        let version = reader.text("dataset version")?;
        let length = reader.u32_in("manifest length", 0, MAX_MANIFEST)?;
        let manifest = reader.take("manifest", length as usize)?.to_vec();
        let columns = (0..reader.u16_in("number of columns", 1, MAX_COLUMNS)?)
            .map(|_| {
                Ok(Column {
                    name: reader.text("column name")?,
                    offset: Decimal(reader.i64("column offset")?),
                    scale: Decimal(reader.i64("column scale")?),
                })
            })
            .collect::<Result<_, AuditError>>()?;
        let classes = read_names(reader, "number of classes", "class name", MAX_CLASSES)?;
        let favourable = reader.u8_in("favourable class", 0, MAX_CLASSES - 1)?;
        let attributes = (0..reader.u8_in("number of attributes", 0, MAX_ATTRIBUTES)?)
            .map(|_| {
                let name = reader.text("attribute name")?;
                let groups = read_names(reader, "number of groups", "group name", MAX_GROUPS)?;
                let reference = match reader.u8_in("reference group", 0, u8::MAX)? {
                    NO_REFERENCE => None,
                    index => Some(index),
                };
                Ok(Attribute { name, groups, reference })
            })
            .collect::<Result<_, AuditError>>()?;
        let schema = Self { name, version, manifest, columns, classes, favourable, attributes };
        schema.validate()?;
        Ok(schema)
    }
}

fn read_names(
    reader: &mut Reader<'_>,
    count: &'static str,
    what: &'static str,
    max: u8,
) -> Result<Vec<String>, AuditError> {
    (0..reader.u8_in(count, 2, max)?).map(|_| reader.text(what)).collect()
}

/// Fails when a class name is out of bounds or repeats, or the favourable index is not one of them.
pub(crate) fn validate_classes(classes: &[String], favourable: u8) -> Result<(), AuditError> {
    codec::in_range("number of classes", 2, MAX_CLASSES.into(), classes.len() as i64)?;
    classes.iter().try_for_each(|class| codec::check_text("class name", class))?;
    codec::check_distinct("class", classes.iter().map(String::as_str))?;
    codec::in_range("favourable class", 0, classes.len() as i64 - 1, favourable.into())
}

/// Fails when an attribute or group is out of bounds, or an audit would need too many counters.
pub(crate) fn validate_attributes(attributes: &[Attribute], classes: u64) -> Result<(), AuditError> {
    codec::in_range("number of attributes", 0, MAX_ATTRIBUTES.into(), attributes.len() as i64)?;
    codec::check_distinct("attribute", attributes.iter().map(|attribute| attribute.name.as_str()))?;
    let mut counters = classes.pow(2);
    for attribute in attributes {
        codec::check_text("attribute name", &attribute.name)?;
        let groups = attribute.groups.len() as i64;
        codec::in_range("number of groups", 2, MAX_GROUPS.into(), groups)?;
        attribute.groups.iter().try_for_each(|group| codec::check_text("group name", group))?;
        codec::check_distinct("group", attribute.groups.iter().map(String::as_str))?;
        if let Some(reference) = attribute.reference {
            codec::in_range("reference group", 0, groups - 1, reference.into())?;
        }
        counters *= groups as u64;
    }
    codec::in_range("number of counters", 1, MAX_COUNTERS as i64, counters as i64)
}
