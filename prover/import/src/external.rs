//! Whether an ONNX file is the whole model.
//!
//! A tensor may keep its values in another file. Whoever knows a model by the digest of its file must not run such a one:
//! the other file could be exchanged, and the digest stayed. Only what can hold a tensor is read here, so that models which
//! the importer does not know are looked through too.

use crate::{
    ImportError,
    wire::{Field, Fields, Held, count, malformed},
};

/// Most messages, texts and byte strings of a file: whoever reads it makes a structure of each.
const MAX_MESSAGES: u64 = 4_000_000;
/// Deepest nesting: five levels per graph inside a graph.
const MAX_DEPTH: u8 = 60;

/// The messages that a tensor can be in.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    SparseTensor,
    Tensor,
}

/// The message that field `tag` of `kind` holds, if a tensor can be in it.
fn child(kind: Kind, tag: u64) -> Option<Kind> {
    match (kind, tag) {
        (Kind::Model, 7) | (Kind::Attribute, 6 | 11) => Some(Kind::Graph),
        (Kind::Model, 25) => Some(Kind::Function),
        (Kind::Graph, 1) | (Kind::Function, 7) => Some(Kind::Node),
        (Kind::Function, 11) | (Kind::Node, 5) => Some(Kind::Attribute),
        (Kind::Graph, 15) | (Kind::Attribute, 22 | 23) => Some(Kind::SparseTensor),
        (Kind::Graph, 5) | (Kind::Attribute, 5 | 10) | (Kind::SparseTensor, 1 | 2) => Some(Kind::Tensor),
        _ => None,
    }
}

/// Fails if a tensor keeps its values in another file, or the file is no whole encoding or of too many messages.
pub fn check_whole(bytes: &[u8]) -> Result<(), ImportError> {
    if bytes.is_empty() {
        return Err(ImportError::Malformed { cause: "the file is empty".to_owned() });
    }
    look(bytes, 0, Kind::Model, 0, &mut 0)
}

fn look(bytes: &[u8], start: u64, kind: Kind, depth: u8, messages: &mut u64) -> Result<(), ImportError> {
    if depth > MAX_DEPTH {
        return Err(malformed(start, "messages are nested too deeply"));
    }
    let mut fields = Fields::new(bytes, start);
    while let Some(field) = fields.next()? {
        if matches!(kind, Kind::Tensor) && is_elsewhere(&field) {
            return Err(ImportError::ExternalData { tensor: name(bytes) });
        }
        let Held::Bytes(inner) = field.held else { continue };
        count(messages, MAX_MESSAGES)?;
        if let Some(child) = child(kind, field.tag) {
            look(inner, field.start, child, depth + 1, messages)?;
        }
    }
    Ok(())
}

/// Whether a field of a tensor says that its values are in another file.
fn is_elsewhere(field: &Field<'_>) -> bool {
    match field.tag {
        13 => true,
        14 => !matches!(field.held, Held::Varint(0)),
        _ => false,
    }
}

/// A tensor's name.
fn name(tensor: &[u8]) -> String {
    let mut fields = Fields::new(tensor, 0);
    while let Ok(Some(field)) = fields.next() {
        if let (8, Held::Bytes(name)) = (field.tag, field.held) {
            return String::from_utf8_lossy(name).into_owned();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::check_whole;
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

    #[derive(Clone, PartialEq, Message)]
    struct Entry {}

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

    #[test]
    fn many_empty_messages_and_endless_nesting_are_refused() {
        let field = |tag: u8, inner: &[u8]| {
            let mut bytes = vec![tag << 3 | 2];
            prost::encoding::encode_varint(inner.len() as u64, &mut bytes);
            bytes.extend_from_slice(inner);
            bytes
        };
        let many = field(7, &[0x0a, 0x00].repeat(super::MAX_MESSAGES as usize + 1));
        assert!(matches!(check_whole(&many), Err(ImportError::Limit { .. })));
        let deep = (0..40).fold(Vec::new(), |graph, _| field(1, &field(5, &field(6, &graph))));
        assert!(matches!(check_whole(&field(7, &deep)), Err(ImportError::Malformed { .. })));
        // A tensor's place as something else than a number is no way around it.
        assert!(check_whole(&field(7, &field(5, &field(14, &[])))).is_err());
    }
}
