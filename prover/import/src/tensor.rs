//! Constant tensors: decoded from every data type of the standard that a classifier uses.

use crate::{ImportError, proto::TensorProto};

/// Most elements of one tensor, and of all initializers together.
pub const MAX_ELEMENTS: u64 = 16 << 20;
/// Most dimensions of a tensor.
pub const MAX_RANK: usize = 8;

/// Element types, grouped by how they are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// IEEE single precision; also half and bfloat16, which it holds exactly.
    F32,
    /// IEEE double precision.
    F64,
    /// Signed and unsigned integers of at most 64 bits.
    Integer,
    /// Truth values.
    Bool,
    /// UTF-8 text.
    Text,
}

impl Element {
    /// The element type of an ONNX data type code.
    pub fn of(code: i32) -> Option<Self> {
        match code {
            1 | 10 | 16 => Some(Self::F32),
            11 => Some(Self::F64),
            2..=7 | 12 | 13 => Some(Self::Integer),
            8 => Some(Self::Text),
            9 => Some(Self::Bool),
            _ => None,
        }
    }

    /// Whether values are floating point.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// The elements, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Floating point values, held in double precision.
    Real(Vec<f64>),
    /// Integers, and truth values as 0 and 1.
    Whole(Vec<i64>),
    /// Texts.
    Text(Vec<String>),
}

/// A constant with known shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Extent of each dimension; empty for a scalar.
    pub dims: Vec<usize>,
    /// Element type.
    pub element: Element,
    /// As many elements as the product of `dims`.
    pub data: Data,
}

impl Tensor {
    /// A float tensor; in single precision the values are rounded to it.
    pub fn real(dims: Vec<usize>, element: Element, mut values: Vec<f64>) -> Self {
        if element == Element::F32 {
            values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        }
        Self { dims, element, data: Data::Real(values) }
    }

    /// A tensor of integers.
    pub fn whole(dims: Vec<usize>, values: Vec<i64>) -> Self {
        Self { dims, element: Element::Integer, data: Data::Whole(values) }
    }

    /// A tensor of truth values.
    pub fn truth(dims: Vec<usize>, values: Vec<bool>) -> Self {
        Self { dims, element: Element::Bool, data: Data::Whole(values.into_iter().map(i64::from).collect()) }
    }

    /// A tensor of texts.
    pub fn text(dims: Vec<usize>, values: Vec<String>) -> Self {
        Self { dims, element: Element::Text, data: Data::Text(values) }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Real(values) => values.len(),
            Data::Whole(values) => values.len(),
            Data::Text(values) => values.len(),
        }
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All elements as numbers; `None` for texts.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match &self.data {
            Data::Real(values) => Some(values.clone()),
            Data::Whole(values) => Some(values.iter().map(|&value| value as f64).collect()),
            Data::Text(_) => None,
        }
    }

    /// All elements as integers; `None` unless they are.
    pub fn integers(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Whole(values) => Some(values),
            _ => None,
        }
    }

    /// Element `index` as text, numbers in decimal.
    pub fn label(&self, index: usize) -> String {
        match &self.data {
            Data::Real(values) => values.get(index).map(f64::to_string),
            Data::Whole(values) => values.get(index).map(i64::to_string),
            Data::Text(values) => values.get(index).cloned(),
        }
        .unwrap_or_default()
    }

    /// The elements at `sources`, in that order, under a new shape.
    pub fn pick(&self, dims: Vec<usize>, sources: &[usize]) -> Self {
        let data = match &self.data {
            Data::Real(values) => Data::Real(sources.iter().map(|&at| values[at]).collect()),
            Data::Whole(values) => Data::Whole(sources.iter().map(|&at| values[at]).collect()),
            Data::Text(values) => Data::Text(sources.iter().map(|&at| values[at].clone()).collect()),
        };
        Self { dims, element: self.element, data }
    }
}

/// Product of `dims`; `None` above [`MAX_ELEMENTS`]. Empty dimensions do not make room for huge ones.
pub fn elements(dims: &[usize]) -> Option<usize> {
    let room = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim.max(1) as u64))?;
    let bounded = dims.len() <= MAX_RANK && room <= MAX_ELEMENTS;
    bounded.then(|| dims.iter().product())
}

/// Decodes a tensor from whichever field holds its values.
pub fn decode(proto: &TensorProto) -> Result<Tensor, ImportError> {
    let bad = |cause: String| ImportError::BadTensor { tensor: proto.name.clone(), cause };
    if proto.data_location == 1 || !proto.external_data.is_empty() {
        return Err(ImportError::ExternalData { tensor: proto.name.clone() });
    }
    let element = Element::of(proto.data_type)
        .ok_or_else(|| bad(format!("data type {} is not supported", proto.data_type)))?;
    let dims: Option<Vec<usize>> = proto.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let count = dims
        .as_deref()
        .and_then(elements)
        .ok_or_else(|| bad(format!("shape {:?} is invalid or too large", proto.dims)))?;
    let fields = [
        !proto.raw_data.is_empty(),
        !proto.float_data.is_empty(),
        !proto.int32_data.is_empty(),
        !proto.string_data.is_empty(),
        !proto.int64_data.is_empty(),
        !proto.double_data.is_empty(),
        !proto.uint64_data.is_empty(),
    ];
    if fields.iter().filter(|&&filled| filled).count() > 1 {
        return Err(bad("its values stand in two fields".to_owned()));
    }
    let data = if proto.raw_data.is_empty() { typed(proto) } else { raw(proto) }.map_err(bad)?;
    let tensor = Tensor { dims: dims.unwrap_or_default(), element, data };
    if tensor.len() != count {
        return Err(bad(format!("shape {:?} needs {count} values, {} are there", proto.dims, tensor.len())));
    }
    Ok(tensor)
}

