//! Whether an ONNX file is the whole model.
//!
//! A tensor may keep its values in another file. Whoever knows a model by the digest of its file must not run such a one:
//! the other file could be exchanged, and the digest stayed. Only what can hold a tensor is read here, so that models which
//! the importer does not know are looked through too.

use prost::Message;

use crate::ImportError;

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "25")]
    functions: Vec<Function>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "15")]
    sparse_initializer: Vec<SparseTensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Function {
    #[prost(message, repeated, tag = "7")]
    node: Vec<Node>,
    #[prost(message, repeated, tag = "11")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(message, optional, tag = "5")]
    t: Option<Tensor>,
    #[prost(message, optional, tag = "6")]
    g: Option<Graph>,
    #[prost(message, repeated, tag = "10")]
    tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    graphs: Vec<Graph>,
    #[prost(message, optional, tag = "22")]
    sparse_tensor: Option<SparseTensor>,
    #[prost(message, repeated, tag = "23")]
    sparse_tensors: Vec<SparseTensor>,
}

#[derive(Clone, PartialEq, Message)]
struct SparseTensor {
    #[prost(message, optional, tag = "1")]
    values: Option<Tensor>,
    #[prost(message, optional, tag = "2")]
    indices: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(string, tag = "8")]
    name: String,
    #[prost(message, repeated, tag = "13")]
    external_data: Vec<Entry>,
    #[prost(int32, tag = "14")]
    data_location: i32,
}

/// What it says is not read: its presence is refused.
#[derive(Clone, PartialEq, Message)]
struct Entry {}

/// Fails if a tensor keeps its values in another file.
pub fn check_whole(bytes: &[u8]) -> Result<(), ImportError> {
    let malformed = |cause: String| ImportError::Malformed { cause };
    if bytes.is_empty() {
        return Err(malformed("the file is empty".to_owned()));
    }
    let model = Model::decode(bytes).map_err(|cause| malformed(cause.to_string()))?;
    model.graph.iter().try_for_each(graph)?;
    model.functions.iter().try_for_each(|function| {
        function
            .node
            .iter()
            .flat_map(|node| &node.attribute)
            .chain(&function.attribute)
            .try_for_each(attribute)
    })
}

fn graph(graph: &Graph) -> Result<(), ImportError> {
    graph.initializer.iter().try_for_each(tensor)?;
    graph.sparse_initializer.iter().try_for_each(sparse)?;
    graph.node.iter().flat_map(|node| &node.attribute).try_for_each(attribute)
}

/// Messages nest at most as deep as the decoder allows.
fn attribute(attribute: &Attribute) -> Result<(), ImportError> {
    attribute.t.iter().chain(&attribute.tensors).try_for_each(tensor)?;
    attribute.sparse_tensor.iter().chain(&attribute.sparse_tensors).try_for_each(sparse)?;
    attribute.g.iter().chain(&attribute.graphs).try_for_each(graph)
}

fn sparse(sparse: &SparseTensor) -> Result<(), ImportError> {
    sparse.values.iter().chain(&sparse.indices).try_for_each(tensor)
}

fn tensor(tensor: &Tensor) -> Result<(), ImportError> {
    if tensor.data_location == 0 && tensor.external_data.is_empty() {
        return Ok(());
    }
    Err(ImportError::ExternalData { tensor: tensor.name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_elsewhere_is_found_wherever_it_hides() {
        let elsewhere = Tensor { name: "w".into(), external_data: vec![Entry {}], data_location: 0 };
        let here = Tensor { name: "v".into(), ..Tensor::default() };
        let of_attribute =
            |attribute| Graph { node: vec![Node { attribute: vec![attribute] }], ..Graph::default() };
        let of_tensor = |tensor| Attribute { t: Some(tensor), ..Attribute::default() };
        let nested = |tensor| {
            of_attribute(Attribute {
                graphs: vec![of_attribute(Attribute {
                    g: Some(of_attribute(of_tensor(tensor))),
                    ..Attribute::default()
                })],
                ..Attribute::default()
            })
        };
        let sparse = |tensor| SparseTensor { values: Some(tensor), indices: None };
        for tensor in [elsewhere, Tensor { data_location: 1, ..here.clone() }, here] {
            let whole = tensor.data_location == 0 && tensor.external_data.is_empty();
            let graphs = [
                Graph { initializer: vec![tensor.clone()], ..Graph::default() },
                Graph { sparse_initializer: vec![sparse(tensor.clone())], ..Graph::default() },
                of_attribute(of_tensor(tensor.clone())),
                of_attribute(Attribute { tensors: vec![tensor.clone()], ..Attribute::default() }),
                nested(tensor.clone()),
            ];
            let node = Node { attribute: vec![of_tensor(tensor.clone())] };
            let function = Function { node: vec![node], attribute: vec![] };
            let models = graphs.map(|graph| Model { graph: Some(graph), functions: vec![] });
            let models = models.into_iter().chain([Model { graph: None, functions: vec![function] }]);
            for model in models {
                assert_eq!(check_whole(&model.encode_to_vec()).is_ok(), whole, "{model:?}");
            }
        }
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for bytes in [&b""[..], b"hello", &[0xff; 40]] {
            assert!(check_whole(bytes).is_err());
        }
    }
}
