//! A checked graph: every value made once and before it is used, one input, decoded constants.

use std::collections::BTreeMap;

use crate::{
    ImportError,
    tensor::{Element, Tensor},
};

/// The domain of classical machine learning operators.
pub const ML: &str = "ai.onnx.ml";

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// One float.
    Float(f64),
    /// One integer.
    Integer(i64),
    /// One text, possibly not UTF-8.
    Text(Vec<u8>),
    /// A tensor.
    Tensor(Tensor),
    /// Floats.
    Floats(Vec<f64>),
    /// Integers.
    Integers(Vec<i64>),
    /// Texts.
    Texts(Vec<Vec<u8>>),
    /// A sub-graph, type or reference; no supported operator has one.
    Other,
}

/// One operator call.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Position in the file, from 0.
    pub index: usize,
    /// Name, possibly empty.
    pub name: String,
    /// Operator.
    pub operator: String,
    /// Domain; empty for `ai.onnx`.
    pub domain: String,
    /// Operator set version of its domain.
    pub opset: i64,
    /// Slots of the values it reads; `None` where an optional input is left out.
    pub inputs: Vec<Option<usize>>,
    /// Slots of the values it makes; `None` where an optional output is left out.
    pub outputs: Vec<Option<usize>>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Node {
    /// An error about this node's use of a supported operator.
    pub fn refuse(&self, reason: impl Into<String>) -> ImportError {
        ImportError::UnsupportedUse {
            index: self.index,
            name: self.name.clone(),
            operator: self.operator.clone(),
            reason: reason.into(),
        }
    }

    /// Domain and operator, as in `ai.onnx.ml.Scaler`; operators of `ai.onnx` stand alone.
    pub fn key(&self) -> String {
        if self.domain.is_empty() {
            self.operator.clone()
        } else {
            format!("{}.{}", self.domain, self.operator)
        }
    }

    /// Whether it makes one of the needed values.
    pub fn is_needed(&self, needed: &[bool]) -> bool {
        self.outputs.iter().flatten().any(|&slot| needed[slot])
    }

    /// A float attribute, or its default.
    pub fn float(&self, name: &str, default: f64) -> Result<f64, ImportError> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Float(value)) => Ok(*value),
            Some(_) => Err(self.refuse(format!("attribute {name} is no float"))),
        }
    }

    /// An integer attribute, or its default.
    pub fn integer(&self, name: &str, default: i64) -> Result<i64, ImportError> {
        match self.attributes.get(name) {
            None => Ok(default),
            Some(Attribute::Integer(value)) => Ok(*value),
            Some(_) => Err(self.refuse(format!("attribute {name} is no integer"))),
        }
    }

    /// A text attribute, or its default.
    pub fn text(&self, name: &str, default: &str) -> Result<String, ImportError> {
        match self.attributes.get(name) {
            None => Ok(default.to_owned()),
            Some(Attribute::Text(bytes)) => self.utf8(name, bytes),
            Some(_) => Err(self.refuse(format!("attribute {name} is no text"))),
        }
    }

    /// A list of floats; empty when missing.
    pub fn floats(&self, name: &str) -> Result<&[f64], ImportError> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(Attribute::Floats(values)) => Ok(values),
            Some(_) => Err(self.refuse(format!("attribute {name} is no list of floats"))),
        }
    }

    /// A list of integers, if there is one.
    pub fn integers(&self, name: &str) -> Result<Option<&[i64]>, ImportError> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(Attribute::Integers(values)) => Ok(Some(values)),
            Some(_) => Err(self.refuse(format!("attribute {name} is no list of integers"))),
        }
    }

    /// A list of texts; empty when missing.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ImportError> {
        match self.attributes.get(name) {
            None => Ok(Vec::new()),
            Some(Attribute::Texts(texts)) => texts.iter().map(|text| self.utf8(name, text)).collect(),
            Some(_) => Err(self.refuse(format!("attribute {name} is no list of texts"))),
        }
    }

    fn utf8(&self, name: &str, bytes: &[u8]) -> Result<String, ImportError> {
        let text =
            std::str::from_utf8(bytes).map_err(|_| self.refuse(format!("attribute {name} is not UTF-8")))?;
        Ok(text.to_owned())
    }

    /// Resolves a possibly negative axis of a tensor with `rank` dimensions.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, ImportError> {
        let resolved = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
        usize::try_from(resolved)
            .ok()
            .filter(|&axis| axis < rank)
            .ok_or_else(|| self.refuse(format!("axis {axis} of a tensor with {rank} dimensions")))
    }
}

/// The model's one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its slot.
    pub slot: usize,
    /// Its name.
    pub name: String,
    /// Element type.
    pub element: Element,
    /// ONNX data type code.
    pub data_type: i32,
    /// Shape with `None` for open dimensions, if the file gives one.
    pub dims: Option<Vec<Option<usize>>>,
}

impl Input {
    /// Raw values as a tensor of the input's type; integers are rounded.
    pub fn tensor(&self, dims: Vec<usize>, values: Vec<f64>) -> Tensor {
        match self.element {
            Element::F32 | Element::F64 => Tensor::real(dims, self.element, values),
            _ => Tensor::whole(dims, values.iter().map(|value| value.round() as i64).collect()),
        }
    }

    /// The shape that holds one row of `columns` numbers, which must be as many as the input has entries.
    pub fn one_row(&self, columns: usize) -> Result<Vec<usize>, ImportError> {
        let Some(dims) = &self.dims else { return Ok(vec![1, columns]) };
        let bad = |cause: String| ImportError::BadInput { input: self.name.clone(), cause };
        let (batch, features) = match dims.as_slice() {
            [] => return Err(bad("a scalar cannot hold a row".to_owned())),
            [only] => (None, std::slice::from_ref(only)),
            // How many rows the file takes at once does not matter here; see `rows`.
            [batch, rest @ ..] => (Some(*batch), rest),
        };
        let mut row: Vec<usize> = batch.map(|_| 1).into_iter().collect();
        let known = features.iter().flatten().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        let known = known.ok_or_else(|| bad("its shape is too large".to_owned()))?;
        let open = features.iter().filter(|dim| dim.is_none()).count();
        if open > 1 {
            return Err(bad("more than one feature dimension is open".to_owned()));
        }
        let wrong_width = ImportError::InputWidth { model: known as u64, dataset: columns as u64 };
        if open == 0 && known != columns || open == 1 && (known == 0 || !columns.is_multiple_of(known)) {
            return Err(wrong_width);
        }
        row.extend(features.iter().map(|dim| dim.unwrap_or(columns / known.max(1))));
        Ok(row)
    }
}

impl Graph {
    /// Which values the value in `slot` depends on, itself included.
    pub fn needed(&self, slot: usize) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        needed[slot] = true;
        for node in self.nodes.iter().rev() {
            if node.is_needed(&needed) {
                node.inputs.iter().flatten().for_each(|&slot| needed[slot] = true);
            }
        }
        needed
    }
}

/// A checked graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// The graph's name in the file.
    pub name: String,
    /// Name and version of the program that wrote the file.
    pub producer: String,
    /// Names of all values, by slot.
    pub values: Vec<String>,
    /// Initializers, by slot.
    pub constants: BTreeMap<usize, Tensor>,
    /// The one input.
    pub input: Input,
    /// Operator calls in a valid order.
    pub nodes: Vec<Node>,
    /// Slots of the outputs, in order.
    pub outputs: Vec<usize>,
}
