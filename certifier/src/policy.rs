//! A policy to start from.

use audit::{
    Comparator, Criterion, Fraction, Metric, Policy, Schema,
    metrics::{Convention, Rate},
};

/// Smallest group that the template lets decide.
const MIN_GROUP_SIZE: u32 = 30;

/// Accuracy of at least 70 %, and for every attribute the four-fifths rule on selection rates and gaps of true and
/// false positive rates of at most one tenth and one fifth.
pub fn template(schema: &Schema) -> Policy {
    let criterion = |metric, attributes: &[&str], comparator, (numerator, denominator): (u32, u32)| {
        let attributes = attributes.iter().map(|name| (*name).to_owned()).collect();
        let threshold = Fraction::new(numerator, denominator)?;
        Some(Criterion { metric, attributes, group: Vec::new(), class: None, comparator, threshold })
    };
    let for_all = [criterion(Metric::Rate(Rate::Accuracy), &[], Comparator::AtLeast, (7, 10))];
    let for_each = schema.attributes.iter().flat_map(|attribute| {
        let name = [attribute.name.as_str()];
        let gap = |rate| Metric::Compare(Convention::Gap, rate);
        let selection = Metric::Compare(Convention::GapRatio, Rate::SelectionRate);
        [
            criterion(selection, &name, Comparator::AtLeast, (4, 5)),
            criterion(gap(Rate::Recall), &name, Comparator::AtMost, (1, 10)),
            criterion(gap(Rate::FalsePositiveRate), &name, Comparator::AtMost, (1, 5)),
        ]
    });
    Policy {
        name: format!("{} template", schema.name),
        min_group_size: MIN_GROUP_SIZE,
        criteria: for_all.into_iter().chain(for_each).flatten().collect(),
    }
}
