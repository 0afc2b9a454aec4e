use num_bigint::BigInt;

use super::{Exact, Reason};
use crate::{Confusion, Fraction, interval::Term};

/// A figure of one set of samples, one class (the "positive" one) against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rate {
    /// (TP + FP) / n: share predicted as the class.
    SelectionRate,
    /// (TP + FN) / n: share that is of the class.
    BaseRate,
    /// (TP + TN) / n.
    Accuracy,
    /// (FP + FN) / n.
    ErrorRate,
    /// TP / (TP + FP), positive predictive value.
    Precision,
    /// TP / (TP + FN), true positive rate.
    Recall,
    /// TN / (TN + FP), true negative rate.
    Specificity,
    /// FP / (TN + FP).
    FalsePositiveRate,
    /// FN / (TP + FN).
    FalseNegativeRate,
    /// FP / (TP + FP).
    FalseDiscoveryRate,
    /// FN / (TN + FN).
    FalseOmissionRate,
    /// TN / (TN + FN).
    NegativePredictiveValue,
    /// 2 TP / (2 TP + FP + FN).
    F1,
    /// (recall + specificity) / 2.
    BalancedAccuracy,
}

impl Rate {
    /// Every rate, in the order of a certificate's tables.
    pub const ALL: [Self; 14] = [
        Self::SelectionRate,
        Self::BaseRate,
        Self::Accuracy,
        Self::ErrorRate,
        Self::Precision,
        Self::Recall,
        Self::Specificity,
        Self::FalsePositiveRate,
        Self::FalseNegativeRate,
        Self::FalseDiscoveryRate,
        Self::FalseOmissionRate,
        Self::NegativePredictiveValue,
        Self::F1,
        Self::BalancedAccuracy,
    ];

    /// The id's text.
    pub fn id(self) -> &'static str {
        match self {
            Self::SelectionRate => "selection_rate",
            Self::BaseRate => "base_rate",
            Self::Accuracy => "accuracy",
            Self::ErrorRate => "error_rate",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Specificity => "specificity",
            Self::FalsePositiveRate => "false_positive_rate",
            Self::FalseNegativeRate => "false_negative_rate",
            Self::FalseDiscoveryRate => "false_discovery_rate",
            Self::FalseOmissionRate => "false_omission_rate",
            Self::NegativePredictiveValue => "negative_predictive_value",
            Self::F1 => "f1",
            Self::BalancedAccuracy => "balanced_accuracy",
        }
    }

    /// Whether a mean over classes is a metric of its own: not for shares that add up to 1 over the classes.
    pub fn has_macro(self) -> bool {
        !matches!(self, Self::SelectionRate | Self::BaseRate)
    }

    /// The rate of one table of outcomes, or why it has none.
    pub(crate) fn of(self, of: &Confusion) -> Result<Exact, Reason> {
        if of.total() == 0 {
            return Err(Reason::EmptyGroup);
        }
        match self {
            Self::BalancedAccuracy => {
                let recall = Self::Recall.proportion(of)?.times(1, 2);
                Ok(Exact::sum(vec![recall, Self::Specificity.proportion(of)?.times(1, 2)]))
            }
            // A fraction, but numerator and denominator are not successes and trials.
            Self::F1 => Ok(Exact::value(self.proportion(of)?.share())),
            _ => Ok(Exact::sum(vec![self.proportion(of)?])),
        }
    }

    /// Numerator over denominator of a rate that is one fraction.
    fn proportion(self, of: &Confusion) -> Result<Term, Reason> {
        let (numerator, denominator, reason) = match self {
            Self::SelectionRate => (of.selected(), of.total(), Reason::EmptyGroup),
            Self::BaseRate => (of.positives(), of.total(), Reason::EmptyGroup),
            Self::Accuracy => (of.tp + of.tn, of.total(), Reason::EmptyGroup),
            Self::ErrorRate => (of.fp + of.fn_, of.total(), Reason::EmptyGroup),
            Self::Precision => (of.tp, of.selected(), Reason::NothingSelected),
            Self::FalseDiscoveryRate => (of.fp, of.selected(), Reason::NothingSelected),
            Self::Recall => (of.tp, of.positives(), Reason::NoPositives),
            Self::FalseNegativeRate => (of.fn_, of.positives(), Reason::NoPositives),
            Self::Specificity => (of.tn, of.negatives(), Reason::NoNegatives),
            Self::FalsePositiveRate => (of.fp, of.negatives(), Reason::NoNegatives),
            Self::FalseOmissionRate => (of.fn_, of.rejected(), Reason::NothingRejected),
            Self::NegativePredictiveValue => (of.tn, of.rejected(), Reason::NothingRejected),
            Self::F1 => (2 * of.tp, 2 * of.tp + of.fp + of.fn_, Reason::NothingToFind),
            // A mean of two, which `of` has made before it comes here.
            Self::BalancedAccuracy => (0, 0, Reason::EmptyGroup),
        };
        Term::new(numerator, denominator).ok_or(reason)
    }
}

