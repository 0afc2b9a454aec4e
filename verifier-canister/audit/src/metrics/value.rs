use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use crate::Fraction;

/// Digits after the point wherever a decimal is shown.
pub const DECIMAL_DIGITS: u32 = 6;

/// What a metric comes to: always exact, or undefined with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An exact fraction.
    Exact(Fraction),
    /// `sign(f) · sqrt(|f|)` of an exact fraction `f`; only Matthews correlation needs it.
    SignedRoot(Fraction),
    /// A denominator is zero, so there is no value; never 0, never 1.
    Undefined(Undefined),
}

impl Value {
    /// Decimal text for people: [`DECIMAL_DIGITS`] digits, rounded to nearest (roots are cut off).
    pub fn to_decimal(&self) -> Option<String> {
        match self {
            Self::Exact(value) => Some(value.to_decimal(DECIMAL_DIGITS)),
            Self::SignedRoot(square) => Some(square.root_to_decimal(DECIMAL_DIGITS)),
            Self::Undefined(_) => None,
        }
    }

    /// How the value lies to `threshold`, exactly; `None` when it is undefined.
    pub fn compare(&self, threshold: &Fraction) -> Option<Ordering> {
        match self {
            Self::Exact(value) => Some(value.cmp(threshold)),
            Self::SignedRoot(square) => {
                // x -> sign(x)·x² keeps the order.
                let threshold_square = &threshold.abs() * threshold;
                Some(square.cmp(&threshold_square))
            }
            Self::Undefined(_) => None,
        }
    }

    /// The absolute value; undefined stays undefined.
    pub fn abs(&self) -> Self {
        match self {
            Self::Exact(value) => Self::Exact(value.abs()),
            Self::SignedRoot(square) => Self::SignedRoot(square.abs()),
            Self::Undefined(undefined) => Self::Undefined(undefined.clone()),
        }
    }
}

/// Why a metric has no value, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undefined {
    /// What is missing.
    pub reason: Reason,
    /// The group in which it is missing, e.g. `sex=female, age=26 and older`; absent where it is not about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The class for which it is missing, in a mean over classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// What a metric would divide by, and is zero or missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No sample in the group.
    EmptyGroup,
    /// No sample of the class.
    NoPositives,
    /// No sample of another class.
    NoNegatives,
    /// No sample predicted as the class.
    NothingSelected,
    /// Every sample predicted as the class.
    NothingRejected,
    /// No sample of the class, and none predicted as it.
    NothingToFind,
    /// An attribute names no reference group.
    NoReferenceGroup,
    /// The reference group's rate is zero, and a ratio would divide by it.
    ReferenceRateZero,
    /// The largest rate of any group is zero, and a ratio would divide by it.
    LargestRateZero,
}

impl Reason {
    /// What is missing, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::EmptyGroup => "no sample",
            Self::NoPositives => "no sample of the class",
            Self::NoNegatives => "no sample of another class",
            Self::NothingSelected => "no sample predicted as the class",
            Self::NothingRejected => "every sample predicted as the class",
            Self::NothingToFind => "no sample of the class and none predicted as it",
            Self::NoReferenceGroup => "the dataset names no reference group",
            Self::ReferenceRateZero => "the reference group's rate is zero",
            Self::LargestRateZero => "every group's rate is zero",
        }
    }
}

impl From<Reason> for Undefined {
    fn from(reason: Reason) -> Self {
        Self { reason, group: None, class: None }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.text())?;
        if let Some(group) = &self.group {
            write!(f, " ({group})")?;
        }
        if let Some(class) = &self.class {
            write!(f, " (class {class})")?;
        }
        Ok(())
    }
}
