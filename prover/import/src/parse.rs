//! From bytes to a checked [`Graph`]: sizes bounded, tensors decoded, nodes in an order in which they can be run.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;

use crate::{
    ImportError,
    graph::{Attribute, Graph, Input, ML, Node},
    proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto},
    tensor::{self, Element, MAX_ELEMENTS, Tensor},
    wire,
};

/// Largest ONNX file, in bytes.
pub const MAX_FILE: u64 = 64 << 20;
/// Most nodes of a graph.
pub const MAX_NODES: u64 = 10_000;
/// Operator sets of `ai.onnx` whose meaning is implemented.
pub const OPSETS: (i64, i64) = (7, 28);
/// Operator sets of `ai.onnx.ml` whose meaning is implemented.
pub const ML_OPSETS: (i64, i64) = (1, 5);

/// Parses and checks an ONNX file.
pub fn parse(bytes: &[u8]) -> Result<Graph, ImportError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(ImportError::Limit {
            what: "bytes of the ONNX file",
            max: MAX_FILE,
            got: bytes.len() as u64,
        });
    }
    let malformed = |cause: &str| ImportError::Malformed { cause: cause.to_owned() };
    if bytes.is_empty() {
        return Err(malformed("the file is empty"));
    }
    wire::check(bytes)?;
    let model = ModelProto::decode(bytes).map_err(|error| malformed(&error.to_string()))?;
    let graph = model.graph.as_ref().ok_or_else(|| malformed("it has no graph"))?;
    let producer = format!("{} {}", model.producer_name, model.producer_version).trim().to_owned();
    if graph.node.len() as u64 > MAX_NODES {
        return Err(ImportError::Limit { what: "nodes", max: MAX_NODES, got: graph.node.len() as u64 });
    }
    Builder::default().build(&model, graph, producer)
}

#[derive(Default)]
struct Builder {
    values: Vec<String>,
    slots: BTreeMap<String, usize>,
}

impl Builder {
    fn define(&mut self, name: &str) -> Result<usize, ImportError> {
        let slot = self.values.len();
        if self.slots.insert(name.to_owned(), slot).is_some() {
            return Err(ImportError::Malformed { cause: format!("value {name:?} is made twice") });
        }
        self.values.push(name.to_owned());
        Ok(slot)
    }

    fn find(&self, user: impl FnOnce() -> String, name: &str) -> Result<usize, ImportError> {
        let slot = self.slots.get(name).copied();
        slot.ok_or_else(|| ImportError::Undefined { user: user(), value: name.to_owned() })
    }

    fn build(
        mut self,
        model: &ModelProto,
        graph: &GraphProto,
        producer: String,
    ) -> Result<Graph, ImportError> {
        if !graph.sparse_initializer.is_empty() {
            return Err(ImportError::BadTensor {
                tensor: String::new(),
                cause: "sparse initializers are not supported".to_owned(),
            });
        }
        let constants = self.constants(graph)?;
        let input = self.input(graph)?;
        let mut nodes = Vec::with_capacity(graph.node.len());
        for index in self.order(graph)? {
            nodes.push(self.node(model, index, &graph.node[index])?);
        }
        let output = |name: &String| self.find(|| "an output of the graph".to_owned(), name);
        let outputs: Vec<usize> =
            graph.output.iter().map(|info| output(&info.name)).collect::<Result<_, _>>()?;
        if outputs.is_empty() {
            return Err(ImportError::Malformed { cause: "the graph has no output".to_owned() });
        }
        Ok(Graph {
            name: graph.name.clone(),
            producer,
            values: self.values,
            constants,
            input,
            nodes,
            outputs,
        })
    }

