use std::{collections::BTreeMap, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Rate;
use crate::AuditError;

/// A figure with an id; the id says whose convention it follows where tools disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// One rate of all samples or of one group: `recall`.
    Rate(Rate),
    /// (TP·TN - FP·FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) of all samples or one group: `matthews_correlation`.
    /// It is no fraction, so it is not compared or averaged.
    MatthewsCorrelation,
    /// Mean of a rate over the classes, each against the rest: `macro.recall`.
    Macro(Rate),
    /// Share of samples whose class is predicted, over all classes: `multiclass_accuracy`.
    MulticlassAccuracy,
    /// One rate compared over groups: `fairlearn.false_positive_rate_difference`.
    Compare(Convention, Rate),
    /// Two rates compared over groups at once: `aif360.average_odds_difference`.
    Joint(Joint),
}

/// How one rate is compared over groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Convention {
    /// AIF360: unprivileged minus reference, signed.
    SignedDifference,
    /// AIF360: unprivileged over reference; may exceed 1.
    SignedRatio,
    /// Fairlearn: largest minus smallest over the groups.
    Gap,
    /// Fairlearn: smallest over largest, at most 1.
    GapRatio,
    /// Fairlearn: the smallest.
    Smallest,
    /// Fairlearn: the largest.
    Largest,
}

impl Convention {
    const ALL: [Self; 6] =
        [Self::SignedDifference, Self::SignedRatio, Self::Gap, Self::GapRatio, Self::Smallest, Self::Largest];

    /// Prefix and suffix around a rate's id.
    fn affixes(self) -> (&'static str, &'static str) {
        match self {
            Self::SignedDifference => ("aif360.", "_difference"),
            Self::SignedRatio => ("aif360.", "_ratio"),
            Self::Gap => ("fairlearn.", "_difference"),
            Self::GapRatio => ("fairlearn.", "_ratio"),
            Self::Smallest => ("fairlearn.", "_group_min"),
            Self::Largest => ("fairlearn.", "_group_max"),
        }
    }

    fn needs_reference(self) -> bool {
        matches!(self, Self::SignedDifference | Self::SignedRatio)
    }
}

/// A comparison of two rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Joint {
    /// (dFPR + dTPR) / 2, signed.
    AverageOdds,
    /// (|dFPR| + |dTPR|) / 2.
    AverageAbsOdds,
    /// max(|dFPR|, |dTPR|) against the reference group.
    MaxAbsOdds,
    /// (dPPV + dFOR) / 2, signed.
    AveragePredictiveValue,
    /// max(FPR gap, TPR gap) over all groups.
    WorstOdds,
    /// (FPR gap + TPR gap) / 2 over all groups.
    MeanOdds,
    /// min(FPR ratio, TPR ratio) over all groups.
    WorstOddsRatio,
    /// (FPR ratio + TPR ratio) / 2 over all groups.
    MeanOddsRatio,
}

impl Joint {
    const ALL: [Self; 8] = [
        Self::AverageOdds,
        Self::AverageAbsOdds,
        Self::MaxAbsOdds,
        Self::AveragePredictiveValue,
        Self::WorstOdds,
        Self::MeanOdds,
        Self::WorstOddsRatio,
        Self::MeanOddsRatio,
    ];

    fn id(self) -> &'static str {
        match self {
            Self::AverageOdds => "aif360.average_odds_difference",
            Self::AverageAbsOdds => "aif360.average_abs_odds_difference",
            Self::MaxAbsOdds => "aif360.equalized_odds_difference",
            Self::AveragePredictiveValue => "aif360.average_predictive_value_difference",
            Self::WorstOdds => "fairlearn.equalized_odds_difference",
            Self::MeanOdds => "fairlearn.equalized_odds_difference.mean",
            Self::WorstOddsRatio => "fairlearn.equalized_odds_ratio",
            Self::MeanOddsRatio => "fairlearn.equalized_odds_ratio.mean",
        }
    }

    fn needs_reference(self) -> bool {
        matches!(
            self,
            Self::AverageOdds | Self::AverageAbsOdds | Self::MaxAbsOdds | Self::AveragePredictiveValue
        )
    }
}

/// Comparisons that the field calls by another name than their rate.
const NAMED: [(Convention, Rate, &str); 10] = [
    (Convention::SignedDifference, Rate::SelectionRate, "aif360.statistical_parity_difference"),
    (Convention::SignedRatio, Rate::SelectionRate, "aif360.disparate_impact"),
    (Convention::SignedDifference, Rate::Recall, "aif360.equal_opportunity_difference"),
    (Convention::SignedDifference, Rate::Precision, "aif360.predictive_parity_difference"),
    (Convention::Gap, Rate::SelectionRate, "fairlearn.demographic_parity_difference"),
    (Convention::GapRatio, Rate::SelectionRate, "fairlearn.demographic_parity_ratio"),
    (Convention::Gap, Rate::Recall, "fairlearn.equal_opportunity_difference"),
    (Convention::GapRatio, Rate::Recall, "fairlearn.equal_opportunity_ratio"),
    (Convention::Gap, Rate::Precision, "fairlearn.predictive_parity_difference"),
    (Convention::GapRatio, Rate::Precision, "fairlearn.predictive_parity_ratio"),
];

