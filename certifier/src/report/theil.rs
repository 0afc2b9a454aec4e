//! The Theil index of outcomes: how unequally a model's mistakes treat people, and how much of that lies between groups.
//!
//! With b = decision - label + 1 (2 for a false positive, 0 for a false negative, 1 otherwise) and its mean μ, it is the
//! mean of (b/μ) ln(b/μ): AIF360's generalized entropy index with α = 1 (Speicher and others, KDD 2018). Logarithms are no
//! fractions, so a certificate cannot have it: it is computed here in floating point.

use audit::{Confusion, certificate::Predicate};
use pages::Inequality;

/// Why there is no index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// Nobody to compare.
    #[error("no sample{}", .0.as_ref().map(|group| format!(" ({group})")).unwrap_or_default())]
    NoSample(Option<String>),
    /// The mean of b is zero.
    #[error("every sample is a false negative, and the index would divide by zero")]
    NothingGiven,
}

/// The index over samples.
pub fn theil(counts: Confusion) -> Result<f64, Undefined> {
    let right = counts.tp + counts.tn;
    index(&[(right, 1.0), (counts.fp, 2.0), (counts.fn_, 0.0)])
}

/// The part of the index that lies between groups: every sample has its group's mean of b. A group without samples has
/// none.
pub fn theil_between(groups: &[Confusion]) -> Result<f64, Undefined> {
    let mean = |group: &Confusion| {
        let total = group.total() as f64;
        (group.total(), (total + group.fp as f64 - group.fn_ as f64) / total)
    };
    if groups.iter().any(|group| group.total() == 0) {
        return Err(Undefined::NoSample(None));
    }
    index(&groups.iter().map(mean).collect::<Vec<_>>())
}

/// Of so many samples with each b.
fn index(parts: &[(u64, f64)]) -> Result<f64, Undefined> {
    let total = parts.iter().map(|(samples, _)| samples).sum::<u64>() as f64;
    if total == 0.0 {
        return Err(Undefined::NoSample(None));
    }
    let mean = parts.iter().map(|(samples, b)| *samples as f64 * b).sum::<f64>() / total;
    if mean == 0.0 {
        return Err(Undefined::NothingGiven);
    }
    // x ln x goes to 0 with x.
    let term = |ratio: f64| if ratio > 0.0 { ratio * ratio.ln() } else { 0.0 };
    let sum: f64 = parts.iter().map(|(samples, b)| *samples as f64 * term(b / mean)).sum();
    // It is never negative but for rounding.
    Ok((sum / total).max(0.0))
}

/// The indices of a certificate: of all samples, of each group, and between the groups of each attribute.
pub(super) fn inequality(predicate: &Predicate) -> Vec<Inequality> {
    let of = |attributes: &[String]| {
        predicate
            .groups
            .iter()
            .filter(|group| group.attributes == attributes && group.class == predicate.favourable)
            .map(|group| {
                let counts = Confusion {
                    tp: group.true_positives,
                    fp: group.false_positives,
                    tn: group.true_negatives,
                    fn_: group.false_negatives,
                };
                (pages::over(&group.attributes, &group.group), counts)
            })
            .collect::<Vec<_>>()
    };
    let row = |over: String, value: Result<f64, Undefined>| Inequality {
        over,
        value: value.map(|value| format!("{value:.6}")).map_err(|undefined| undefined.to_string()),
    };
    let mut rows: Vec<Inequality> =
        of(&[]).into_iter().map(|(over, counts)| row(over, theil(counts))).collect();
    for attribute in &predicate.attributes {
        let groups = of(std::slice::from_ref(&attribute.name));
        let empty = groups.iter().find(|(_, counts)| counts.total() == 0);
        let between = match empty {
            Some((group, _)) => Err(Undefined::NoSample(Some(group.clone()))),
            None => theil_between(&groups.iter().map(|(_, counts)| *counts).collect::<Vec<_>>()),
        };
        rows.push(row(format!("between the groups of {}", attribute.name), between));
        rows.extend(groups.into_iter().map(|(over, counts)| row(over, theil(counts))));
    }
    rows
}
