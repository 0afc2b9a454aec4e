//! Comparisons between groups, in the two conventions that tools use.

use super::{Convention, Exact, Joint, Rate, Reason, Split, Undefined};
use crate::{Confusion, Fraction};

type Compared = Result<Exact, Undefined>;

/// One rate over the groups of `split`; signed ones of `group`, or of all others, against the reference.
pub(super) fn compare(
    convention: Convention,
    rate: Rate,
    split: &Split<'_>,
    class: u8,
    group: Option<usize>,
) -> Compared {
    let sides = || Sides::new(split, class, group);
    let extremes = || Extremes::new(rate, split, class);
    match convention {
        Convention::SignedDifference => sides()?.difference(rate),
        Convention::SignedRatio => sides()?.ratio(rate),
        Convention::Gap => extremes().map(|extremes| extremes.gap()),
        Convention::GapRatio => extremes()?.ratio().map(Exact::value),
        Convention::Smallest => extremes().map(|extremes| extremes.smallest.of_extremes()),
        Convention::Largest => extremes().map(|extremes| extremes.largest.of_extremes()),
    }
}

/// Two rates over the groups of `split`.
pub(super) fn joint(joint: Joint, split: &Split<'_>, class: u8, group: Option<usize>) -> Compared {
    let differences = |first, second| {
        let sides = Sides::new(split, class, group)?;
        Ok((sides.difference(first)?, sides.difference(second)?))
    };
    let odds = || differences(Rate::FalsePositiveRate, Rate::Recall);
    let absolute_odds = || odds().map(|(fpr, tpr)| (fpr.value.abs(), tpr.value.abs()));
    let extremes = || {
        let fpr = Extremes::new(Rate::FalsePositiveRate, split, class)?;
        Ok::<_, Undefined>((fpr, Extremes::new(Rate::Recall, split, class)?))
    };
    let ratios = || {
        let (fpr, tpr) = extremes()?;
        Ok((fpr.ratio()?, tpr.ratio()?))
    };
    match joint {
        Joint::AverageOdds => odds().map(|(fpr, tpr)| fpr.mean(&tpr)),
        Joint::AverageAbsOdds => absolute_odds().map(|(fpr, tpr)| mean_value(&fpr, &tpr)),
        Joint::MaxAbsOdds => absolute_odds().map(|(fpr, tpr)| Exact::value(fpr.max(tpr))),
        Joint::AveragePredictiveValue => {
            differences(Rate::Precision, Rate::FalseOmissionRate).map(|(ppv, omission)| ppv.mean(&omission))
        }
        Joint::WorstOdds => extremes().map(|(fpr, tpr)| Exact::value(fpr.gap().value.max(tpr.gap().value))),
        Joint::MeanOdds => extremes().map(|(fpr, tpr)| fpr.gap().mean(&tpr.gap()).of_extremes()),
        Joint::WorstOddsRatio => ratios().map(|(fpr, tpr)| Exact::value(fpr.min(tpr))),
        Joint::MeanOddsRatio => ratios().map(|(fpr, tpr)| mean_value(&fpr, &tpr)),
    }
}

fn mean_value(left: &Fraction, right: &Fraction) -> Exact {
    let sum = left + right;
    Exact::value(Fraction::new(sum.numerator().clone(), sum.denominator() * 2).unwrap_or(sum))
}

/// All groups but the reference, in words.
pub(super) fn others_name(split: &Split<'_>, reference: usize) -> String {
    format!("all but {}", split.name(reference))
}

/// AIF360: an unprivileged side against the reference group.
struct Sides {
    unprivileged: Side,
    reference: Side,
}

struct Side {
    name: String,
    counts: Confusion,
}

impl Side {
    fn rate(&self, rate: Rate) -> Compared {
        rate.of(&self.counts).map_err(|reason| self.undefined(reason))
    }

    fn undefined(&self, reason: Reason) -> Undefined {
        Undefined { group: Some(self.name.clone()), ..reason.into() }
    }
}

impl Sides {
    fn new(split: &Split<'_>, class: u8, group: Option<usize>) -> Result<Self, Undefined> {
        let Some(reference) = split.reference() else {
            let missing = split.attributes().find(|attribute| attribute.reference.is_none());
            let group = missing.map(|attribute| attribute.name.clone());
            return Err(Undefined { group, ..Reason::NoReferenceGroup.into() });
        };
        let side = |group| Side { name: split.name(group), counts: split.confusion(group, class) };
        let others = || Side {
            name: others_name(split, reference),
            counts: split.confusion_without(reference, class),
        };
        Ok(Self { unprivileged: group.map_or_else(others, side), reference: side(reference) })
    }

    fn difference(&self, rate: Rate) -> Compared {
        Ok(self.unprivileged.rate(rate)?.minus(&self.reference.rate(rate)?))
    }

    fn ratio(&self, rate: Rate) -> Compared {
        let (unprivileged, reference) = (self.unprivileged.rate(rate)?, self.reference.rate(rate)?);
        let ratio = unprivileged.value.checked_div(&reference.value);
        ratio.map(Exact::value).ok_or_else(|| self.reference.undefined(Reason::ReferenceRateZero))
    }
}

/// Fairlearn: the groups with the smallest and the largest rate.
struct Extremes {
    smallest: Exact,
    largest: Exact,
}

impl Extremes {
    /// Undefined as soon as one group's rate is: the extreme could be there.
    fn new(rate: Rate, split: &Split<'_>, class: u8) -> Result<Self, Undefined> {
        let rate_of = |group| {
            let undefined = |reason: Reason| Undefined { group: Some(split.name(group)), ..reason.into() };
            rate.of(&split.confusion(group, class)).map_err(undefined)
        };
        let first = rate_of(0)?;
        let mut extremes = Self { smallest: first.clone(), largest: first };
        for group in 1..split.len() {
            let exact = rate_of(group)?;
            // Equal rates: the first is the largest and the last the smallest, so that two groups are compared.
            if exact.value > extremes.largest.value {
                extremes.largest = exact.clone();
            }
            if exact.value <= extremes.smallest.value {
                extremes.smallest = exact;
            }
        }
        Ok(extremes)
    }

    fn gap(&self) -> Exact {
        self.largest.minus(&self.smallest).of_extremes()
    }

    fn ratio(&self) -> Result<Fraction, Undefined> {
        let ratio = self.smallest.value.checked_div(&self.largest.value);
        ratio.ok_or_else(|| Reason::LargestRateZero.into())
    }
}
