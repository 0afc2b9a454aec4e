//! Reads a graph once, with symbols instead of numbers, as a function of one row of features.
//!
//! The batch dimension is 1 throughout, so every shape is known and shape arithmetic is constant. A value is
//! - a constant;
//! - cells: affine forms of one layer's outputs, with the activation functions applied to them so far
//!   ([`cell::Cell`]); consecutive affine operators compose in double precision;
//! - ranked scores, of which only the order counts (softmax over three and more classes, normalized scores);
//! - a class: which one is chosen, and what constant the value then is. Whatever operators do with it afterwards
//!   (look up a label, cast, reshape) is evaluated once per class.
//!
//! A new layer begins where cells with an activation function enter an affine operator.

mod arithmetic;
pub mod cell;
mod choice;
pub mod curve;
pub mod decision;
mod ml;
pub mod network;
mod operators;
mod products;
mod value;

use std::rc::Rc;

use cell::{Cell, Row};
use network::Network;
use operators::OPERATORS;

pub use operators::supported_operators;
pub use value::{Chooser, Class, Ranked, Scale, Value};

use crate::{
    ImportError, float,
    function::Function,
    graph::{Graph, ML, Node},
    layout,
    tensor::Tensor,
};

/// Most elements of all constants made while a graph is read.
const MAX_CONSTANTS: u64 = 32 << 20;

/// One output, read symbolically.
#[derive(Debug)]
pub struct Reading {
    /// The layers on the way to it.
    pub network: Network,
    /// The output.
    pub value: Value,
}

/// Reads the part of the graph that output `slot` depends on.
pub fn read(graph: &Graph, slot: usize, columns: usize) -> Result<Reading, ImportError> {
    let needed = graph.needed(slot);
    let mut values: Vec<Option<Value>> = vec![None; graph.values.len()];
    let cells = (0..columns).map(|at| Cell::of_row(Row::one(0, at, 1.0))).collect();
    values[graph.input.slot] = Some(Value::Cells { dims: graph.input.one_row(columns)?, cells });
    for (&slot, tensor) in &graph.constants {
        values[slot] = needed[slot].then(|| Value::Constant(tensor.clone()));
    }
    let mut reader = Reader { network: Network::default(), constants: 0 };
    for node in graph.nodes.iter().filter(|node| node.is_needed(&needed)) {
        let outputs = {
            let inputs = node.inputs.iter().map(|slot| slot.and_then(|slot| values[slot].as_ref()));
            reader.node(node, &inputs.collect::<Vec<_>>())?
        };
        for (slot, output) in node.outputs.iter().zip(outputs) {
            if let Some(slot) = slot {
                values[*slot] = Some(output);
            }
        }
    }
    let value = values[slot].take().ok_or_else(|| ImportError::Undefined {
        user: "an output of the graph".to_owned(),
        value: graph.values[slot].clone(),
    })?;
    match value {
        Value::Refused(error) => Err(error),
        value => Ok(Reading { network: reader.network, value }),
    }
}

/// The state while nodes are read in order.
struct Reader {
    network: Network,
    constants: u64,
}

/// A node with its input values.
struct Call<'c> {
    node: &'c Node,
    inputs: &'c [Option<&'c Value>],
}