impl Metric {
    /// Every metric.
    pub fn all() -> Vec<Self> {
        let rates = Rate::ALL.into_iter().map(Self::Rate);
        let means = Rate::ALL.into_iter().filter(|rate| rate.has_macro()).map(Self::Macro);
        let compared = Convention::ALL
            .into_iter()
            .flat_map(|convention| Rate::ALL.into_iter().map(move |rate| Self::Compare(convention, rate)));
        let joint = Joint::ALL.into_iter().map(Self::Joint);
        let single = [Self::MatthewsCorrelation, Self::MulticlassAccuracy];
        rates.chain(means).chain(single).chain(compared).chain(joint).collect()
    }

    /// The comparisons that a certificate shows for each attribute, whatever the policy asks for.
    pub const PANEL: [Self; 16] = [
        Self::Compare(Convention::SignedDifference, Rate::SelectionRate),
        Self::Compare(Convention::SignedRatio, Rate::SelectionRate),
        Self::Compare(Convention::SignedDifference, Rate::Recall),
        Self::Compare(Convention::SignedDifference, Rate::Precision),
        Self::Joint(Joint::AverageOdds),
        Self::Joint(Joint::AverageAbsOdds),
        Self::Joint(Joint::MaxAbsOdds),
        Self::Compare(Convention::Gap, Rate::SelectionRate),
        Self::Compare(Convention::GapRatio, Rate::SelectionRate),
        Self::Compare(Convention::Gap, Rate::Recall),
        Self::Compare(Convention::Gap, Rate::FalsePositiveRate),
        Self::Compare(Convention::Gap, Rate::Precision),
        Self::Compare(Convention::Gap, Rate::Accuracy),
        Self::Joint(Joint::WorstOdds),
        Self::Joint(Joint::MeanOdds),
        Self::Joint(Joint::WorstOddsRatio),
    ];

    /// Whether it compares groups, and so needs at least one attribute.
    pub fn compares_groups(self) -> bool {
        matches!(self, Self::Compare(..) | Self::Joint(_))
    }

    /// Whether it compares with the reference group, so that one other group can be picked.
    pub fn needs_reference(self) -> bool {
        match self {
            Self::Compare(convention, _) => convention.needs_reference(),
            Self::Joint(joint) => joint.needs_reference(),
            Self::Rate(_) | Self::MatthewsCorrelation | Self::Macro(_) | Self::MulticlassAccuracy => false,
        }
    }

    /// Whether it is about one class against the rest.
    pub fn has_class(self) -> bool {
        !matches!(self, Self::Macro(_) | Self::MulticlassAccuracy)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Rate(rate) => f.write_str(rate.id()),
            Self::Macro(rate) => write!(f, "macro.{}", rate.id()),
            Self::MatthewsCorrelation => f.write_str("matthews_correlation"),
            Self::MulticlassAccuracy => f.write_str("multiclass_accuracy"),
            Self::Joint(joint) => f.write_str(joint.id()),
            Self::Compare(convention, rate) => {
                let named = NAMED.iter().find(|(c, r, _)| (*c, *r) == (convention, rate));
                match (named, convention.affixes()) {
                    (Some((_, _, id)), _) => f.write_str(id),
                    (None, (prefix, suffix)) => write!(f, "{prefix}{}{suffix}", rate.id()),
                }
            }
        }
    }
}

impl FromStr for Metric {
    type Err = AuditError;

    fn from_str(id: &str) -> Result<Self, AuditError> {
        // A certificate has hundreds of ids, so they are spelled out once.
        static BY_ID: LazyLock<BTreeMap<String, Metric>> =
            LazyLock::new(|| Metric::all().into_iter().map(|metric| (metric.to_string(), metric)).collect());
        BY_ID.get(id).copied().ok_or_else(|| AuditError::UnknownMetric(id.chars().take(80).collect()))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_distinct_and_round_trip() {
        let all = Metric::all();
        let ids: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(ids.len(), all.len());
        for metric in &all {
            assert_eq!(metric.to_string().parse::<Metric>().unwrap(), *metric);
        }
        assert!(Metric::PANEL.iter().all(|metric| all.contains(metric) && metric.compares_groups()));
    }

    #[test]
    fn one_metric_has_one_id() {
        let not_ids = [
            "",
            "Recall",
            "aif360.recall_difference",
            "fairlearn.selection_rate_ratio",
            "macro.selection_rate",
        ];
        for id in not_ids {
            assert_eq!(id.parse::<Metric>(), Err(AuditError::UnknownMetric(id.to_owned())));
        }
    }
}
