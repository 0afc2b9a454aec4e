//! Integer counts of label against prediction in every finest group cell: all that metrics are computed from.

use crate::{AuditError, Schema, codec};

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
        let groups = schema.attributes.iter().map(|attribute| attribute.groups.len() as u8).collect();
        let classes = schema.classes.len() as u8;
        let len = schema.cells() as usize * usize::from(classes).pow(2);
        Self { groups, classes, counters: vec![0; len] }
    }

    /// The counters in cell, label, prediction order.
    pub fn counters(&self) -> &[u32] {
        &self.counters
    }

    /// Counts of this schema's shape from their counters.
    pub fn from_counters(schema: &Schema, counters: Vec<u32>) -> Result<Self, AuditError> {
        let empty = Self::new(schema);
        if counters.len() != empty.counters.len() {
            let (expected, got) = (empty.counters.len() as u64, counters.len() as u64);
            return Err(AuditError::Mismatch { what: "number of counters", expected, got });
        }
        Ok(Self { counters, ..empty })
    }

    /// Number of classes.
    pub fn classes(&self) -> u8 {
        self.classes
    }

    /// Number of groups of each attribute.
    pub fn groups(&self) -> &[u8] {
        &self.groups
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
        let classes = usize::from(self.classes);
        let mut confusion = Confusion::default();
        for (index, count) in self.matrix(filter).into_iter().enumerate() {
            let (label, prediction) = (index / classes, index % classes);
            let field = match (label == usize::from(class), prediction == usize::from(class)) {
                (true, true) => &mut confusion.tp,
                (false, true) => &mut confusion.fp,
                (false, false) => &mut confusion.tn,
                (true, false) => &mut confusion.fn_,
            };
            *field += count;
        }
        confusion
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
