//! Counts and figures of every group, as they stand in a certificate.

use serde::{Deserialize, Serialize};

use crate::{
    AuditError, Counts, Fraction, Metric,
    interval::Interval,
    metrics::{Estimate, Frame, Rate, Split, Undefined, Value},
};

/// Most group tables when intersections are included; single attributes are always tabled.
const MAX_TABLES: usize = 128;

/// A value: exactly one of `exact`, `signed_square` and `undefined` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The exact value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<Fraction>,
    /// For a value that is a root: its square, with the value's sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_square: Option<Fraction>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undefined: Option<Undefined>,
    /// The value to six digits, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<String>,
    /// For one proportion: successes and trials as counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<[u64; 2]>,
    /// The 95 % interval, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

impl From<&Estimate> for Measured {
    fn from(estimate: &Estimate) -> Self {
        let (exact, signed_square, undefined) = match &estimate.value {
            Value::Exact(value) => (Some(value.clone()), None, None),
            Value::SignedRoot(square) => (None, Some(square.clone()), None),
            Value::Undefined(undefined) => (None, None, Some(undefined.clone())),
        };
        Self {
            exact,
            signed_square,
            undefined,
            decimal: estimate.value.to_decimal(),
            counted: estimate.counted().map(|(successes, trials)| [successes, trials]),
            interval: estimate.interval(),
        }
    }
}

/// One metric's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRecord {
    /// What is measured.
    pub metric: Metric,
    /// What came of it.
    pub value: Measured,
}

impl MetricRecord {
    fn new(metric: Metric, split: &Split<'_>, class: u8, group: Option<usize>) -> Self {
        Self { metric, value: Measured::from(&metric.estimate(split, class, group)) }
    }
}

/// Counts and rates of one group, one class against the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRecord {
    /// Attributes that make the group; none for all samples.
    pub attributes: Vec<String>,
    /// A group of each.
    pub group: Vec<String>,
    /// The class that counts as positive.
    pub class: String,
    /// Samples in the group.
    pub size: u64,
    /// Whether that is fewer than the policy's minimum.
    pub small: bool,
    /// Of the class, predicted as it.
    pub true_positives: u64,
    /// Of another class, predicted as the class.
    pub false_positives: u64,
    /// Of another class, predicted as another.
    pub true_negatives: u64,
    /// Of the class, predicted as another.
    pub false_negatives: u64,
    /// Every rate.
    pub metrics: Vec<MetricRecord>,
}

/// Comparisons over the groups of some attributes, of the favourable class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparisonRecord {
    /// The attributes.
    pub attributes: Vec<String>,
    /// The comparisons.
    pub metrics: Vec<MetricRecord>,
}

/// All tables of a certificate.
pub(super) struct Tables {
    pub(super) groups: Vec<GroupRecord>,
    pub(super) comparisons: Vec<ComparisonRecord>,
    /// Intersections of up to this many attributes are among the tables.
    pub(super) intersections: u8,
}

impl Tables {
    pub(super) fn new(counts: &Counts, frame: &Frame, min_group_size: u32) -> Result<Self, AuditError> {
        let intersections = tabled_intersections(frame);
        let mut groups = Vec::new();
        let mut comparisons = Vec::new();
        for attributes in subsets(frame.attributes.len(), intersections.into()) {
            let split = Split::new(frame, counts, &attributes)?;
            let record = |group, class| group_record(&split, group, class, min_group_size);
            groups.extend((0..split.len()).map(|group| record(group, frame.favourable)));
            if attributes.is_empty() {
                let classes = 0..frame.classes.len() as u8;
                let others = classes.filter(|class| frame.classes.len() > 2 && *class != frame.favourable);
                groups.extend(others.map(|class| record(0, class)));
            } else {
                let record = |metric| MetricRecord::new(metric, &split, frame.favourable, None);
                comparisons.push(ComparisonRecord {
                    attributes: split.attributes().map(|attribute| attribute.name.clone()).collect(),
                    metrics: Metric::PANEL.into_iter().map(record).collect(),
                });
            }
        }
        Ok(Self { groups, comparisons, intersections })
    }
}

fn group_record(split: &Split<'_>, group: usize, class: u8, min_group_size: u32) -> GroupRecord {
    let frame = split.frame();
    let of = split.confusion(group, class);
    let parts = split.attributes().zip(split.parts(group));
    let all_samples = split.attributes().next().is_none();
    let rates = Rate::ALL.into_iter().map(Metric::Rate).chain([Metric::MatthewsCorrelation]);
    let over_classes = Rate::ALL.into_iter().filter(|rate| rate.has_macro()).map(Metric::Macro);
    let over_classes = over_classes.chain([Metric::MulticlassAccuracy]);
    let over_classes =
        over_classes.filter(|_| all_samples && frame.classes.len() > 2 && class == frame.favourable);
    GroupRecord {
        attributes: split.attributes().map(|attribute| attribute.name.clone()).collect(),
        group: parts.map(|(attribute, part)| attribute.groups[part].clone()).collect(),
        class: frame.classes[usize::from(class)].clone(),
        size: of.total(),
        small: of.total() < min_group_size.into(),
        true_positives: of.tp,
        false_positives: of.fp,
        true_negatives: of.tn,
        false_negatives: of.fn_,
        metrics: rates
            .chain(over_classes)
            .map(|metric| MetricRecord::new(metric, split, class, Some(group)))
            .collect(),
    }
}

/// The largest number of attributes whose intersections can be tabled without passing [`MAX_TABLES`].
fn tabled_intersections(frame: &Frame) -> u8 {
    let tables = |most: usize| -> usize {
        let sizes = subsets(frame.attributes.len(), most).into_iter();
        let groups = |index: &u8| frame.attributes[usize::from(*index)].groups.len();
        sizes.map(|subset| subset.iter().map(groups).product::<usize>()).sum()
    };
    let most = frame.attributes.len();
    (2..=most).rev().find(|&count| tables(count) <= MAX_TABLES).unwrap_or(most.min(1)) as u8
}

/// All sets of up to `most` out of `count` indices, smaller sets first, each in order.
fn subsets(count: usize, most: usize) -> Vec<Vec<u8>> {
    let mut subsets: Vec<Vec<u8>> = (0..1_u32 << count)
        .map(|mask| (0..count as u8).filter(|index| mask >> index & 1 == 1).collect())
        .filter(|subset: &Vec<u8>| subset.len() <= most)
        .collect();
    subsets.sort_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
    subsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attribute;

    fn frame(sizes: &[usize]) -> Frame {
        let attribute = |(index, &size): (usize, &usize)| Attribute {
            name: format!("a{index}"),
            groups: (0..size).map(|group| format!("g{group}")).collect(),
            reference: None,
        };
        Frame {
            classes: vec!["no".into(), "yes".into()],
            favourable: 1,
            attributes: sizes.iter().enumerate().map(attribute).collect(),
        }
    }

    #[test]
    fn intersections_are_tabled_as_far_as_they_fit() {
        assert_eq!(subsets(3, 2), [vec![], vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2]]);
        for (sizes, expected) in [
            (&[][..], 0),
            (&[64], 1),
            (&[2, 2], 2),
            (&[6, 2], 2),
            (&[5, 5, 5, 5], 1),
            (&[4, 4, 4, 4], 2),
            (&[2, 2, 2, 2], 4),
            (&[64, 64], 1),
        ] {
            assert_eq!(tabled_intersections(&frame(sizes)), expected, "{sizes:?}");
        }
    }
}