/// `sign(c)·c² / ((TP+FP)(TP+FN)(TN+FP)(TN+FN))` with `c = TP·TN - FP·FN`: Matthews correlation, squared with
/// its sign kept.
pub(crate) fn matthews_square(of: &Confusion) -> Result<Fraction, Reason> {
    let factors = [
        (of.total(), Reason::EmptyGroup),
        (of.positives(), Reason::NoPositives),
        (of.negatives(), Reason::NoNegatives),
        (of.selected(), Reason::NothingSelected),
        (of.rejected(), Reason::NothingRejected),
    ];
    let missing = factors.iter().find(|(factor, _)| *factor == 0);
    if let Some((_, reason)) = missing {
        return Err(*reason);
    }
    let denominator = factors[1..].iter().fold(BigInt::from(1), |product, (factor, _)| product * factor);
    let covariance = BigInt::from(of.tp) * of.tn - BigInt::from(of.fp) * of.fn_;
    let square = &covariance * BigInt::from(covariance.magnitude().clone());
    Fraction::new(square, denominator).ok_or(Reason::EmptyGroup)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: fn(u64, u64, u64, u64) -> Confusion = |tp, fp, tn, fn_| Confusion { tp, fp, tn, fn_ };

    fn show(rate: Rate, of: Confusion) -> String {
        rate.of(&of).map_or_else(|reason| format!("{reason:?}"), |exact| exact.value.to_string())
    }

    #[test]
    fn every_rate_of_one_table_by_hand() {
        // TP 5, FP 2, TN 7, FN 1: 15 samples.
        let expected = [
            "7/15", "2/5", "4/5", "1/5", "5/7", "5/6", "7/9", "2/9", "1/6", "2/7", "1/8", "7/8", "10/13",
            "29/36",
        ];
        for (rate, expected) in Rate::ALL.into_iter().zip(expected) {
            assert_eq!(show(rate, OF(5, 2, 7, 1)), expected, "{}", rate.id());
        }
        // (5·7 - 2·1)² / (6·9·7·8)
        assert_eq!(matthews_square(&OF(5, 2, 7, 1)).unwrap().to_string(), "121/336");
        assert_eq!(matthews_square(&OF(2, 7, 1, 5)).unwrap().to_string(), "-121/336");
    }

    #[test]
    fn a_zero_denominator_is_undefined_with_its_reason() {
        for rate in Rate::ALL {
            assert_eq!(show(rate, OF(0, 0, 0, 0)), "EmptyGroup");
        }
        assert_eq!(show(Rate::Recall, OF(0, 3, 4, 0)), "NoPositives");
        assert_eq!(show(Rate::FalseNegativeRate, OF(0, 3, 4, 0)), "NoPositives");
        assert_eq!(show(Rate::FalsePositiveRate, OF(3, 0, 0, 1)), "NoNegatives");
        assert_eq!(show(Rate::Precision, OF(0, 0, 4, 2)), "NothingSelected");
        assert_eq!(show(Rate::FalseOmissionRate, OF(3, 1, 0, 0)), "NothingRejected");
        assert_eq!(show(Rate::F1, OF(0, 0, 7, 0)), "NothingToFind");
        assert_eq!(show(Rate::F1, OF(0, 0, 7, 1)), "0");
        assert_eq!(show(Rate::BalancedAccuracy, OF(0, 3, 4, 0)), "NoPositives");
        assert_eq!(show(Rate::BalancedAccuracy, OF(3, 0, 0, 4)), "NoNegatives");
        let matthews = [
            (OF(0, 0, 0, 0), Reason::EmptyGroup),
            (OF(0, 2, 2, 0), Reason::NoPositives),
            (OF(2, 0, 0, 2), Reason::NoNegatives),
            (OF(0, 0, 2, 2), Reason::NothingSelected),
            (OF(3, 2, 0, 0), Reason::NothingRejected),
        ];
        for (of, reason) in matthews {
            assert_eq!(matthews_square(&of), Err(reason));
        }
    }
}
