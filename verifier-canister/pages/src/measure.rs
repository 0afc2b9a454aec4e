//! The figures that models are ranked and followed by: some of those in every certificate.

use std::{fmt, str::FromStr};

use audit::{
    Certificate, Decimal, Fraction, Metric, Schema,
    certificate::{Measured, MetricRecord},
    metrics::{Convention, DECIMAL_DIGITS, Joint, Rate},
};
use serde::{Deserialize, Serialize};

use crate::path::NoPage;

/// A metric of all samples, or between the groups of a protected attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Measure {
    /// Index in `OVERALL`.
    Overall(u8),
    /// Index in `BETWEEN`, and the attribute's index in the dataset.
    Between(u8, u8),
}

/// How a metric is shown and ranked.
#[derive(Debug)]
pub struct Description {
    metric: Metric,
    /// Part of the path.
    slug: &'static str,
    /// For people.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub meaning: &'static str,
    /// Whether a larger value is better.
    pub larger_is_better: bool,
}

const OVERALL: [Description; 7] = [
    Description {
        metric: Metric::Rate(Rate::Accuracy),
        slug: "accuracy",
        name: "Accuracy",
        meaning: "Share of samples that are decided as the label says, favourable class against the rest.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::Rate(Rate::BalancedAccuracy),
        slug: "balanced-accuracy",
        name: "Balanced accuracy",
        meaning: "Mean of recall and specificity: as good as guessing is 0.5, however rare a class is.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::Rate(Rate::Precision),
        slug: "precision",
        name: "Precision",
        meaning: "Of those decided favourably, the share whose label is favourable.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::Rate(Rate::Recall),
        slug: "recall",
        name: "Recall",
        meaning: "Of those whose label is favourable, the share decided favourably.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::Rate(Rate::F1),
        slug: "f1",
        name: "F1",
        meaning: "Harmonic mean of precision and recall.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::MatthewsCorrelation,
        slug: "matthews-correlation",
        name: "Matthews correlation",
        meaning: "Correlation of decision and label: 1 is perfect, 0 is chance.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::MulticlassAccuracy,
        slug: "multiclass-accuracy",
        name: "Accuracy over all classes",
        meaning: "Share of samples whose class is predicted, with more than two classes.",
        larger_is_better: true,
    },
];

const BETWEEN: [Description; 7] = [
    Description {
        metric: Metric::Compare(Convention::Gap, Rate::SelectionRate),
        slug: "demographic-parity-difference",
        name: "Demographic parity difference",
        meaning: "Largest minus smallest share of favourable decisions over the groups; 0 is parity.",
        larger_is_better: false,
    },
    Description {
        metric: Metric::Compare(Convention::GapRatio, Rate::SelectionRate),
        slug: "demographic-parity-ratio",
        name: "Demographic parity ratio",
        meaning: "Smallest over largest share of favourable decisions; the four-fifths rule asks for 0.8.",
        larger_is_better: true,
    },
    Description {
        metric: Metric::Compare(Convention::Gap, Rate::Recall),
        slug: "equal-opportunity-difference",
        name: "Equal opportunity difference",
        meaning: "Largest minus smallest recall over the groups; 0 is equal.",
        larger_is_better: false,
    },
    Description {
        metric: Metric::Joint(Joint::WorstOdds),
        slug: "equalized-odds-difference",
        name: "Equalized odds difference",
        meaning: "The larger of the gaps in recall and in false positive rate over the groups; 0 is equal.",
        larger_is_better: false,
    },
    Description {
        metric: Metric::Compare(Convention::Gap, Rate::FalsePositiveRate),
        slug: "false-positive-rate-difference",
        name: "False positive rate difference",
        meaning: "Largest minus smallest false positive rate over the groups; 0 is equal.",
        larger_is_better: false,
    },
    Description {
        metric: Metric::Compare(Convention::Gap, Rate::Precision),
        slug: "predictive-parity-difference",
        name: "Predictive parity difference",
        meaning: "Largest minus smallest precision over the groups; 0 is equal.",
        larger_is_better: false,
    },
    Description {
        metric: Metric::Compare(Convention::Gap, Rate::Accuracy),
        slug: "accuracy-difference",
        name: "Accuracy difference",
        meaning: "Largest minus smallest accuracy over the groups; 0 is equal.",
        larger_is_better: false,
    },
];

impl Measure {
    /// What is shown first.
    pub const ACCURACY: Self = Self::Overall(0);

    /// The same where every class counts.
    pub const MULTICLASS_ACCURACY: Self = Self::Overall(6);

    /// Every measure of a dataset.
    pub fn of(schema: &Schema) -> Vec<Self> {
        let all = Self::all(u8::try_from(schema.attributes.len()).unwrap_or(u8::MAX));
        let fits =
            |one: &Self| one.description().metric != Metric::MulticlassAccuracy || schema.classes.len() > 2;
        all.into_iter().filter(fits).collect()
    }

