use crate::{Attribute, AuditError, Confusion, Counts, codec, schema};

/// What counts are about: classes, the favourable one, and protected attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Class names, in index order.
    pub classes: Vec<String>,
    /// Index of the favourable class.
    pub favourable: u8,
    /// Protected attributes; the last varies fastest in a cell's index.
    pub attributes: Vec<Attribute>,
}

impl Frame {
    /// Fails when a size, name or index is outside the bounds of a schema.
    pub fn validate(&self) -> Result<(), AuditError> {
        schema::validate_classes(&self.classes, self.favourable)?;
        schema::validate_attributes(&self.attributes, self.classes.len() as u64)
    }

    /// Index of the class with this name.
    pub fn class(&self, name: &str) -> Option<u8> {
        self.classes.iter().position(|class| class == name).map(|index| index as u8)
    }

    /// Index of the attribute with this name.
    pub fn attribute(&self, name: &str) -> Option<u8> {
        self.attributes.iter().position(|attribute| attribute.name == name).map(|index| index as u8)
    }
}

/// The samples split by some attributes: one group per combination of their groups, the last attribute fastest.
/// Split by no attribute, there is one group with all samples.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    frame: &'a Frame,
    attributes: Vec<u8>,
    matrices: Vec<Vec<u64>>,
}

impl<'a> Split<'a> {
    /// Splits by attributes with these indices; fails on an index outside the frame or given twice.
    pub fn new(frame: &'a Frame, counts: &Counts, attributes: &[u8]) -> Result<Self, AuditError> {
        let last = frame.attributes.len() as i64 - 1;
        for (position, &attribute) in attributes.iter().enumerate() {
            codec::in_range("attribute", 0, last, attribute.into())?;
            if attributes[..position].contains(&attribute) {
                let name = frame.attributes[usize::from(attribute)].name.clone();
                return Err(AuditError::Duplicate { what: "attribute", name });
            }
        }
        let matrices = counts.split(attributes);
        Ok(Self { frame, attributes: attributes.to_vec(), matrices })
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.matrices.len()
    }

    /// Never: there is always a group, though it may have no sample.
    pub fn is_empty(&self) -> bool {
        self.matrices.is_empty()
    }

    /// The frame.
    pub fn frame(&self) -> &'a Frame {
        self.frame
    }

    /// The attributes split by.
    pub fn attributes(&self) -> impl Iterator<Item = &'a Attribute> + '_ {
        self.attributes.iter().map(|&index| &self.frame.attributes[usize::from(index)])
    }

    /// Group index of each attribute for group `group` of the split.
    pub fn parts(&self, mut group: usize) -> Vec<usize> {
        let sizes: Vec<usize> = self.attributes().map(|attribute| attribute.groups.len()).collect();
        let mut parts = vec![0; sizes.len()];
        for (part, size) in parts.iter_mut().zip(sizes).rev() {
            *part = group % size;
            group /= size;
        }
        parts
    }

    /// The group with these group indices, one per attribute.
    pub fn group(&self, parts: impl Iterator<Item = usize>) -> usize {
        self.attributes().zip(parts).fold(0, |group, (attribute, part)| group * attribute.groups.len() + part)
    }

    /// The group that signed comparisons refer to: every attribute's reference group.
    pub fn reference(&self) -> Option<usize> {
        let parts: Option<Vec<usize>> =
            self.attributes().map(|attribute| attribute.reference.map(usize::from)).collect();
        parts.map(|parts| self.group(parts.into_iter()))
    }

    /// `sex=female, age=26 and older`, or `all samples`.
    pub fn name(&self, group: usize) -> String {
        if self.attributes.is_empty() {
            return "all samples".to_owned();
        }
        let parts = self.parts(group);
        let named = self.attributes().zip(parts).map(|(attribute, part)| {
            format!("{}={}", attribute.name, attribute.groups.get(part).map_or("", String::as_str))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    /// The `classes × classes` counts of one group, label-major.
    pub fn matrix(&self, group: usize) -> &[u64] {
        self.matrices.get(group).map_or(&[], Vec::as_slice)
    }

    /// Samples in one group.
    pub fn size(&self, group: usize) -> u64 {
        self.matrix(group).iter().sum()
    }

    /// One class against the rest in one group.
    pub fn confusion(&self, group: usize, class: u8) -> Confusion {
        Confusion::of_matrix(self.matrix(group), self.frame.classes.len(), class)
    }

    /// One class against the rest in all groups but one.
    pub fn confusion_without(&self, group: usize, class: u8) -> Confusion {
        let others = (0..self.len()).filter(|&other| other != group);
        others.fold(Confusion::default(), |sum, other| sum + self.confusion(other, class))
    }
}
