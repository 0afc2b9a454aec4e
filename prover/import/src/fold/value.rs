//! What a value of the graph can be while it is read.

use std::rc::Rc;

use super::cell::Cell;
use crate::{
    ImportError,
    tensor::{Data, Element, Tensor},
};

/// What is known of a group of scores beside their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The cells are the scores.
    Exact,
    /// The scores are the softmax of the cells.
    Softmax,
    /// The scores are the logarithm of the softmax of the cells.
    LogSoftmax,
    /// The scores are ordered like the cells; nothing else is known.
    Order,
}

/// Scores of which only the order may be used.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// Shape.
    pub dims: Vec<usize>,
    /// Cells in the scores' order.
    pub cells: Vec<Cell>,
    /// How the scores follow from the cells.
    pub scale: Scale,
    /// Labels of the scores, where the graph gives them.
    pub labels: Option<Tensor>,
    /// The error of an operator that computes with them.
    pub misuse: Box<ImportError>,
}

/// How one of several outcomes is chosen.
#[derive(Debug)]
pub enum Chooser {
    /// The first largest cell.
    Largest(Vec<Cell>),
    /// Outcome 1 where the cell is above the threshold, else outcome 0.
    Above {
        /// The cell compared.
        cell: Cell,
        /// What it is compared with.
        threshold: f64,
        /// Whether equality counts as above.
        inclusive: bool,
    },
}

/// A value that depends on the features only through a choice.
#[derive(Debug, Clone)]
pub struct Class {
    /// The choice.
    pub chooser: Rc<Chooser>,
    /// The value for each choice.
    pub outcomes: Vec<Tensor>,
}

/// A value of the graph.
#[derive(Debug, Clone)]
pub enum Value {
    /// Does not depend on the features.
    Constant(Tensor),
    /// Affine forms with activation functions.
    Cells {
        /// Shape.
        dims: Vec<usize>,
        /// Elements, row-major.
        cells: Vec<Cell>,
    },
    /// Scores.
    Ranked(Ranked),
    /// A choice.
    Class(Class),
    /// A value that has no meaning here; using it fails with this error.
    Refused(ImportError),
}

impl Value {
    /// The tensor, when it is a constant.
    pub fn constant(&self) -> Option<&Tensor> {
        match self {
            Self::Constant(tensor) => Some(tensor),
            _ => None,
        }
    }
}

/// Truth values 0 and 1 of a choice between two.
pub fn truth(dims: Vec<usize>) -> Vec<Tensor> {
    [0, 1]
        .map(|value| Tensor { dims: dims.clone(), element: Element::Bool, data: Data::Whole(vec![value]) })
        .to_vec()
}
