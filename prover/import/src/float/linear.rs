//! Matrix products and batch normalization.

use super::{input, numbers, precision};
use crate::{
    ImportError,
    graph::Node,
    layout,
    tensor::{self, Tensor},
};

/// Most multiplications of one matrix product.
const MAX_PRODUCTS: u64 = 1 << 27;

/// Shapes of a product `[.., n, k] × [.., k, m]` after numpy's rules for vectors: batch, n, k, m, and the result's shape.
pub struct Product {
    /// Batch extents after broadcasting.
    pub batch: Vec<usize>,
    /// Batch extents of each operand.
    pub batches: [Vec<usize>; 2],
    /// Rows.
    pub n: usize,
    /// Summed extent.
    pub k: usize,
    /// Columns.
    pub m: usize,
    /// The result's shape.
    pub dims: Vec<usize>,
}

/// Works out the shapes of MatMul.
pub fn product(node: &Node, a: &[usize], b: &[usize]) -> Result<Product, ImportError> {
    let bad = || node.refuse(format!("shapes {a:?} and {b:?} cannot be multiplied"));
    let (batch_a, n, k) = match a {
        [] => return Err(bad()),
        [k] => (vec![], 1, *k),
        [batch @ .., n, k] => (batch.to_vec(), *n, *k),
    };
    let (batch_b, rows, m) = match b {
        [] => return Err(bad()),
        [k] => (vec![], *k, 1),
        [batch @ .., k, m] => (batch.to_vec(), *k, *m),
    };
    let batch = layout::broadcast(&batch_a, &batch_b).filter(|_| rows == k).ok_or_else(bad)?;
    let mut dims = batch.clone();
    if a.len() > 1 {
        dims.push(n);
    }
    if b.len() > 1 {
        dims.push(m);
    }
    let products = tensor::elements(&dims).map(|count| count as u64 * k as u64);
    if products.is_none_or(|products| products > MAX_PRODUCTS) {
        return Err(node.refuse("the matrix product is too large"));
    }
    Ok(Product { batch, batches: [batch_a, batch_b], n, k, m, dims })
}

/// MatMul with numpy's broadcasting.
pub fn matmul(node: &Node, a: &Tensor, b: &Tensor) -> Result<Tensor, ImportError> {
    let shape = product(node, &a.dims, &b.dims)?;
    let element = precision(a.element);
    let (a, b) = (numbers(node, a)?, numbers(node, b)?);
    let at_a = layout::spread(&shape.batches[0], &shape.batch);
    let at_b = layout::spread(&shape.batches[1], &shape.batch);
    let mut values = Vec::new();
    for (&batch_a, &batch_b) in at_a.iter().zip(&at_b) {
        for row in 0..shape.n {
            let a = &a[(batch_a * shape.n + row) * shape.k..][..shape.k];
            let mut sums = vec![0.0; shape.m];
            for (k, &a) in a.iter().enumerate() {
                let b = &b[(batch_b * shape.k + k) * shape.m..][..shape.m];
                sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum += a * b);
            }
            values.extend(sums);
        }
    }
    Ok(Tensor::real(shape.dims, element, values))
}

/// Gemm: `alpha·A'·B' + beta·C`.
pub fn gemm(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Tensor, ImportError> {
    let (mut a, mut b) = (input(node, inputs, 0)?.clone(), input(node, inputs, 1)?.clone());
    if a.dims.len() != 2 || b.dims.len() != 2 {
        return Err(node.refuse("its operands are no matrices"));
    }
    if node.integer("transA", 0)? != 0 {
        a = transposed(&a);
    }
    if node.integer("transB", 0)? != 0 {
        b = transposed(&b);
    }
    let product = matmul(node, &a, &b)?;
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    let mut values: Vec<f64> = numbers(node, &product)?.into_iter().map(|value| alpha * value).collect();
    if let Some(c) = inputs.get(2).copied().flatten() {
        if layout::broadcast(&c.dims, &product.dims).as_ref() != Some(&product.dims) {
            return Err(node.refuse(format!("C with shape {:?} does not fit {:?}", c.dims, product.dims)));
        }
        let c_values = numbers(node, c)?;
        let sources = layout::spread(&c.dims, &product.dims);
        values.iter_mut().zip(sources).for_each(|(value, at)| *value += beta * c_values[at]);
    }
    Ok(Tensor::real(product.dims.clone(), product.element, values))
}

/// The transpose of a matrix.
pub fn transposed(matrix: &Tensor) -> Tensor {
    let (rows, columns) = (matrix.dims[0], matrix.dims[1]);
    let sources: Vec<usize> = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c)).collect();
    matrix.pick(vec![columns, rows], &sources)
}

/// Gain and offset of each channel of a BatchNormalization for inference.
pub fn normalization(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Vec<(f64, f64)>, ImportError> {
    if node.integer("training_mode", 0)? != 0 {
        return Err(node.refuse("the model was exported in training mode; export it for inference"));
    }
    if node.integer("spatial", 1)? != 1 {
        return Err(node.refuse("statistics per element are not supported"));
    }
    let epsilon = node.float("epsilon", 1e-5)?;
    let [scale, bias, mean, variance] =
        [1, 2, 3, 4].map(|at| input(node, inputs, at).and_then(|t| numbers(node, t)));
    let (scale, bias, mean, variance) = (scale?, bias?, mean?, variance?);
    if [bias.len(), mean.len(), variance.len()] != [scale.len(); 3] {
        return Err(node.refuse("its parameters have different lengths"));
    }
    let channel = |at: usize| {
        let gain = scale[at] / (variance[at] + epsilon).sqrt();
        (gain, bias[at] - gain * mean[at])
    };
    Ok((0..scale.len()).map(channel).collect())
}

/// The channel of each element of a tensor: dimension 1, or all of it when there is no other.
pub fn channels(node: &Node, dims: &[usize], count: usize) -> Result<Vec<usize>, ImportError> {
    let channels =
        *dims.get(1).ok_or_else(|| node.refuse(format!("its input has shape {dims:?}, without channels")))?;
    if channels != count {
        return Err(node.refuse(format!("{count} channels for an input with shape {dims:?}")));
    }
    let inner: usize = dims[2..].iter().product();
    Ok((0..dims.iter().product()).map(|at: usize| at / inner.max(1) % channels.max(1)).collect())
}

/// BatchNormalization for inference.
pub fn batch_normalization(node: &Node, inputs: &[Option<&Tensor>]) -> Result<Tensor, ImportError> {
    let x = input(node, inputs, 0)?;
    let scales = normalization(node, inputs)?;
    let channels = channels(node, &x.dims, scales.len())?;
    let value = |(x, channel): (f64, usize)| scales[channel].0 * x + scales[channel].1;
    let values = numbers(node, x)?.into_iter().zip(channels).map(value).collect();
    Ok(Tensor::real(x.dims.clone(), precision(x.element), values))
}
