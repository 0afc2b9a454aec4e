//! Runs an ONNX graph node by node in floating point, one row at a time: the oracle for files that the general
//! runtime cannot run, and the evaluator of a graph's constant parts.
//!
//! Every operator is computed in double precision and then rounded to the precision of its type, so results differ
//! from a single precision runtime's only in the last bits. Semantics follow the ONNX standard, and ONNX Runtime
//! where the standard is silent (two-class `LinearClassifier`, `Normalizer` with negative maxima).

mod elementwise;
pub(crate) mod linear;
pub(crate) mod ml;
pub(crate) mod reduce;

use std::collections::BTreeMap;

use crate::{
    ImportError,
    function::Function,
    graph::{Attribute, Graph, ML, Node},
    layout,
    tensor::{self, Data, Element, Tensor},
};

/// Most elements that all values of one run may hold together.
const MAX_TOTAL: u64 = 32 << 20;

/// Evaluates one node on tensors.
pub fn evaluate(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, ImportError> {
    if let Some(moved) = layout::data_inputs(node) {
        return rearrange(node, inputs, moved);
    }
    if let Some(function) = Function::of(node, inputs)? {
        return elementwise::unary(node, function, input(node, inputs, 0)?).map(one);
    }
    let result = match (node.domain.as_str(), node.operator.as_str()) {
        ("", "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod") => {
            elementwise::binary(node, &node.operator, input(node, inputs, 0)?, input(node, inputs, 1)?)?
        }
        ("", "Min" | "Max" | "Sum" | "Mean") => elementwise::variadic(node, inputs)?,
        ("", "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Equal" | "And" | "Or" | "Xor") => {
            elementwise::compare(node, input(node, inputs, 0)?, input(node, inputs, 1)?)?
        }
        ("", "Not") => elementwise::not(node, input(node, inputs, 0)?)?,
        ("", "Where") => elementwise::choose(node, inputs)?,
        ("", "PRelu") => elementwise::prelu(node, input(node, inputs, 0)?, input(node, inputs, 1)?)?,
        ("", "MatMul") => linear::matmul(node, input(node, inputs, 0)?, input(node, inputs, 1)?)?,
        ("", "Gemm") => linear::gemm(node, inputs)?,
        ("", "BatchNormalization") => linear::batch_normalization(node, inputs)?,
        (
            "",
            "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2",
        ) => reduce::reduce(node, inputs)?,
        ("", "Softmax" | "LogSoftmax") => reduce::softmax(node, input(node, inputs, 0)?)?,
        ("", "ArgMax" | "ArgMin") => reduce::arg_max(node, input(node, inputs, 0)?)?,
        ("", "TopK") => return reduce::top(node, inputs),
        ("", "Dropout") => return dropout(node, inputs),
        ("", "Cast") => cast(node, input(node, inputs, 0)?)?,
        ("", "Shape") => shape(node, input(node, inputs, 0)?)?,
        ("", "Size") => Tensor::whole(vec![], vec![input(node, inputs, 0)?.len() as i64]),
        ("", "Constant") => constant(node)?,
        ("", "ConstantOfShape") => constant_of_shape(node, input(node, inputs, 0)?)?,
        (ML, "LinearClassifier") => return ml::linear_classifier(node, input(node, inputs, 0)?),
        (ML, operator) => {
            let x = input(node, inputs, 0)?;
            match operator {
                "Scaler" => ml::scaler(node, x)?,
                "Normalizer" => ml::normalizer(node, x)?,
                "ZipMap" => x.clone(),
                "LabelEncoder" => ml::label_encoder(node, x)?,
                "Imputer" => ml::imputer(node, x)?,
                "Binarizer" => ml::binarizer(node, x)?,
                _ => return Err(unsupported(node)),
            }
        }
        _ => return Err(unsupported(node)),
    };
    Ok(vec![result])
}

/// The error for an operator that is not implemented.
pub fn unsupported(node: &Node) -> ImportError {
    let domain = if node.domain.is_empty() { "ai.onnx" } else { &node.domain };
    ImportError::UnsupportedOperator {
        index: node.index,
        name: node.name.clone(),
        operator: node.operator.clone(),
        domain: domain.to_owned(),
        supported: crate::fold::supported_operators().collect::<Vec<_>>().join(", "),
    }
}

/// What became of each value and node of a graph.
pub struct Trace {
    /// Values by slot, constants excepted; `None` behind a failed node.
    pub values: Vec<Option<Tensor>>,
    /// The nodes that failed, by position in the graph's order.
    pub failures: BTreeMap<usize, ImportError>,
}

/// Runs the nodes that make the needed values; a node that fails leaves its values unknown.
pub fn trace(graph: &Graph, input: Tensor, needed: &[bool]) -> Trace {
    let mut values: Vec<Option<Tensor>> = vec![None; graph.values.len()];
    let mut failures = BTreeMap::new();
    let mut total = 0;
    values[graph.input.slot] = Some(input);
    for (position, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is_needed(needed)) {
        let value = |slot: usize| values[slot].as_ref().or_else(|| graph.constants.get(&slot));
        let inputs: Vec<Option<&Tensor>> = node.inputs.iter().map(|slot| slot.and_then(value)).collect();
        if node.inputs.iter().zip(&inputs).any(|(slot, input)| slot.is_some() && input.is_none()) {
            continue;
        }
        let outputs = evaluate(node, &inputs).and_then(|outputs| {
            total += outputs.iter().map(|output| output.len() as u64).sum::<u64>();
            if total > MAX_TOTAL {
                return Err(ImportError::Limit {
                    what: "elements of all values",
                    max: MAX_TOTAL,
                    got: total,
                });
            }
            Ok(outputs)
        });
        match outputs {
            Ok(outputs) => {
                for (slot, output) in node.outputs.iter().zip(outputs) {
                    if let Some(slot) = slot {
                        values[*slot] = Some(output);
                    }
                }
            }
            Err(error) => drop(failures.insert(position, error)),
        }
    }
    Trace { values, failures }
}

/// Runs the graph on one input; returns the values in `slots`.
pub fn run(graph: &Graph, input: Tensor, slots: &[usize]) -> Result<Vec<Tensor>, ImportError> {
    let mut needed = vec![false; graph.values.len()];
    for &slot in slots {
        graph.needed(slot).into_iter().zip(&mut needed).for_each(|(new, needed)| *needed |= new);
    }
    let trace = trace(graph, input, &needed);
    if let Some((_, error)) = trace.failures.into_iter().next() {
        return Err(error);
    }
    let output = |&slot: &usize| {
        let value = trace.values[slot].as_ref().or_else(|| graph.constants.get(&slot));
        value.cloned().ok_or_else(|| ImportError::Undefined {
            user: "an output of the graph".to_owned(),
            value: graph.values[slot].clone(),
        })
    };
    slots.iter().map(output).collect()
}

fn one(tensor: Tensor) -> Vec<Tensor> {
    vec![tensor]
}

fn input<'t>(node: &Node, inputs: &[Option<&'t Tensor>], position: usize) -> Result<&'t Tensor, ImportError> {
    inputs.get(position).copied().flatten().ok_or_else(|| node.refuse(format!("input {position} is missing")))
}

