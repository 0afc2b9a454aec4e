//! Matrix products and sums: where rows are combined, and a new layer begins if they have activation functions.

use super::{
    Call, Reader, Value,
    arithmetic::cells_of,
    cell::{Cell, Row, Terms},
};
use crate::{
    ImportError,
    float::{linear, reduce},
    layout,
};

/// Most multiplications that one product of symbolic rows may take.
const MAX_WORK: u64 = 1 << 33;

impl Reader {
    pub(super) fn matmul(
        &mut self,
        call: &Call<'_>,
        (dims_a, a): (&[usize], Vec<Cell>),
        (dims_b, b): (&[usize], Vec<Cell>),
    ) -> Result<Value, ImportError> {
        let shape = linear::product(call.node, dims_a, dims_b)?;
        let constants = |cells: &[Cell]| cells.iter().map(Cell::as_constant).collect::<Option<Vec<f64>>>();
        let (fixed_a, fixed_b) = (constants(&a), constants(&b));
        if fixed_a.is_none() && fixed_b.is_none() {
            return Err(call.node.refuse("it multiplies two values that both depend on the features"));
        }
        if fixed_a.is_some() && dims_a.len() > 2 || fixed_b.is_some() && dims_b.len() > 2 {
            return Err(call.node.refuse("its weights are no matrix"));
        }
        let rows = self.network.settle_all(call.node, if fixed_b.is_some() { &a } else { &b })?;
        let widest = rows.iter().map(|row| row.width() as u64).max().unwrap_or(1).max(1);
        let single = rows.iter().all(|row| !matches!(row.terms, Terms::Many(_)));
        let work =
            shape.dims.iter().product::<usize>() as u64 * shape.k as u64 * if single { 1 } else { widest };
        if work > MAX_WORK {
            return Err(ImportError::Limit {
                what: "multiplications to compose two layers",
                max: MAX_WORK,
                got: work,
            });
        }
        let at_a = layout::spread(&shape.batches[0], &shape.batch);
        let at_b = layout::spread(&shape.batches[1], &shape.batch);
        let mut cells = Vec::new();
        for (&batch_a, &batch_b) in at_a.iter().zip(&at_b) {
            for (n, m) in (0..shape.n).flat_map(|n| (0..shape.m).map(move |m| (n, m))) {
                let index_a = |k: usize| (batch_a * shape.n + n) * shape.k + k;
                let index_b = |k: usize| (batch_b * shape.k + k) * shape.m + m;
                let parts = (0..shape.k).map(|k| match &fixed_b {
                    Some(fixed) => (fixed[index_b(k)], rows[index_a(k)].as_ref()),
                    None => {
                        (fixed_a.as_ref().map_or(0.0, |fixed| fixed[index_a(k)]), rows[index_b(k)].as_ref())
                    }
                });
                cells.push(Cell::of_row(Row::sum(parts)));
            }
        }
        Ok(cells_of(shape.dims, cells))
    }

    pub(super) fn gemm(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let node = call.node;
        let operand = |position: usize, flag: &str| {
            let (dims, cells) = call.cells(position)?;
            let &[rows, columns] = dims else { return Err(node.refuse("its operands are no matrices")) };
            if node.integer(flag, 0)? == 0 {
                return Ok((dims.to_vec(), cells));
            }
            let sources = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
            Ok((vec![columns, rows], sources.map(|at| cells[at].clone()).collect()))
        };
        let ((dims_a, a), (dims_b, b)) = (operand(0, "transA")?, operand(1, "transB")?);
        let alpha = node.float("alpha", 1.0)?;
        let product = self.matmul(call, (&dims_a, a), (&dims_b, b))?;
        let Value::Cells { dims, cells } = product else { return Ok(product) };
        let cells: Vec<Cell> = cells.iter().map(|cell| cell.affine(alpha, 0.0)).collect();
        if call.inputs.get(2).copied().flatten().is_none() {
            return Ok(cells_of(dims, cells));
        }
        let beta = node.float("beta", 1.0)?;
        let (dims_c, c) = call.cells(2)?;
        if layout::broadcast(dims_c, &dims).as_ref() != Some(&dims) {
            return Err(node.refuse(format!("C with shape {dims_c:?} does not fit {dims:?}")));
        }
        let c = c.iter().map(|cell| cell.affine(beta, 0.0)).collect();
        self.binary(call, "Add", (&dims, cells), (dims_c, c))
    }

    pub(super) fn reduce(&mut self, call: &Call<'_>) -> Result<Value, ImportError> {
        let (dims, cells) = call.cells(0)?;
        let (result, axes) = reduce::axes(call.node, dims, &call.parameters())?;
        let mut sums = Vec::new();
        for group in reduce::groups(call.node, dims, &axes)? {
            let share = if call.node.operator == "ReduceMean" { 1.0 / group.len() as f64 } else { 1.0 };
            let parts: Vec<(f64, Cell)> = group.iter().map(|&at| (share, cells[at].clone())).collect();
            sums.push(self.network.sum(call.node, &parts)?);
        }
        Ok(cells_of(result, sums))
    }
}