impl<'c> Call<'c> {
    fn input(&self, position: usize) -> Result<&'c Value, ImportError> {
        let value = self.inputs.get(position).copied().flatten();
        value.ok_or_else(|| self.node.refuse(format!("input {position} is missing")))
    }

    /// Input `position` as cells; a constant becomes constant cells.
    fn cells(&self, position: usize) -> Result<(&'c [usize], Vec<Cell>), ImportError> {
        match self.input(position)? {
            Value::Constant(tensor) => {
                let numbers =
                    tensor.numbers().ok_or_else(|| self.node.refuse("texts where numbers are needed"))?;
                if numbers.iter().any(|number| !number.is_finite()) {
                    let place =
                        format!("input {position} of node {} ({:?})", self.node.index, self.node.name);
                    return Err(ImportError::NonFinite { place });
                }
                Ok((&tensor.dims, numbers.into_iter().map(Cell::constant).collect()))
            }
            Value::Cells { dims, cells } => Ok((dims, cells.clone())),
            Value::Ranked(ranked) => Err((*ranked.misuse).clone()),
            Value::Class(_) => Err(self.node.refuse("it mixes a chosen class with numbers")),
            Value::Refused(error) => Err(error.clone()),
        }
    }

    /// The condition of a Where on numbers, as cells of 0 and 1.
    fn condition(&self) -> Option<(Vec<usize>, Vec<Cell>)> {
        let numbers = |at: usize| matches!(self.inputs.get(at).copied().flatten(), Some(Value::Cells { .. }));
        if !numbers(1) && !numbers(2) {
            return None;
        }
        match self.inputs.first().copied().flatten()? {
            Value::Cells { dims, cells } => Some((dims.clone(), cells.clone())),
            Value::Constant(tensor) => {
                let cells = tensor.numbers()?.into_iter().map(Cell::constant).collect();
                Some((tensor.dims.clone(), cells))
            }
            Value::Class(Class { chooser, outcomes }) => {
                let (Chooser::Above { cell, threshold, inclusive }, [no, yes]) =
                    (chooser.as_ref(), outcomes.as_slice())
                else {
                    return None;
                };
                let plain = no.integers() == Some(&[0]) && yes.integers() == Some(&[1]);
                let step = if *inclusive { Function::NotBelow } else { Function::Above };
                let cell = cell.affine(1.0, -threshold).then(step).filter(|_| plain)?;
                Some((yes.dims.clone(), vec![cell]))
            }
            _ => None,
        }
    }

    /// The error of whatever computes with scores that this node makes.
    fn misuse(&self) -> Box<ImportError> {
        Box::new(self.node.refuse(
            "another operator computes with its result, of which only the order can be used, by ArgMax or as an output",
        ))
    }

    fn parameters(&self) -> Vec<Option<&'c Tensor>> {
        self.inputs.iter().map(|value| value.and_then(Value::constant)).collect()
    }

    fn is(&self, domain: &str, operators: &[&str]) -> bool {
        self.node.domain == domain && operators.contains(&self.node.operator.as_str())
    }
}

impl Reader {
    fn node(&mut self, node: &Node, inputs: &[Option<&Value>]) -> Result<Vec<Value>, ImportError> {
        let call = Call { node, inputs };
        let key = node.key();
        let Some((_, most)) = OPERATORS.iter().find(|(name, _)| *name == key) else {
            return self.other(&call);
        };
        if inputs.len() > *most {
            return Err(node.refuse(format!("it has {} inputs, at most {most} are allowed", inputs.len())));
        }
        if inputs.iter().flatten().all(|value| value.constant().is_some()) {
            return self.evaluate(&call);
        }
        let chosen = inputs.iter().flatten().any(|value| matches!(value, Value::Class(_)));
        if chosen && !(call.is("", &["Where"]) && call.condition().is_some()) {
            return per_class(&call);
        }
        if call.is("", &["Shape", "Size"]) {
            let dims = match call.input(0)? {
                Value::Ranked(Ranked { dims, .. }) => dims,
                _ => call.cells(0)?.0,
            };
            // A tensor of the right shape is all that the evaluator looks at.
            let count = dims.iter().product();
            let tensor = Tensor::whole(dims.to_vec(), vec![0; count]);
            return Ok(float::evaluate(node, &[Some(&tensor)])?.into_iter().map(Value::Constant).collect());
        }
        let values = match layout::data_inputs(node) {
            Some(moved) => rearrange(&call, moved)?,
            None if node.domain == ML => self.ml(&call)?,
            None => self.arithmetic(&call)?,
        };
        for value in &values {
            if let Value::Cells { cells, .. } | Value::Ranked(Ranked { cells, .. }) = value {
                self.network.check_size(node, cells)?;
            }
        }
        Ok(values)
    }

