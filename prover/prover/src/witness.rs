//! Runs the integer model on all samples and keeps every intermediate value.

use audit::{
    Activation, Decision, Model,
    engine::{EngineError, OutOfTable},
};
use rayon::prelude::*;
use verifier::Statement;

use crate::ProveError;

/// The values of one slot of the layout, `samples × units`, sample after sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotValues {
    /// H.
    pub units: usize,
    /// Requantized values; for arg-max, by how much a unit is below the largest.
    pub q: Vec<i32>,
    /// Remainders.
    pub r: Vec<i32>,
    /// Activations; for arg-max, 1 for the chosen unit.
    pub x: Vec<i32>,
}

/// All values of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// One entry per slot of the layout.
    pub slots: Vec<SlotValues>,
    /// The class of each sample.
    pub decisions: Vec<u8>,
}

impl Witness {
    /// Runs the model on `samples × inputs` features.
    pub fn new(model: &Model, features: &[i16]) -> Result<Self, ProveError> {
        let inputs = model.inputs() as usize;
        let samples = features.len() / inputs;
        let runs: Vec<Vec<Values>> = features
            .par_chunks_exact(inputs)
            .enumerate()
            .map(|(sample, row)| run(model, row).map_err(|cause| ProveError::Sample { sample, cause }))
            .collect::<Result<_, _>>()?;
        let mut slots: Vec<SlotValues> = runs
            .first()
            .map(|run| run.iter().map(|values| SlotValues::with_capacity(values.q.len(), samples)).collect())
            .unwrap_or_default();
        let mut decisions = Vec::with_capacity(samples);
        for run in runs {
            let last = &run[run.len() - 1].x;
            decisions.push(match model.decision {
                Decision::Step => last[0] as u8,
                Decision::ArgMax => last.iter().position(|&chosen| chosen == 1).unwrap_or(0) as u8,
            });
            for (slot, values) in slots.iter_mut().zip(run) {
                slot.q.extend(values.q);
                slot.r.extend(values.r);
                slot.x.extend(values.x);
            }
        }
        Ok(Self { slots, decisions })
    }

    /// How often each class was decided in each cell.
    pub fn counts(&self, cell_of: &[u32], cells: usize, classes: usize) -> Vec<u32> {
        let mut counts = vec![0; cells * classes];
        for (&cell, &class) in cell_of.iter().zip(&self.decisions) {
            counts[cell as usize * classes + usize::from(class)] += 1;
        }
        counts
    }

    /// Requantized values of the last layer, before its function, `samples × units`.
    pub fn outputs(&self, model: &Model) -> Vec<i16> {
        let last = self.slots.get(model.layers.len() - 1);
        // A validated model has at most 16 activation bits.
        last.map_or_else(Vec::new, |slot| slot.q.iter().map(|&q| q as i16).collect())
    }

    /// Checks that the statement's counts and outputs are those of the run.
    pub fn check(&self, model: &Model, statement: &Statement<'_>) -> Result<(), ProveError> {
        let counts = self.counts(statement.cell_of, statement.cells, statement.classes());
        if counts != statement.counts {
            return Err(ProveError::False("the counts are not those of the model"));
        }
        if !statement.outputs.is_empty() && self.outputs(model) != statement.outputs {
            return Err(ProveError::False("the outputs are not those of the model"));
        }
        Ok(())
    }
}

impl SlotValues {
    fn with_capacity(units: usize, samples: usize) -> Self {
        let values = || Vec::with_capacity(units * samples);
        Self { units, q: values(), r: values(), x: values() }
    }
}

struct Values {
    q: Vec<i32>,
    r: Vec<i32>,
    x: Vec<i32>,
}

fn run(model: &Model, features: &[i16]) -> Result<Vec<Values>, EngineError> {
    let half = 1_i64 << (model.activation_bits - 1);
    let mut slots: Vec<Values> = Vec::with_capacity(model.layers.len() + 1);
    let mut input: Vec<i32> = features.iter().map(|&feature| feature.into()).collect();
    for (index, layer) in model.layers.iter().enumerate() {
        let mut values = Values { q: Vec::new(), r: Vec::new(), x: Vec::new() };
        for (unit, (weights, &bias)) in
            layer.weights.chunks_exact(layer.inputs as usize).zip(&layer.bias).enumerate()
        {
            let products = weights.iter().zip(&input).map(|(&w, &x)| i64::from(w) * i64::from(x));
            let sum = products.sum::<i64>() + i64::from(bias) + (1 << (layer.shift - 1));
            let q = sum >> layer.shift;
            if q < -half || q >= half {
                return Err(OutOfTable { layer: index as u8 + 1, unit: unit as u32, value: q }.into());
            }
            let x = match layer.activation {
                Activation::Identity => q as i32,
                Activation::Relu => q.max(0) as i32,
                Activation::Step => i32::from(q > 0),
                Activation::Table(table) => {
                    model.tables[usize::from(table)].values[(q + half) as usize].into()
                }
            };
            values.q.push(q as i32);
            values.r.push((sum - (q << layer.shift)) as i32);
            values.x.push(x);
        }
        input.clone_from(&values.x);
        slots.push(values);
    }
    if model.decision == Decision::ArgMax {
        slots.push(arg_max(&input));
    }
    Ok(slots)
}

/// The largest unit, the first among equals: units before it must be smaller, units after it not larger.
fn arg_max(x: &[i32]) -> Values {
    let largest = x.iter().copied().max().unwrap_or(0);
    let chosen = x.iter().position(|&x| x == largest).unwrap_or(0);
    let below = |(unit, x)| largest - x - i32::from(unit < chosen);
    Values {
        q: x.iter().copied().enumerate().map(below).collect(),
        r: vec![0; x.len()],
        x: (0..x.len()).map(|unit| i32::from(unit == chosen)).collect(),
    }
}
