//! Integer counts of label against prediction in every finest group cell: all that metrics are computed from.

use std::ops::Add;

use crate::{
    Attribute, AuditError, Schema, codec, dataset::MAX_ROWS, metrics::Frame, schema::MAX_ATTRIBUTES,
};

/// Outcomes for one class against the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// The class, predicted as the class.
    pub tp: u64,
    /// Another class, predicted as the class.
    pub fp: u64,
    /// Another class, predicted as another.
    pub tn: u64,
    /// The class, predicted as another.
    pub fn_: u64,
}

impl Confusion {
    /// Samples counted.
    pub fn total(&self) -> u64 {
        self.tp + self.fp + self.tn + self.fn_
    }

    /// Samples of the class: TP + FN.
    pub fn positives(&self) -> u64 {
        self.tp + self.fn_
    }

    /// Samples of another class: TN + FP.
    pub fn negatives(&self) -> u64 {
        self.tn + self.fp
    }

    /// Samples predicted as the class: TP + FP.
    pub fn selected(&self) -> u64 {
        self.tp + self.fp
    }

    /// Samples predicted as another class: TN + FN.
    pub fn rejected(&self) -> u64 {
        self.tn + self.fn_
    }

    /// One class against the rest in a label-major `classes × classes` matrix.
    pub fn of_matrix(matrix: &[u64], classes: usize, class: u8) -> Self {
        let mut confusion = Self::default();
        let class = usize::from(class);
        for (label, row) in matrix.chunks_exact(classes.max(1)).enumerate() {
            for (prediction, count) in row.iter().enumerate() {
                let field = match (label == class, prediction == class) {
                    (true, true) => &mut confusion.tp,
                    (false, true) => &mut confusion.fp,
                    (false, false) => &mut confusion.tn,
                    (true, false) => &mut confusion.fn_,
                };
                *field += count;
            }
        }
        confusion
    }
}

impl Add for Confusion {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            tp: self.tp + other.tp,
            fp: self.fp + other.fp,
            tn: self.tn + other.tn,
            fn_: self.fn_ + other.fn_,
        }
    }
}

/// `counts[cell][label][prediction]`, where a cell is one combination of groups, the last attribute fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    groups: Vec<u8>,
    classes: u8,
    counters: Vec<u32>,
}

impl Counts {
    /// All zero, in the shape of a valid schema.
    pub fn new(schema: &Schema) -> Self {
        Self::zero(&schema.attributes, schema.classes.len())
    }

    fn zero(attributes: &[Attribute], classes: usize) -> Self {
        let groups: Vec<u8> = attributes.iter().map(|attribute| attribute.groups.len() as u8).collect();
        let cells: usize = groups.iter().map(|&size| usize::from(size)).product();
        Self { groups, classes: classes as u8, counters: vec![0; cells * classes * classes] }
    }

    /// The counters in cell, label, prediction order.
    pub fn counters(&self) -> &[u32] {
        &self.counters
    }

    /// Counts of this schema's shape from their counters, of at most [`MAX_ROWS`] samples.
    pub fn from_counters(schema: &Schema, counters: Vec<u32>) -> Result<Self, AuditError> {
        Self::new(schema).with(counters)
    }

    /// Counts of this valid frame's shape from their counters, of at most [`MAX_ROWS`] samples.
    pub fn of_frame(frame: &Frame, counters: Vec<u32>) -> Result<Self, AuditError> {
        Self::zero(&frame.attributes, frame.classes.len()).with(counters)
    }

    fn with(self, counters: Vec<u32>) -> Result<Self, AuditError> {
        if counters.len() != self.counters.len() {
            let (expected, got) = (self.counters.len() as u64, counters.len() as u64);
            return Err(AuditError::Mismatch { what: "number of counters", expected, got });
        }
        let counts = Self { counters, ..self };
        codec::in_range("samples counted", 0, MAX_ROWS.into(), counts.total() as i64)?;
        Ok(counts)
    }

    /// Number of classes.
    pub fn classes(&self) -> u8 {
        self.classes
    }