    /// Every measure of datasets with up to this many protected attributes.
    pub(crate) fn all(attributes: u8) -> Vec<Self> {
        let overall = (0..OVERALL.len() as u8).map(Self::Overall);
        let between = |attribute| (0..BETWEEN.len() as u8).map(move |index| Self::Between(index, attribute));
        overall.chain((0..attributes).flat_map(between)).collect()
    }

    /// Equalized odds over an attribute's groups.
    pub fn equalized_odds(attribute: u8) -> Self {
        Self::Between(3, attribute)
    }

    /// How it is shown.
    pub fn description(self) -> &'static Description {
        let found = match self {
            Self::Overall(index) => OVERALL.get(usize::from(index)),
            Self::Between(index, _) => BETWEEN.get(usize::from(index)),
        };
        // Only made from indices that exist.
        found.unwrap_or(&OVERALL[0])
    }

    /// The protected attribute's index, for a comparison of groups.
    pub fn attribute(self) -> Option<u8> {
        match self {
            Self::Overall(_) => None,
            Self::Between(_, attribute) => Some(attribute),
        }
    }

    /// Its place in a ranking, the best first: by the end of the interval that speaks against the model, so that a small
    /// sample does not win by luck; then those with a small group; then those without a value.
    pub fn rank(self, score: &Score) -> (u8, i64) {
        let larger_is_better = self.description().larger_is_better;
        let end = score.interval.map(|(lower, upper)| if larger_is_better { lower } else { upper });
        match end.or(score.value).filter(|_| score.value.is_some()) {
            Some(value) => (u8::from(score.small), if larger_is_better { -value } else { value }),
            None => (2, 0),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slug = self.description().slug;
        match self {
            Self::Overall(_) => f.write_str(slug),
            // People count from 1.
            Self::Between(_, attribute) => write!(f, "{slug}-{}", u16::from(*attribute) + 1),
        }
    }
}

impl FromStr for Measure {
    type Err = NoPage;

    fn from_str(text: &str) -> Result<Self, NoPage> {
        Self::all(audit::schema::MAX_ATTRIBUTES).into_iter().find(|one| one.to_string() == text).ok_or(NoPage)
    }
}

/// Groups with fewer samples are marked in rankings, whatever a policy says.
pub const SMALL_GROUP: u64 = 30;

/// A measure's value in one certificate, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// What is measured.
    pub measure: Measure,
    /// Its value; none where it is undefined.
    pub value: Option<i64>,
    /// The 95 % interval, where there is one.
    pub interval: Option<(i64, i64)>,
    /// Whether a group has fewer than [`SMALL_GROUP`] samples.
    pub small: bool,
}

/// All scores of a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores(pub Vec<Score>);

impl Scores {
    /// What a certificate says of every measure.
    pub fn of(certificate: &Certificate) -> Self {
        let predicate = &certificate.predicate;
        let whole = predicate.groups.iter().find(|group| group.attributes.is_empty());
        let attribute = |index: u8| predicate.attributes.get(usize::from(index)).map(|one| &one.name);
        let score = |measure: Measure| {
            let (metrics, small) = match measure.attribute() {
                None => (&whole?.metrics, whole?.size < SMALL_GROUP),
                Some(index) => {
                    let name = attribute(index)?;
                    let about = |attributes: &[String]| attributes == std::slice::from_ref(name);
                    let comparison = predicate.comparisons.iter().find(|one| about(&one.attributes))?;
                    let mut groups = predicate.groups.iter().filter(|group| about(&group.attributes));
                    (&comparison.metrics, groups.any(|group| group.size < SMALL_GROUP))
                }
            };
            let value = find(metrics, measure.description().metric)?;
            Some(Score { measure, value: micros(value), interval: value.interval.map(limits), small })
        };
        let attributes = u8::try_from(predicate.attributes.len()).unwrap_or(u8::MAX);
        Self(Measure::all(attributes).into_iter().filter_map(score).collect())
    }

    /// The score of one measure.
    pub fn get(&self, measure: Measure) -> Option<&Score> {
        self.0.iter().find(|score| score.measure == measure)
    }
}

/// A metric among others.
pub(crate) fn find(metrics: &[MetricRecord], metric: Metric) -> Option<&Measured> {
    metrics.iter().find(|record| record.metric == metric).map(|record| &record.value)
}

/// A value in millionths, as its six digits say it.
pub(crate) fn micros(value: &Measured) -> Option<i64> {
    value.decimal.as_ref()?.parse::<Decimal>().ok().map(scaled)
}

/// A fraction in millionths, rounded as its six digits are.
pub(crate) fn millionths(fraction: &Fraction) -> Option<i64> {
    fraction.to_decimal(DECIMAL_DIGITS).parse::<Decimal>().ok().map(scaled)
}

pub(crate) fn limits(interval: audit::interval::Interval) -> (i64, i64) {
    (scaled(interval.lower), scaled(interval.upper))
}

fn scaled(decimal: Decimal) -> i64 {
    decimal.0 / 1000
}
