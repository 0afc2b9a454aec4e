use std::borrow::Cow;

/// One output of some rows.
#[derive(Debug, Clone)]
pub enum Output<'a> {
    /// Single precision numbers.
    Scores(Cow<'a, [f32]>),
    /// Integers.
    Integers(Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
    /// What is neither a label nor a score, as a map, or cannot be computed.
    Other,
}

impl Output<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Scores(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Other => 0,
        }
    }
}