fn numbers(node: &Node, tensor: &Tensor) -> Result<Vec<f64>, ImportError> {
    tensor.numbers().ok_or_else(|| node.refuse("texts where numbers are needed"))
}

/// The precision of a result made from numbers of this type.
fn precision(element: Element) -> Element {
    if element == Element::F64 { Element::F64 } else { Element::F32 }
}

fn rearrange(node: &Node, inputs: &[Option<&Tensor>], moved: usize) -> Result<Vec<Tensor>, ImportError> {
    let data = (0..moved).map(|at| input(node, inputs, at)).collect::<Result<Vec<_>, _>>()?;
    let dims: Vec<&[usize]> = data.iter().map(|tensor| tensor.dims.as_slice()).collect();
    let plans = layout::plan(node, &dims, inputs)?;
    let joined = join(node, &data)?;
    Ok(plans.into_iter().map(|plan| joined.pick(plan.dims, &plan.sources)).collect())
}

/// All elements one tensor after the other; the shape is left open.
fn join(node: &Node, tensors: &[&Tensor]) -> Result<Tensor, ImportError> {
    let first = *tensors.first().ok_or_else(|| node.refuse("it has no input"))?;
    let mut whole = first.clone();
    for tensor in &tensors[1..] {
        match (&mut whole.data, &tensor.data) {
            (Data::Real(all), Data::Real(more)) => all.extend(more),
            (Data::Whole(all), Data::Whole(more)) => all.extend(more),
            (Data::Text(all), Data::Text(more)) => all.extend_from_slice(more),
            _ => return Err(node.refuse("its inputs have different types")),
        }
    }
    Ok(whole)
}