    /// An operator that may only stand among constants, or nowhere.
    fn other(&mut self, call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
        if call.inputs.iter().flatten().all(|value| value.constant().is_some()) {
            return self.evaluate(call);
        }
        Err(float::unsupported(call.node))
    }

    fn evaluate(&mut self, call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
        let outputs = float::evaluate(call.node, &call.parameters())?;
        self.constants += outputs.iter().map(|output| output.len() as u64).sum::<u64>();
        if self.constants > MAX_CONSTANTS {
            return Err(ImportError::Limit {
                what: "elements of all constants",
                max: MAX_CONSTANTS,
                got: self.constants,
            });
        }
        Ok(outputs.into_iter().map(Value::Constant).collect())
    }
}

/// Evaluates a node once for each class that its inputs may stand for.
fn per_class(call: &Call<'_>) -> Result<Vec<Value>, ImportError> {
    let classes = call.inputs.iter().flatten().filter_map(|value| match value {
        Value::Class(class) => Some(class),
        _ => None,
    });
    let mut chooser: Option<&Rc<Chooser>> = None;
    let mut count = 0;
    for class in classes {
        if chooser.is_some_and(|chooser| !Rc::ptr_eq(chooser, &class.chooser)) {
            return Err(call.node.refuse("it joins two different choices"));
        }
        chooser = Some(&class.chooser);
        count = class.outcomes.len();
    }
    let chooser = chooser.ok_or_else(|| call.node.refuse("no choice"))?;
    let mut outputs: Vec<Vec<Tensor>> = Vec::new();
    for choice in 0..count {
        let tensor = |value: &'_ Value| match value {
            Value::Constant(tensor) => Ok(tensor.clone()),
            Value::Class(class) => Ok(class.outcomes[choice].clone()),
            Value::Refused(error) => Err(error.clone()),
            Value::Cells { .. } | Value::Ranked(_) => {
                Err(call.node.refuse("it mixes a chosen class with numbers"))
            }
        };
        let inputs =
            call.inputs.iter().map(|value| value.map(tensor).transpose()).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<Option<&Tensor>> = inputs.iter().map(Option::as_ref).collect();
        for (position, output) in float::evaluate(call.node, &inputs)?.into_iter().enumerate() {
            match outputs.get_mut(position) {
                Some(outcomes) => outcomes.push(output),
                None => outputs.push(vec![output]),
            }
        }
    }
    let class = |outcomes| Value::Class(Class { chooser: chooser.clone(), outcomes });
    Ok(outputs.into_iter().map(class).collect())
}

/// Moves cells as the layout plan says.
fn rearrange(call: &Call<'_>, moved: usize) -> Result<Vec<Value>, ImportError> {
    if let Value::Ranked(ranked) = call.input(0)?
        && moved == 1
    {
        let plans = layout::plan(call.node, &[&ranked.dims], &call.parameters())?;
        let [plan] = plans.as_slice() else {
            return Err(call.node.refuse("it splits scores that are only ordered"));
        };
        if !plan.keeps_order(ranked.cells.len()) {
            return Err(call
                .node
                .refuse("it takes some of the scores of three or more classes; use all, by ArgMax"));
        }
        return Ok(vec![Value::Ranked(Ranked { dims: plan.dims.clone(), ..ranked.clone() })]);
    }
    let parts = (0..moved).map(|at| call.cells(at)).collect::<Result<Vec<_>, _>>()?;
    let dims: Vec<&[usize]> = parts.iter().map(|(dims, _)| *dims).collect();
    let plans = layout::plan(call.node, &dims, &call.parameters())?;
    let all: Vec<Cell> = parts.into_iter().flat_map(|(_, cells)| cells).collect();
    let pick = |plan: layout::Plan| Value::Cells {
        dims: plan.dims,
        cells: plan.sources.iter().map(|&at| all[at].clone()).collect(),
    };
    Ok(plans.into_iter().map(pick).collect())
}