    /// Number of groups of each attribute.
    pub fn groups(&self) -> &[u8] {
        &self.groups
    }

    /// Whether both have the same classes and groups by number.
    pub fn same_shape(&self, other: &Self) -> bool {
        (self.classes, &self.groups) == (other.classes, &other.groups)
    }

    /// Adds one sample.
    pub fn record(&mut self, groups: &[u8], label: u8, prediction: u8) -> Result<(), AuditError> {
        let last = i64::from(self.classes) - 1;
        codec::in_range("label", 0, last, label.into())?;
        codec::in_range("prediction", 0, last, prediction.into())?;
        if groups.len() != self.groups.len() {
            let (expected, got) = (self.groups.len() as u64, groups.len() as u64);
            return Err(AuditError::Mismatch { what: "groups of a sample", expected, got });
        }
        let mut cell = 0;
        for (&group, &size) in groups.iter().zip(&self.groups) {
            codec::in_range("group", 0, i64::from(size) - 1, group.into())?;
            cell = cell * usize::from(size) + usize::from(group);
        }
        let classes = usize::from(self.classes);
        self.counters[(cell * classes + usize::from(label)) * classes + usize::from(prediction)] += 1;
        Ok(())
    }

    /// Samples counted.
    pub fn total(&self) -> u64 {
        self.counters.iter().map(|&count| u64::from(count)).sum()
    }

    /// The `classes × classes` matrix (label-major) over all cells whose groups satisfy `filter`, given as pairs
    /// (attribute index, group index). An empty filter selects everything.
    pub fn matrix(&self, filter: &[(u8, u8)]) -> Vec<u64> {
        let square = usize::from(self.classes).pow(2);
        let mut matrix = vec![0; square];
        for (cell, counters) in self.counters.chunks_exact(square).enumerate() {
            if self.selects(cell, filter) {
                matrix.iter_mut().zip(counters).for_each(|(sum, &count)| *sum += u64::from(count));
            }
        }
        matrix
    }

    /// One class against the rest over the cells that `filter` selects; see [`Counts::matrix`].
    pub fn confusion(&self, filter: &[(u8, u8)], class: u8) -> Confusion {
        Confusion::of_matrix(&self.matrix(filter), self.classes.into(), class)
    }

    /// One `classes × classes` matrix (label-major) per combination of the groups of these attributes, given as
    /// indices of existing, distinct attributes; the last one fastest. One pass over all counters.
    pub(crate) fn split(&self, attributes: &[u8]) -> Vec<Vec<u64>> {
        let square = usize::from(self.classes).pow(2);
        let size = |attribute: &u8| usize::from(self.groups[usize::from(*attribute)]);
        let mut matrices = vec![vec![0; square]; attributes.iter().map(size).product()];
        for (cell, counters) in self.counters.chunks_exact(square).enumerate() {
            let parts = self.parts(cell);
            let group = attributes
                .iter()
                .fold(0, |group, attribute| group * size(attribute) + parts[usize::from(*attribute)]);
            matrices[group].iter_mut().zip(counters).for_each(|(sum, &count)| *sum += u64::from(count));
        }
        matrices
    }

    fn parts(&self, mut cell: usize) -> [usize; MAX_ATTRIBUTES as usize] {
        let mut parts = [0; MAX_ATTRIBUTES as usize];
        for (part, &size) in parts.iter_mut().zip(&self.groups).rev() {
            *part = cell % usize::from(size);
            cell /= usize::from(size);
        }
        parts
    }

    fn selects(&self, mut cell: usize, filter: &[(u8, u8)]) -> bool {
        for (attribute, &size) in self.groups.iter().enumerate().rev() {
            let group = cell % usize::from(size);
            cell /= usize::from(size);
            let wanted = filter.iter().filter(|(index, _)| usize::from(*index) == attribute);
            if wanted.into_iter().any(|(_, wanted)| usize::from(*wanted) != group) {
                return false;
            }
        }
        true
    }
}
