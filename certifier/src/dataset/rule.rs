//! What one raw value means: its group, or its integers.

use audit::Decimal;

use super::CellProblem;

/// Which group of one attribute a raw value is in.
#[derive(Debug)]
pub(super) struct Groups {
    pub attribute: String,
    pub column: String,
    pub names: Vec<String>,
    pub rules: Vec<GroupRule>,
}

/// When a value belongs to a group.
#[derive(Debug)]
pub(super) enum GroupRule {
    /// It is one of these.
    Values(Vec<String>),
    /// It is a number with `from <= value < below`.
    Range { from: Option<Decimal>, below: Option<Decimal> },
    /// No other group of the attribute has it.
    Other,
}

/// One entry of the model's input, or several for a one-hot feature.
#[derive(Debug)]
pub(super) struct Feature {
    pub column: String,
    pub encoding: Encoding,
}

/// How a raw value becomes integers.
#[derive(Debug)]
pub(super) enum Encoding {
    /// `round((value - offset) * scale)`, after limiting the value to `clamp`.
    Numeric { name: String, offset: Decimal, scale: Decimal, clamp: Option<(Decimal, Decimal)> },
    /// `entry` at the place of the value, 0 elsewhere; all 0 for `missing`, and for any other value if `other`.
    OneHot { values: Vec<String>, entry: i16, other: bool, missing: Option<String> },
}

/// Most names that an error lists.
const MAX_LISTED: usize = 40;

impl Groups {
    /// Index of the one group that `value` is in.
    pub fn index(&self, value: &str) -> Result<u8, CellProblem> {
        // A value that is no number is in no range; only when it is in no other group is that the error to show.
        let number = value.parse::<Decimal>();
        let claims = |rule: &GroupRule| match (rule, &number) {
            (GroupRule::Values(values), _) => values.iter().any(|listed| listed == value),
            (GroupRule::Range { from, below }, Ok(number)) => {
                from.is_none_or(|from| from <= *number) && below.is_none_or(|below| *number < below)
            }
            _ => false,
        };
        let hits: Vec<usize> = (0..self.rules.len()).filter(|&index| claims(&self.rules[index])).collect();
        let index = match hits[..] {
            [index] => Some(index),
            [] => self.rules.iter().position(|rule| matches!(rule, GroupRule::Other)),
            _ => None,
        };
        if let Some(index) = index.and_then(|index| u8::try_from(index).ok()) {
            return Ok(index);
        }
        let has_range = self.rules.iter().any(|rule| matches!(rule, GroupRule::Range { .. }));
        if hits.is_empty() && has_range && number.is_err() {
            return Err(CellProblem::NotDecimal(value.into()));
        }
        let groups = hits.iter().map(|&index| self.names[index].clone()).collect();
        Err(CellProblem::Groups {
            value: value.into(),
            attribute: self.attribute.clone(),
            count: hits.len(),
            groups,
        })
    }
}

impl GroupRule {
    /// The values that the rule lists.
    pub fn values(&self) -> &[String] {
        match self {
            Self::Values(values) => values,
            _ => &[],
        }
    }
}

impl Feature {
    /// Appends the integers of one raw value.
    pub fn encode(&self, value: &str, out: &mut Vec<i16>) -> Result<(), CellProblem> {
        match &self.encoding {
            Encoding::Numeric { offset, scale, clamp, .. } => {
                let number: Decimal = value.parse().map_err(|_| CellProblem::NotDecimal(value.into()))?;
                let number = clamp.map_or(number, |(min, max)| number.clamp(min, max));
                let encoded = number.encode(*offset, *scale);
                let fits = i16::try_from(encoded).ok().filter(|encoded| *encoded != i16::MIN);
                out.push(fits.ok_or_else(|| CellProblem::OutOfRange {
                    value: number.to_string(),
                    encoded,
                    offset: offset.to_string(),
                    scale: scale.to_string(),
                })?);
            }
            Encoding::OneHot { values, entry, other, missing } => {
                let hit = values.iter().position(|listed| listed == value);
                if hit.is_none() && !other && missing.as_deref() != Some(value) {
                    let listed = values.iter().take(MAX_LISTED).cloned().collect();
                    return Err(CellProblem::NotListed { value: value.into(), listed });
                }
                out.extend((0..values.len()).map(|index| if Some(index) == hit { *entry } else { 0 }));
            }
        }
        Ok(())
    }
}
