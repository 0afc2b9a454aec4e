//! Every metric, from integer counts to exact fractions.
//!
//! A [`Split`] holds the counts of every group of some attributes (or of all samples, split by none); a
//! [`Metric`] makes an [`Estimate`] of it. Where a denominator is zero the estimate is undefined and says why
//! and in which group; it is never 0 or 1, and no group is left out silently. `docs/metrics.md` lists formula,
//! convention and undefined rule of every id.

mod compare;
mod groups;
mod metric;
mod rate;
mod value;

pub use groups::{Frame, Split};
pub use metric::{Convention, Joint, Metric};
pub use rate::Rate;
pub use value::{DECIMAL_DIGITS, Reason, Undefined, Value};

use crate::{
    Fraction,
    interval::{self, Interval, Term},
};

/// An exact fraction and, where it is a sum of independent proportions, its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) value: Fraction,
    terms: Vec<Term>,
    extremes: bool,
}

impl Exact {
    /// A value that is no sum of independent proportions, so has no interval.
    fn value(value: Fraction) -> Self {
        Self { value, terms: Vec::new(), extremes: false }
    }

    /// Σ weight · proportion over disjoint samples.
    fn sum(terms: Vec<Term>) -> Self {
        Self { value: interval::sum(&terms), terms, extremes: false }
    }

    /// The same, with the note that its groups were chosen for their rates.
    fn of_extremes(self) -> Self {
        Self { extremes: true, ..self }
    }

    /// `self - other`; they are of disjoint samples.
    fn minus(&self, other: &Self) -> Self {
        let negative = other.terms.iter().map(|term| term.times(-1, 1));
        let terms = self.terms.iter().copied().chain(negative).collect();
        Self { value: &self.value - &other.value, terms, extremes: false }
    }

    /// The mean of two values that have terms, over disjoint samples.
    fn mean(&self, other: &Self) -> Self {
        Self::sum(self.terms.iter().chain(&other.terms).map(|term| term.times(1, 2)).collect())
    }
}

/// A metric's value with what its interval needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The exact value, or why there is none.
    pub value: Value,
    terms: Vec<Term>,
    extremes: bool,
}

impl Estimate {
    fn new(exact: Result<Exact, Undefined>) -> Self {
        match exact {
            Ok(Exact { value, terms, extremes }) => Self { value: Value::Exact(value), terms, extremes },
            Err(undefined) => Self::plain(Value::Undefined(undefined)),
        }
    }

    fn plain(value: Value) -> Self {
        Self { value, terms: Vec::new(), extremes: false }
    }

    /// The 95 % interval, where the value is one proportion or a sum of independent ones.
    pub fn interval(&self) -> Option<Interval> {
        interval::interval(&self.terms, self.extremes)
    }

    /// Numerator and denominator as counted, where the value is one proportion.
    pub fn counted(&self) -> Option<(u64, u64)> {
        match self.terms.as_slice() {
            [term] => Some((term.successes, term.trials)),
            _ => None,
        }
    }
}

impl Metric {
    /// The metric of one group of `split`, or over all of its groups.
    ///
    /// `class` is the class that counts as positive. A rate is of `group`, or of the first where none is named;
    /// a signed comparison takes `group` as the unprivileged one, or all groups but the reference together; an
    /// unsigned comparison is over all groups.
    pub fn estimate(self, split: &Split<'_>, class: u8, group: Option<usize>) -> Estimate {
        let of = group.unwrap_or(0);
        let named = |undefined| Undefined { group: Some(split.name(of)), ..undefined };
        match self {
            Self::Rate(rate) => {
                Estimate::new(rate.of(&split.confusion(of, class)).map_err(|reason| named(reason.into())))
            }
            Self::MatthewsCorrelation => {
                let square = rate::matthews_square(&split.confusion(of, class));
                let undefined = |reason: Reason| Value::Undefined(named(reason.into()));
                Estimate::plain(square.map_or_else(undefined, Value::SignedRoot))
            }
            Self::Macro(rate) => Estimate::new(macro_mean(rate, split, of).map_err(named)),
            Self::MulticlassAccuracy => {
                Estimate::new(multiclass_accuracy(split, of).map_err(|reason| named(reason.into())))
            }
            Self::Compare(convention, rate) => {
                Estimate::new(compare::compare(convention, rate, split, class, group))
            }
            Self::Joint(joint) => Estimate::new(compare::joint(joint, split, class, group)),
        }
    }

    /// The groups that [`Metric::estimate`] looks at with these arguments, by name, with their sizes.
    pub fn parties(self, split: &Split<'_>, group: Option<usize>) -> Vec<(String, u64)> {
        let named = |index: usize| (split.name(index), split.size(index));
        if !self.compares_groups() {
            return vec![named(group.unwrap_or(0))];
        }
        match (self.needs_reference(), split.reference(), group) {
            (true, Some(reference), Some(group)) => vec![named(group), named(reference)],
            (true, Some(reference), None) => {
                let others = (0..split.len()).filter(|&other| other != reference);
                let size = others.map(|other| split.size(other)).sum();
                vec![(compare::others_name(split, reference), size), named(reference)]
            }
            _ => (0..split.len()).map(named).collect(),
        }
    }
}

/// Mean over classes, each against the rest; undefined as soon as one class is.
fn macro_mean(rate: Rate, split: &Split<'_>, group: usize) -> Result<Exact, Undefined> {
    let classes = &split.frame().classes;
    let mut sum = Fraction::whole(0);
    let mut terms = Vec::new();
    for (class, name) in classes.iter().enumerate() {
        let exact = rate.of(&split.confusion(group, class as u8)).map_err(|reason| Undefined {
            class: (reason != Reason::EmptyGroup).then(|| name.clone()),
            ..reason.into()
        })?;
        sum = &sum + &exact.value;
        terms.extend(exact.terms.iter().map(|term| term.times(1, classes.len() as i64)));
    }
    // True labels (recall) or predictions (precision) part the samples between the classes; other rates count a
    // sample for several classes, so their proportions are not independent.
    if matches!(rate, Rate::Recall | Rate::FalseNegativeRate | Rate::Precision | Rate::FalseDiscoveryRate) {
        return Ok(Exact::sum(terms));
    }
    let share = Fraction::new(1, classes.len() as u64).ok_or(Reason::EmptyGroup)?;
    Ok(Exact::value(&share * &sum))
}

fn multiclass_accuracy(split: &Split<'_>, group: usize) -> Result<Exact, Reason> {
    let matrix = split.matrix(group);
    let correct = matrix.iter().step_by(split.frame().classes.len() + 1).sum();
    let term = Term::new(correct, matrix.iter().sum()).ok_or(Reason::EmptyGroup)?;
    Ok(Exact::sum(vec![term]))
}