fn typed(proto: &TensorProto) -> Result<Data, String> {
    Ok(match proto.data_type {
        1 => Data::Real(proto.float_data.iter().map(|&value| value.into()).collect()),
        10 => Data::Real(proto.int32_data.iter().map(|&bits| half(bits as u16)).collect()),
        16 => Data::Real(proto.int32_data.iter().map(|&bits| bfloat(bits as u16)).collect()),
        11 => Data::Real(proto.double_data.clone()),
        2..=6 | 9 => Data::Whole(proto.int32_data.iter().map(|&value| value.into()).collect()),
        7 => Data::Whole(proto.int64_data.clone()),
        8 => {
            let texts = proto.string_data.iter().map(|text| String::from_utf8(text.clone()));
            Data::Text(texts.collect::<Result<_, _>>().map_err(|_| "a text is not UTF-8".to_owned())?)
        }
        _ => Data::Whole(proto.uint64_data.iter().map(|&value| value as i64).collect()),
    })
}

fn raw(proto: &TensorProto) -> Result<Data, String> {
    fn values<const N: usize, T>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Result<Vec<T>, String> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        if !rest.is_empty() {
            return Err(format!("{} raw bytes are no multiple of {N}", bytes.len()));
        }
        Ok(chunks.iter().map(|&chunk| value(chunk)).collect())
    }
    let bytes = &proto.raw_data;
    Ok(match proto.data_type {
        1 => Data::Real(values(bytes, |b| f32::from_le_bytes(b).into())?),
        10 => Data::Real(values(bytes, |b| half(u16::from_le_bytes(b)))?),
        16 => Data::Real(values(bytes, |b| bfloat(u16::from_le_bytes(b)))?),
        11 => Data::Real(values(bytes, f64::from_le_bytes)?),
        2 | 9 => Data::Whole(values(bytes, |b: [u8; 1]| b[0].into())?),
        3 => Data::Whole(values(bytes, |b: [u8; 1]| (b[0] as i8).into())?),
        4 => Data::Whole(values(bytes, |b| u16::from_le_bytes(b).into())?),
        5 => Data::Whole(values(bytes, |b| i16::from_le_bytes(b).into())?),
        6 => Data::Whole(values(bytes, |b| i32::from_le_bytes(b).into())?),
        12 => Data::Whole(values(bytes, |b| u32::from_le_bytes(b).into())?),
        7 | 13 => Data::Whole(values(bytes, i64::from_le_bytes)?),
        _ => return Err("texts cannot be raw bytes".to_owned()),
    })
}

/// IEEE half precision to double, exact.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * libm::exp2(-24.0),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * libm::exp2(f64::from(exponent - 15)),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// bfloat16 to double, exact.
fn bfloat(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(data_type: i32, dims: &[i64]) -> TensorProto {
        TensorProto { name: "w".to_owned(), data_type, dims: dims.to_vec(), ..TensorProto::default() }
    }

    #[test]
    fn every_data_type_decodes_from_raw_bytes() {
        let cases: [(i32, &[u8], f64); 12] = [
            (1, &1.5_f32.to_le_bytes(), 1.5),
            (2, &[200], 200.0),
            (3, &[200], -56.0),
            (4, &[1, 2], 513.0),
            (5, &[255, 255], -1.0),
            (6, &(-7_i32).to_le_bytes(), -7.0),
            (7, &(-7_i64).to_le_bytes(), -7.0),
            (9, &[1], 1.0),
            (10, &[0x00, 0xc0], -2.0),
            (11, &0.1_f64.to_le_bytes(), 0.1),
            (12, &[255, 255, 255, 255], 4_294_967_295.0),
            (16, &[0x20, 0x40], 2.5),
        ];
        for (data_type, bytes, expected) in cases {
            let tensor = decode(&TensorProto { raw_data: bytes.to_vec(), ..proto(data_type, &[1]) }).unwrap();
            assert_eq!(tensor.numbers().unwrap(), [expected], "data type {data_type}");
        }
    }

    #[test]
    fn half_precision_covers_subnormals_and_specials() {
        assert_eq!(half(0x0001), 2_f64.powi(-24));
        assert_eq!(half(0x7bff), 65504.0);
        assert_eq!(half(0xfc00), f64::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn wrong_amounts_shapes_and_types_are_refused() {
        let refused = |tensor: TensorProto| matches!(decode(&tensor), Err(ImportError::BadTensor { .. }));
        assert!(refused(proto(1, &[1])));
        assert!(refused(TensorProto { raw_data: vec![0; 5], ..proto(1, &[1]) }));
        assert!(refused(TensorProto { raw_data: vec![0; 4], float_data: vec![0.0], ..proto(1, &[1]) }));
        assert!(refused(TensorProto { raw_data: vec![0; 8], ..proto(1, &[1]) }));
        assert!(refused(TensorProto { raw_data: vec![0; 8], ..proto(8, &[1]) }));
        assert!(refused(proto(1, &[-1])));
        assert!(refused(proto(1, &[1 << 40, 1 << 40])));
        assert!(refused(proto(14, &[1])));
        assert!(refused(TensorProto { string_data: vec![vec![0xff]], ..proto(8, &[1]) }));
    }

    #[test]
    fn external_data_is_refused() {
        let tensor = TensorProto { data_location: 1, ..proto(1, &[1]) };
        assert_eq!(decode(&tensor), Err(ImportError::ExternalData { tensor: "w".to_owned() }));
    }
}
