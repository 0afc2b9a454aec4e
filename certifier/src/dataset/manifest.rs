//! The manifest's `assay:audit` block, parsed and turned into a [`Plan`]: schema plus rules.

use std::path::Path;

use audit::{Attribute, Column, Decimal, Digest, Schema};
use serde::Deserialize;

use super::{
    DatasetError, ManifestProblem,
    rule::{Encoding, Feature, GroupRule, Groups},
};

/// What a table must hold, and how its rows become integers.
#[derive(Debug)]
pub(super) struct Plan {
    pub schema: Schema,
    /// Name of the table in the manifest's folder.
    pub file: String,
    pub digest: Digest,
    pub label_column: String,
    /// Raw values, in class order.
    pub label_values: Vec<String>,
    pub attributes: Vec<Groups>,
    pub features: Vec<Feature>,
}

/// The parts of a Croissant manifest that are read; the rest is carried along unread.
#[derive(Deserialize)]
struct Manifest {
    name: String,
    version: String,
    #[serde(default)]
    distribution: Vec<FileObject>,
    #[serde(rename = "assay:audit")]
    audit: AuditBlock,
}

#[derive(Deserialize)]
struct FileObject {
    #[serde(default)]
    name: String,
    sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditBlock {
    version: u64,
    file: String,
    label: LabelBlock,
    attributes: Vec<AttributeBlock>,
    features: Vec<FeatureBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelBlock {
    column: String,
    classes: Vec<String>,
    values: Vec<String>,
    favourable: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AttributeBlock {
    name: String,
    column: String,
    groups: Vec<GroupBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupBlock {
    name: String,
    values: Option<Vec<String>>,
    from: Option<Decimal>,
    below: Option<Decimal>,
    #[serde(default)]
    other: bool,
    #[serde(default)]
    reference: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureBlock {
    column: String,
    name: Option<String>,
    numeric: Option<NumericBlock>,
    one_hot: Option<Vec<String>>,
    scale: Option<Decimal>,
    clamp: Option<ClampBlock>,
    #[serde(default)]
    other: bool,
    missing: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumericBlock {
    offset: Decimal,
    scale: Decimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClampBlock {
    min: Decimal,
    max: Decimal,
}

/// A problem and the manifest entry it is in.
type Located = (String, ManifestProblem);

/// Parses and checks a manifest; its bytes go into the schema as they are.
pub(super) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Plan, DatasetError> {
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|cause| DatasetError::Json { path: path.to_owned(), cause })?;
    let plan = plan(manifest, bytes).map_err(|(place, problem)| DatasetError::Manifest {
        path: path.to_owned(),
        place,
        problem,
    })?;
    plan.schema.validate().map_err(|cause| DatasetError::Audit { path: path.to_owned(), cause })?;
    Ok(plan)
}

fn plan(manifest: Manifest, bytes: Vec<u8>) -> Result<Plan, Located> {
    let AuditBlock { version, file, label, attributes, features } = manifest.audit;
    if version != 1 {
        return Err(("version".into(), ManifestProblem::Version(version)));
    }
    let digest = table_digest(&file, &manifest.distribution)?;
    let favourable = favourable(&label)?;
    let attributes = attributes
        .into_iter()
        .enumerate()
        .map(|(index, block)| attribute(&format!("attributes[{index}]"), block))
        .collect::<Result<Vec<_>, _>>()?;
    let features = features
        .into_iter()
        .enumerate()
        .map(|(index, block)| feature(format!("features[{index}]"), block))
        .collect::<Result<Vec<_>, _>>()?;
    let schema = Schema {
        name: manifest.name,
        version: manifest.version,
        manifest: bytes,
        columns: features.iter().flat_map(columns).collect(),
        classes: label.classes,
        favourable,
        attributes: attributes.iter().map(|(attribute, _)| attribute.clone()).collect(),
    };
    Ok(Plan {
        schema,
        file,
        digest,
        label_column: label.column,
        label_values: label.values,
        attributes: attributes.into_iter().map(|(_, groups)| groups).collect(),
        features,
    })
}

fn table_digest(file: &str, distribution: &[FileObject]) -> Result<Digest, Located> {
    // A name with a folder in it could make the reader open any file of the user's.
    let plain = !file.is_empty() && file != "." && file != ".." && !file.contains(['/', '\\', '\0', ':']);
    if !plain {
        return Err(("file".into(), ManifestProblem::NotAFileName(file.into())));
    }
    let entry = distribution.iter().find(|object| object.name == file);
    let Some(text) = entry.and_then(|object| object.sha256.as_deref()) else {
        return Err(("distribution".into(), ManifestProblem::NoDigest(file.into())));
    };
    text.parse().map_err(|_| ("distribution".into(), ManifestProblem::NotADigest(text.into())))
}

fn favourable(label: &LabelBlock) -> Result<u8, Located> {
    let (classes, values) = (label.classes.len(), label.values.len());
    if classes != values {
        return Err(("label".into(), ManifestProblem::ClassCount { classes, values }));
    }
    if let Some(value) = repeated(&label.values) {
        return Err(("label.values".into(), ManifestProblem::Twice(format!("{value:?}"))));
    }
    let index = label.classes.iter().position(|class| *class == label.favourable);
    let index = index.and_then(|index| u8::try_from(index).ok()).ok_or_else(|| {
        let (got, classes) = (label.favourable.clone(), label.classes.clone());
        ("label.favourable".to_owned(), ManifestProblem::NotAClass { got, classes })
    })?;
    Ok(index)
}

fn attribute(place: &str, block: AttributeBlock) -> Result<(Attribute, Groups), Located> {
    let reference = block.groups.iter().position(|group| group.reference);
    if block.groups.iter().filter(|group| group.reference).count() > 1 {
        return Err((place.into(), ManifestProblem::Twice("`reference`".into())));
    }
    let attribute = Attribute {
        name: block.name.clone(),
        groups: block.groups.iter().map(|group| group.name.clone()).collect(),
        reference: reference.and_then(|index| u8::try_from(index).ok()),
    };
    let rules = block
        .groups
        .into_iter()
        .enumerate()
        .map(|(index, group)| group_rule(format!("{place}.groups[{index}]"), group))
        .collect::<Result<Vec<_>, _>>()?;
    if rules.iter().filter(|rule| matches!(rule, GroupRule::Other)).count() > 1 {
        return Err((place.into(), ManifestProblem::Twice("`other`".into())));
    }
    let listed = rules.iter().flat_map(GroupRule::values);
    if let Some(value) = repeated(listed) {
        return Err((place.into(), ManifestProblem::Twice(format!("{value:?}"))));
    }
    let groups =
        Groups { attribute: block.name, column: block.column, names: attribute.groups.clone(), rules };
    Ok((attribute, groups))
}

fn group_rule(place: String, block: GroupBlock) -> Result<GroupRule, Located> {
    let range = block.from.is_some() || block.below.is_some();
    let rules = usize::from(block.values.is_some()) + usize::from(range) + usize::from(block.other);
    match (block.values, block.from, block.below) {
        _ if rules != 1 => Err((place, ManifestProblem::GroupRule(rules))),
        (Some(values), ..) if values.is_empty() => Err((place, ManifestProblem::Empty)),
        (Some(values), ..) => Ok(GroupRule::Values(values)),
        (None, None, None) => Ok(GroupRule::Other),
        (None, Some(from), Some(below)) if from >= below => {
            Err((place, ManifestProblem::EmptyRange { from: from.to_string(), to: below.to_string() }))
        }
        (None, from, below) => Ok(GroupRule::Range { from, below }),
    }
}

fn feature(place: String, block: FeatureBlock) -> Result<Feature, Located> {
    let FeatureBlock { column, name, numeric, one_hot, scale, clamp, other, missing } = block;
    let meaningless = |fields: &[(&'static str, bool)], context| match fields.iter().find(|(_, given)| *given)
    {
        Some((field, _)) => Err((place.clone(), ManifestProblem::Meaningless { field, context })),
        None => Ok(()),
    };
    let encoding = match (numeric, one_hot) {
        (Some(numeric), None) => {
            let one_hot_only = [("scale", scale.is_some()), ("other", other), ("missing", missing.is_some())];
            meaningless(&one_hot_only, "beside `numeric`")?;
            numeric_encoding(name.unwrap_or_else(|| column.clone()), numeric, clamp)
        }
        (None, Some(values)) => {
            let numeric_only = [("name", name.is_some()), ("clamp", clamp.is_some())];
            meaningless(&numeric_only, "beside `one_hot`")?;
            one_hot_encoding(values, scale, other, missing)
        }
        (None, None) => Err(ManifestProblem::FeatureRule(0)),
        (Some(_), Some(_)) => Err(ManifestProblem::FeatureRule(2)),
    };
    Ok(Feature { encoding: encoding.map_err(|problem| (place, problem))?, column })
}

fn numeric_encoding(
    name: String,
    NumericBlock { offset, scale }: NumericBlock,
    clamp: Option<ClampBlock>,
) -> Result<Encoding, ManifestProblem> {
    if scale <= Decimal(0) {
        return Err(ManifestProblem::Scale(scale.to_string()));
    }
    let clamp = clamp.map(|ClampBlock { min, max }| (min, max));
    if let Some((from, to)) = clamp.filter(|(min, max)| min >= max) {
        return Err(ManifestProblem::EmptyRange { from: from.to_string(), to: to.to_string() });
    }
    Ok(Encoding::Numeric { name, offset, scale, clamp })
}

fn one_hot_encoding(
    values: Vec<String>,
    scale: Option<Decimal>,
    other: bool,
    missing: Option<String>,
) -> Result<Encoding, ManifestProblem> {
    if values.is_empty() {
        return Err(ManifestProblem::Empty);
    }
    if let Some(value) = repeated(values.iter().chain(&missing)) {
        return Err(ManifestProblem::Twice(format!("{value:?}")));
    }
    let scale = scale.unwrap_or(Decimal(Decimal::ONE));
    let whole = scale.0 > 0 && scale.0 % Decimal::ONE == 0;
    let entry = i16::try_from(scale.0 / Decimal::ONE).ok().filter(|_| whole);
    let entry = entry.ok_or_else(|| ManifestProblem::OneHotScale(scale.to_string()))?;
    Ok(Encoding::OneHot { values, entry, other, missing })
}

/// The schema's columns of one feature.
fn columns(feature: &Feature) -> Vec<Column> {
    match &feature.encoding {
        Encoding::Numeric { name, offset, scale, .. } => {
            vec![Column { name: name.clone(), offset: *offset, scale: *scale }]
        }
        Encoding::OneHot { values, entry, .. } => {
            let scale = Decimal(i64::from(*entry) * Decimal::ONE);
            let column =
                |value| Column { name: format!("{}={value}", feature.column), offset: Decimal(0), scale };
            values.iter().map(column).collect()
        }
    }
}

fn repeated<'a>(names: impl IntoIterator<Item = &'a String>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(name.as_str())).map(String::as_str)
}
