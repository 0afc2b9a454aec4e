//! Writes small ONNX files, independently of the importer's own messages.

/// A protobuf message under construction.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// An integer field.
    pub fn int(self, tag: u64, value: i64) -> Self {
        self.varint(tag << 3).varint(value as u64)
    }

    /// A float field.
    pub fn float(self, tag: u64, value: f32) -> Self {
        let mut message = self.varint(tag << 3 | 5);
        message.0.extend(value.to_le_bytes());
        message
    }

    /// A text, bytes or message field.
    pub fn bytes(self, tag: u64, value: &[u8]) -> Self {
        let mut message = self.varint(tag << 3 | 2).varint(value.len() as u64);
        message.0.extend(value);
        message
    }

    /// The same field several times.
    pub fn texts(self, tag: u64, values: &[&str]) -> Self {
        values.iter().fold(self, |message, value| message.bytes(tag, value.as_bytes()))
    }
}

/// A float tensor.
pub fn floats(name: &str, dims: &[usize], values: &[f32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, 1, &raw)
}

/// A tensor of 64-bit integers.
pub fn integers(name: &str, dims: &[usize], values: &[i64]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, 7, &raw)
}

/// A tensor of any type from its raw bytes.
pub fn tensor(name: &str, dims: &[usize], data_type: i64, raw: &[u8]) -> Message {
    let message = dims.iter().fold(Message::default(), |message, &dim| message.int(1, dim as i64));
    message.int(2, data_type).bytes(8, name.as_bytes()).bytes(9, raw)
}

/// An integer attribute.
pub fn int_attribute(name: &str, value: i64) -> Message {
    Message::default().bytes(1, name.as_bytes()).int(3, value).int(20, 2)
}

/// A float attribute.
pub fn float_attribute(name: &str, value: f32) -> Message {
    Message::default().bytes(1, name.as_bytes()).float(2, value).int(20, 1)
}

/// An operator call; `operator` may name its domain, as in `ai.onnx.ml.Scaler`.
pub fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Message]) -> Message {
    let (domain, name) = operator.rsplit_once('.').unwrap_or(("", operator));
    let message = Message::default()
        .texts(1, inputs)
        .texts(2, outputs)
        .bytes(3, format!("{name} {}", outputs.join(" ")).as_bytes());
    let message = message.bytes(4, name.as_bytes());
    let message = attributes.iter().fold(message, |message, attribute| message.bytes(5, &attribute.0));
    message.bytes(7, domain.as_bytes())
}

/// A graph input or output; a dimension of 0 is open.
pub fn value(name: &str, data_type: i64, dims: &[usize]) -> Message {
    let shape = dims.iter().fold(Message::default(), |shape, &dim| {
        let dim =
            if dim == 0 { Message::default().bytes(2, b"n") } else { Message::default().int(1, dim as i64) };
        shape.bytes(1, &dim.0)
    });
    let tensor = Message::default().int(1, data_type).bytes(2, &shape.0);
    let kind = Message::default().bytes(1, &tensor.0);
    Message::default().bytes(1, name.as_bytes()).bytes(2, &kind.0)
}

/// A model for operator set 17 with one float input `x` of `[n, columns]`.
pub fn model(columns: usize, nodes: &[Message], tensors: &[Message], outputs: &[&str]) -> Vec<u8> {
    let inputs = [value("x", 1, &[0, columns])];
    let outputs: Vec<Message> =
        outputs.iter().map(|name| Message::default().bytes(1, name.as_bytes())).collect();
    file(17, nodes, tensors, &inputs, &outputs)
}

/// A model from all its parts.
pub fn file(
    opset: i64,
    nodes: &[Message],
    tensors: &[Message],
    inputs: &[Message],
    outputs: &[Message],
) -> Vec<u8> {
    let mut graph = Message::default().bytes(2, b"graph");
    for (tag, messages) in [(1, nodes), (5, tensors), (11, inputs), (12, outputs)] {
        graph = messages.iter().fold(graph, |graph, message| graph.bytes(tag, &message.0));
    }
    let set = |domain: &str, version: i64| Message::default().bytes(1, domain.as_bytes()).int(2, version);
    let model = Message::default().int(1, 8).bytes(2, b"test").bytes(7, &graph.0);
    model.bytes(8, &set("", opset).0).bytes(8, &set("ai.onnx.ml", 3).0).0
}

/// A dense layer as MatMul and Add, from `x` to `y`; weights `inputs × units`.
pub fn dense(x: &str, y: &str, inputs: usize, weights: &[f32], bias: &[f32]) -> ([Message; 2], [Message; 2]) {
    let [w, b, product] = ["w", "b", "p"].map(|part| format!("{part}_{y}"));
    let nodes = [node("MatMul", &[x, &w], &[&product], &[]), node("Add", &[&product, &b], &[y], &[])];
    (nodes, [floats(&w, &[inputs, bias.len()], weights), floats(&b, &[bias.len()], bias)])
}
