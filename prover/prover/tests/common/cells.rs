//! Committed values by slot, sample and unit, for provers that change them.
#![allow(dead_code)]

use std::collections::BTreeMap;

use audit::{Activation, Model};
use prover::{audit_proof::Tapes, tape::Tape};
use verifier::{Architecture, F, Layout, Tape as Name, layout::shift_tag};

/// One cell of a slot.
#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub tape: Name,
    pub slot: usize,
    pub sample: usize,
    pub unit: usize,
}

/// The values of a run, to be changed.
pub struct Cells<'t, 'm> {
    pub architecture: &'t Architecture,
    pub layout: &'t Layout,
    pub tapes: &'t mut Tapes<'m>,
}

impl Cells<'_, '_> {
    /// Q, R and X of a unit.
    pub fn all(&self, slot: usize, sample: usize, unit: usize) -> [i32; 3] {
        [Name::Q, Name::R, Name::X].map(|tape| self.at(Cell { tape, slot, sample, unit }))
    }

    pub fn at(&self, cell: Cell) -> i32 {
        let Tape::Small { cells, .. } = self.tapes.tape(cell.tape) else { panic!("a full tape") };
        cells[self.position(cell)]
    }

    pub fn set(&mut self, cell: Cell, value: i32) {
        let position = self.position(cell);
        let (cells, random) = self.tape(cell.tape);
        cells[position] = value;
        random.remove(&position);
    }

    /// Sets Q, R and X of a unit.
    pub fn set_all(&mut self, slot: usize, sample: usize, unit: usize, values: [i32; 3]) {
        for (tape, value) in [Name::Q, Name::R, Name::X].into_iter().zip(values) {
            self.set(Cell { tape, slot, sample, unit }, value);
        }
    }

    /// Sets a cell to a value that is no small integer.
    pub fn set_field(&mut self, cell: Cell, value: F) {
        self.set(cell, 0);
        let position = self.position(cell);
        self.tape(cell.tape).1.insert(position, value);
    }

    /// The multiplicity of an entry.
    pub fn multiplicity(&mut self, entry: usize) -> &mut i32 {
        let position = self.tapes.domain.position(self.layout.table.base) + entry;
        &mut self.tape(Name::Q).0[position]
    }

    /// Counts anew how often each entry is used; what is in no table counts nowhere.
    pub fn recount(&mut self) {
        let entries = self.layout.entries(self.architecture).enumerate();
        let places: BTreeMap<_, _> =
            entries.map(|(index, entry)| ((entry.tag, entry.key, entry.value), index)).collect();
        let mut counts = vec![0; self.layout.table.entries];
        for (index, slot) in self.layout.slots.iter().enumerate() {
            for sample in 0..self.layout.samples {
                for unit in 0..slot.units {
                    let [q, r, x] = self.all(index, sample, unit);
                    for entry in [(slot.function.tag(), q, x), (shift_tag(slot.shift), r, 0)] {
                        places.get(&entry).into_iter().for_each(|&place| counts[place] += 1);
                    }
                }
            }
        }
        for (entry, count) in counts.into_iter().enumerate() {
            *self.multiplicity(entry) = count;
        }
    }

    /// Runs the layers from `first > 0` on for one sample, on whatever the layer before holds.
    pub fn rerun(&mut self, model: &Model, sample: usize, first: usize) {
        for (index, layer) in model.layers.iter().enumerate().skip(first) {
            let read = |unit| i64::from(self.all(index - 1, sample, unit)[2]);
            let input: Vec<i64> = (0..layer.inputs as usize).map(read).collect();
            for unit in 0..layer.units as usize {
                let weights = &layer.weights[unit * input.len()..][..input.len()];
                let products = weights.iter().zip(&input).map(|(&w, x)| i64::from(w) * x);
                let sum = products.sum::<i64>() + i64::from(layer.bias[unit]) + (1 << (layer.shift - 1));
                let q = (sum >> layer.shift) as i32;
                let rest = (sum - (i64::from(q) << layer.shift)) as i32;
                let x = match layer.activation {
                    Activation::Identity => q,
                    Activation::Relu => q.max(0),
                    Activation::Step => i32::from(q > 0),
                    Activation::Table(_) => panic!("no tables here"),
                };
                self.set_all(index, sample, unit, [q, rest, x]);
            }
        }
    }

    fn position(&self, cell: Cell) -> usize {
        let slot = &self.layout.slots[cell.slot];
        self.tapes.domain.position(slot.base + (cell.sample << slot.unit_bits) + cell.unit)
    }

    fn tape(&mut self, name: Name) -> (&mut Vec<i32>, &mut BTreeMap<usize, F>) {
        let tape = match name {
            Name::Q => &mut self.tapes.q,
            Name::R => &mut self.tapes.r,
            _ => &mut self.tapes.x,
        };
        match tape {
            Tape::Small { cells, random } => (cells, random),
            Tape::Full { .. } => panic!("a full tape"),
        }
    }
}