fn dropout(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<Tensor>, ImportError> {
    if let Some(training) = inputs.get(2).copied().flatten()
        && training.numbers().is_some_and(|values| values.first() == Some(&1.0))
    {
        return Err(node.refuse("the model was exported in training mode; export it for inference"));
    }
    let data = input(node, inputs, 0)?;
    Ok(vec![data.clone(), Tensor::truth(data.dims.clone(), vec![true; data.len()])])
}

fn cast(node: &Node, tensor: &Tensor) -> Result<Tensor, ImportError> {
    let code = node.integer("to", 1)?;
    let to = i32::try_from(code).ok().and_then(Element::of);
    let to = to.ok_or_else(|| node.refuse(format!("data type {code} is not supported")))?;
    if to == Element::Text {
        let texts = (0..tensor.len()).map(|at| tensor.label(at)).collect();
        return Ok(Tensor::text(tensor.dims.clone(), texts));
    }
    let values = match &tensor.data {
        Data::Text(texts) => {
            let parsed: Result<Vec<f64>, _> = texts.iter().map(|text| text.trim().parse()).collect();
            parsed.map_err(|_| node.refuse("a text is no number"))?
        }
        Data::Whole(values) if matches!(to, Element::Integer | Element::Bool) => {
            let bool = |value: i64| if to == Element::Bool { i64::from(value != 0) } else { value };
            let values = values.iter().map(|&value| bool(value)).collect();
            return Ok(Tensor { dims: tensor.dims.clone(), element: to, data: Data::Whole(values) });
        }
        _ => numbers(node, tensor)?,
    };
    Ok(match to {
        Element::Bool => {
            Tensor::truth(tensor.dims.clone(), values.iter().map(|&value| value != 0.0).collect())
        }
        Element::Integer => {
            Tensor::whole(tensor.dims.clone(), values.iter().map(|&value| value as i64).collect())
        }
        _ => Tensor::real(tensor.dims.clone(), to, values),
    })
}

fn shape(node: &Node, tensor: &Tensor) -> Result<Tensor, ImportError> {
    let rank = tensor.dims.len() as i64;
    let at = |position: i64| {
        if position < 0 { position.saturating_add(rank) } else { position }.clamp(0, rank) as usize
    };
    let (start, end) = (at(node.integer("start", 0)?), at(node.integer("end", rank)?));
    let dims: Vec<i64> = tensor.dims[start.min(end)..end].iter().map(|&dim| dim as i64).collect();
    Ok(Tensor::whole(vec![dims.len()], dims))
}

fn constant(node: &Node) -> Result<Tensor, ImportError> {
    let (name, value) = node.attributes.iter().next().ok_or_else(|| node.refuse("it has no value"))?;
    Ok(match value {
        Attribute::Tensor(tensor) => tensor.clone(),
        Attribute::Float(value) => Tensor::real(vec![], Element::F32, vec![*value]),
        Attribute::Floats(values) => Tensor::real(vec![values.len()], Element::F32, values.clone()),
        Attribute::Integer(value) => Tensor::whole(vec![], vec![*value]),
        Attribute::Integers(values) => Tensor::whole(vec![values.len()], values.clone()),
        _ => return Err(node.refuse(format!("a constant given as {name} is not supported"))),
    })
}

fn constant_of_shape(node: &Node, shape: &Tensor) -> Result<Tensor, ImportError> {
    let dims = shape.integers().ok_or_else(|| node.refuse("the shape must hold integers"))?;
    let dims: Result<Vec<usize>, _> = dims.iter().map(|&dim| usize::try_from(dim)).collect();
    let dims = dims.map_err(|_| node.refuse("the shape is negative"))?;
    let count = tensor::elements(&dims).ok_or_else(|| node.refuse("the shape is too large"))?;
    match node.attributes.get("value") {
        None => Ok(Tensor::real(dims, Element::F32, vec![0.0; count])),
        Some(Attribute::Tensor(value)) if value.len() == 1 => Ok(value.pick(dims, &vec![0; count])),
        Some(_) => Err(node.refuse("its value is no tensor with one element")),
    }
}
