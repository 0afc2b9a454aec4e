//! Refuses graphs whose answer for one row depends on the other rows of a batch.
//!
//! The graph is folded as a function of a single row. A softmax over the batch, say, would then be read as a
//! constant, and the model's owner would never learn that the integer model is another one. So every node on the way
//! to the decision is run on several rows at once and on each alone, and both must agree.

use std::collections::BTreeMap;

use crate::{
    ImportError,
    float::{self, Trace},
    graph::Graph,
    tensor::{Data, Tensor},
};

/// Rows run at once where the batch dimension is open; unlikely as the extent of anything else.
const ROWS: usize = 17;
/// Largest fixed batch that is run.
const MAX_ROWS: usize = 1024;

/// What goes wrong when rows are run together.
pub struct Together {
    /// Errors of nodes, by position in the graph's order.
    faults: BTreeMap<usize, ImportError>,
    /// Outputs that are not one result per row, by slot.
    loose: BTreeMap<usize, String>,
}

impl Together {
    /// Runs the graph on rows taken from `raw` in turn, together and alone.
    pub fn new(graph: &Graph, columns: usize, raw: &[Vec<f64>]) -> Result<Self, ImportError> {
        let mut found = Self { faults: BTreeMap::new(), loose: BTreeMap::new() };
        let row = graph.input.one_row(columns)?;
        let count = match graph.input.dims.as_deref() {
            Some([_]) | Some([Some(1), ..]) => return Ok(found),
            Some([Some(count), ..]) if *count <= MAX_ROWS => *count,
            Some([Some(count), ..]) => {
                let got = *count as u64;
                return Err(ImportError::Limit {
                    what: "rows that the model takes at once",
                    max: MAX_ROWS as u64,
                    got,
                });
            }
            _ if row.contains(&ROWS) => ROWS + 2,
            _ => ROWS,
        };
        let needed = vec![true; graph.values.len()];
        let taken = || (0..count).filter_map(|at| raw.get(at % raw.len().max(1)));
        let mut dims = row.clone();
        dims[0] = count;
        let all = graph.input.tensor(dims, taken().flatten().copied().collect());
        let together = float::trace(graph, all, &needed);
        let carriers = carriers(graph);
        for (at, features) in taken().enumerate() {
            let alone = float::trace(graph, graph.input.tensor(row.clone(), features.clone()), &needed);
            found.compare(graph, &carriers, &together, &alone, at, count);
        }
        Ok(found)
    }

    fn compare(
        &mut self,
        graph: &Graph,
        carriers: &[bool],
        together: &Trace,
        alone: &Trace,
        at: usize,
        count: usize,
    ) {
        for (position, node) in graph.nodes.iter().enumerate() {
            if let (Some(error), None) = (together.failures.get(&position), alone.failures.get(&position)) {
                let fault = node.refuse(format!("it fails on {count} rows at once: {error}"));
                self.faults.entry(position).or_insert(fault);
            }
            for &slot in node.outputs.iter().flatten().filter(|&&slot| carriers[slot]) {
                let (Some(all), Some(one)) = (&together.values[slot], &alone.values[slot]) else { continue };
                let place = place(all, one, count);
                if place.is_none() && graph.outputs.contains(&slot) {
                    let loose = format!("shape {:?} for {count} rows, {:?} for one", all.dims, one.dims);
                    self.loose.entry(slot).or_insert(loose);
                }
                let same = match place {
                    Some(Place::Axis(axis)) => agree(&slice(all, axis, at, one.dims[axis]), one),
                    Some(Place::Whole) => agree(all, one),
                    None => true,
                };
                if !same {
                    let fault = node.refuse("its result for one row depends on the other rows of the batch");
                    self.faults.entry(position).or_insert(fault);
                }
            }
        }
    }

    /// Fails when a node on the way to an output mixes rows.
    pub fn check_nodes(&self, graph: &Graph, slot: usize) -> Result<(), ImportError> {
        let needed = graph.needed(slot);
        let fault = self.faults.iter().find(|(position, _)| graph.nodes[**position].is_needed(&needed));
        fault.map_or(Ok(()), |(_, fault)| Err(fault.clone()))
    }

    /// Fails when an output is not one result per row.
    pub fn check_output(&self, graph: &Graph, slot: usize) -> Result<(), ImportError> {
        match self.loose.get(&slot) {
            Some(shape) => {
                let cause = format!("output {:?} is not one result per row: {shape}", graph.values[slot]);
                Err(ImportError::NoDecision { cause })
            }
            None => Ok(()),
        }
    }
}

/// Values that depend on the features themselves, not only on their shape.
fn carriers(graph: &Graph) -> Vec<bool> {
    let mut carriers = vec![false; graph.values.len()];
    carriers[graph.input.slot] = true;
    for node in graph.nodes.iter().filter(|node| !(node.domain.is_empty() && node.operator == "Shape")) {
        if node.inputs.iter().flatten().any(|&slot| carriers[slot]) {
            node.outputs.iter().flatten().for_each(|&slot| carriers[slot] = true);
        }
    }
    carriers
}

/// Where one row's part of a value lies.
enum Place {
    /// At one index of this axis.
    Axis(usize),
    /// The value has no place per row.
    Whole,
}

fn place(all: &Tensor, one: &Tensor, count: usize) -> Option<Place> {
    if all.dims == one.dims {
        return Some(Place::Whole);
    }
    if all.dims.len() != one.dims.len() {
        return None;
    }
    let mut differing = (0..all.dims.len()).filter(|&axis| all.dims[axis] != one.dims[axis]);
    let axis = differing.next()?;
    let per_row =
        one.dims[axis] > 0 && all.dims[axis] == one.dims[axis] * count && differing.next().is_none();
    // A vector of all rows' entries, one row after the other, has its place too.
    (per_row && (one.dims[axis] == 1 || axis == 0)).then_some(Place::Axis(axis))
}

/// The part of row `at` along an axis, `part` entries long.
fn slice(all: &Tensor, axis: usize, at: usize, part: usize) -> Tensor {
    let extent = |dims: &[usize]| dims.iter().product::<usize>();
    let (outer, inner) = (extent(&all.dims[..axis]), extent(&all.dims[axis + 1..]));
    let indices = (0..outer).flat_map(|o| (0..part).map(move |p| o * all.dims[axis] + at * part + p));
    let sources: Vec<usize> = indices.flat_map(|index| (0..inner).map(move |i| index * inner + i)).collect();
    all.pick(vec![sources.len()], &sources)
}

fn agree(a: &Tensor, b: &Tensor) -> bool {
    match (&a.data, &b.data) {
        (Data::Real(a), Data::Real(b)) => {
            let near = |(a, b): (&f64, &f64)| {
                (a - b).abs() <= 1e-5 * (1e-3 + a.abs().max(b.abs())) || a == b || a.is_nan() && b.is_nan()
            };
            a.len() == b.len() && a.iter().zip(b).all(near)
        }
        (a, b) => a == b,
    }
}