    /// Positions of the nodes in an order in which every value is made before it is used; the file's own if it is one.
    fn order(&self, graph: &GraphProto) -> Result<Vec<usize>, ImportError> {
        let mut makers = BTreeMap::new();
        for (index, node) in graph.node.iter().enumerate() {
            for name in node.output.iter().filter(|name| !name.is_empty()) {
                if makers.insert(name.as_str(), index).is_some() || self.slots.contains_key(name) {
                    return Err(ImportError::Malformed { cause: format!("value {name:?} is made twice") });
                }
            }
        }
        let mut waiting = vec![0_usize; graph.node.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
        for (index, node) in graph.node.iter().enumerate() {
            for name in node.input.iter().filter(|name| !name.is_empty() && !self.slots.contains_key(*name)) {
                let user = || format!("node {index} ({:?})", node.name);
                let maker = makers.get(name.as_str()).copied();
                let maker =
                    maker.ok_or_else(|| ImportError::Undefined { user: user(), value: name.clone() })?;
                waiting[index] += 1;
                users[maker].push(index);
            }
        }
        let mut ready: BTreeSet<usize> = (0..graph.node.len()).filter(|&index| waiting[index] == 0).collect();
        let mut order = Vec::with_capacity(graph.node.len());
        while let Some(index) = ready.pop_first() {
            order.push(index);
            for &user in &users[index] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    ready.insert(user);
                }
            }
        }
        match waiting.iter().position(|&count| count > 0) {
            Some(index) => {
                let cause = format!("node {index} ({:?}) waits for its own result", graph.node[index].name);
                Err(ImportError::Malformed { cause })
            }
            None => Ok(order),
        }
    }

    fn constants(&mut self, graph: &GraphProto) -> Result<BTreeMap<usize, Tensor>, ImportError> {
        let mut constants = BTreeMap::new();
        let mut total = 0;
        for proto in &graph.initializer {
            let tensor = tensor::decode(proto)?;
            total += tensor.len() as u64;
            if total > MAX_ELEMENTS {
                return Err(ImportError::Limit {
                    what: "elements of all weights",
                    max: MAX_ELEMENTS,
                    got: total,
                });
            }
            constants.insert(self.define(&proto.name)?, tensor);
        }
        Ok(constants)
    }

    fn input(&mut self, graph: &GraphProto) -> Result<Input, ImportError> {
        // Old files list initializers among the inputs, as defaults.
        let inputs: Vec<_> = graph.input.iter().filter(|info| !self.slots.contains_key(&info.name)).collect();
        let &[info] = inputs.as_slice() else {
            return Err(ImportError::Inputs { names: inputs.iter().map(|info| info.name.clone()).collect() });
        };
        let bad = |cause: &str| ImportError::BadInput { input: info.name.clone(), cause: cause.to_owned() };
        let tensor = match &info.r#type {
            Some(TypeProto { tensor_type: Some(tensor) }) => tensor,
            _ => return Err(bad("it is no tensor")),
        };
        let element =
            Element::of(tensor.elem_type).filter(|element| !matches!(element, Element::Text | Element::Bool));
        let element = element.ok_or_else(|| bad("its elements are no numbers"))?;
        let open =
            |value: Option<i64>| value.and_then(|dim| usize::try_from(dim).ok()).filter(|&dim| dim > 0);
        let dims =
            tensor.shape.as_ref().map(|shape| shape.dim.iter().map(|dim| open(dim.dim_value)).collect());
        if dims.as_ref().is_some_and(|dims: &Vec<_>| dims.len() > tensor::MAX_RANK) {
            return Err(bad("it has too many dimensions"));
        }
        let slot = self.define(&info.name)?;
        Ok(Input { slot, name: info.name.clone(), element, data_type: tensor.elem_type, dims })
    }

    fn node(&mut self, model: &ModelProto, index: usize, proto: &NodeProto) -> Result<Node, ImportError> {
        let domain = if proto.domain == "ai.onnx" { String::new() } else { proto.domain.clone() };
        let opset = opset(model, &domain)?;
        let user = || format!("node {index} ({:?})", proto.name);
        let slot = |name: &String| if name.is_empty() { Ok(None) } else { self.find(user, name).map(Some) };
        let inputs = proto.input.iter().map(slot).collect::<Result<_, _>>()?;
        if proto.output.is_empty() {
            return Err(ImportError::Malformed { cause: format!("{} makes nothing", user()) });
        }
        let mut seen = BTreeSet::new();
        let mut attributes = BTreeMap::new();
        for attribute in &proto.attribute {
            if !seen.insert(attribute.name.as_str()) {
                let cause = format!("{}: attribute {:?} appears twice", user(), attribute.name);
                return Err(ImportError::Malformed { cause });
            }
            attributes.insert(attribute.name.clone(), decode(attribute)?);
        }
        let outputs = proto
            .output
            .iter()
            .map(|name| if name.is_empty() { Ok(None) } else { self.define(name).map(Some) });
        let outputs = outputs.collect::<Result<_, _>>()?;
        let (name, operator) = (proto.name.clone(), proto.op_type.clone());
        Ok(Node { index, name, operator, domain, opset, inputs, outputs, attributes })
    }
}

/// The version of `domain` that the model imports; other domains than the two supported have none.
fn opset(model: &ModelProto, domain: &str) -> Result<i64, ImportError> {
    let imports = model.opset_import.iter().filter(|set| match domain {
        "" => set.domain.is_empty() || set.domain == "ai.onnx",
        _ => set.domain == domain,
    });
    let version = imports.map(|set| set.version).max().unwrap_or(1);
    let (name, (min, max)) = match domain {
        "" => ("ai.onnx", OPSETS),
        ML => (ML, ML_OPSETS),
        _ => return Ok(version),
    };
    if !(min..=max).contains(&version) {
        return Err(ImportError::UnsupportedOpset { domain: name.to_owned(), version, min, max });
    }
    Ok(version)
}

fn decode(proto: &AttributeProto) -> Result<Attribute, ImportError> {
    let reals = || proto.floats.iter().map(|&value| f64::from(value)).collect();
    // Files from before attribute types were written leave the type 0: the field that is set tells.
    Ok(match proto.r#type {
        1 => Attribute::Float(proto.f.into()),
        2 => Attribute::Integer(proto.i),
        3 => Attribute::Text(proto.s.clone()),
        4 => match &proto.t {
            Some(tensor) => Attribute::Tensor(tensor::decode(tensor)?),
            None => Attribute::Other,
        },
        6 => Attribute::Floats(reals()),
        7 => Attribute::Integers(proto.ints.clone()),
        8 => Attribute::Texts(proto.strings.clone()),
        0 if !proto.floats.is_empty() => Attribute::Floats(reals()),
        0 if !proto.ints.is_empty() => Attribute::Integers(proto.ints.clone()),
        0 if !proto.strings.is_empty() => Attribute::Texts(proto.strings.clone()),
        0 if !proto.s.is_empty() => Attribute::Text(proto.s.clone()),
        0 if proto.f != 0.0 => Attribute::Float(proto.f.into()),
        0 => Attribute::Integer(proto.i),
        _ => Attribute::Other,
    })
}
