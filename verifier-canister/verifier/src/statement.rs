//! What a proof of an audit, or of predictions, claims in public.

use audit::{Decision, Digest};
use sha2::{Digest as _, Sha256};

use crate::{
    Architecture, RegisteredModel, VerifyError,
    error::in_range,
    layout::{MAX_SAMPLES, size},
};

/// Domain tag of an audit's statement.
const STATEMENT_MAGIC: &[u8; 8] = b"ASSAYST\x01";
/// Domain tag of a prediction's context.
const INFERENCE_MAGIC: &[u8; 8] = b"ASSAYIN\x01";
/// Most cells, and most counters, of one statement.
pub const MAX_COUNTERS: usize = 1 << 20;

/// "The committed model, run on these samples, decides exactly so often for each class in each cell", and, where
/// outputs are given, "and its last layer makes exactly these."
///
/// A cell is any public grouping of the samples: one per combination of groups and label in an audit; one per
/// sample where single predictions are proved.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Digest of architecture, owner and commitments of the model.
    pub model: Digest,
    /// The model's public part.
    pub architecture: &'a Architecture,
    /// What else the proof is bound to: the audit request, or whom a prediction is for.
    pub context: Digest,
    /// `samples × inputs` features.
    pub features: &'a [i16],
    /// The cell of each sample.
    pub cell_of: &'a [u32],
    /// Number of cells. It comes from whoever says what a cell is: were it taken from the counts, a model with
    /// another number of classes could have its decisions read as those of other cells.
    pub cells: usize,
    /// `cells × classes` counts of decisions.
    pub counts: &'a [u32],
    /// `samples × units` requantized values of the last layer, before its function; empty to claim none.
    pub outputs: &'a [i16],
}

impl Statement<'_> {
    /// N.
    pub fn samples(&self) -> usize {
        self.cell_of.len()
    }

    /// D of the first layer.
    pub fn inputs(&self) -> usize {
        self.architecture.inputs() as usize
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.architecture.classes.into()
    }

    /// H of the last layer.
    pub fn units(&self) -> usize {
        self.architecture.layers.last().map_or(0, |layer| layer.units as usize)
    }

    /// Fails unless all sizes agree and each cell's counts add up to its samples.
    pub fn check(&self) -> Result<(), VerifyError> {
        in_range("samples", 1, size(MAX_SAMPLES), size(self.samples()))?;
        let features = size(self.samples().saturating_mul(self.inputs()));
        in_range("features", features, features, size(self.features.len()))?;
        if self.features.contains(&i16::MIN) {
            return in_range("feature", (-i16::MAX).into(), i16::MAX.into(), i16::MIN.into());
        }
        if !self.outputs.is_empty() {
            let outputs = size(self.samples().saturating_mul(self.units()));
            in_range("outputs", outputs, outputs, size(self.outputs.len()))?;
        }
        in_range("counters", 1, size(MAX_COUNTERS), size(self.counts.len()))?;
        let counters = size(self.cells.saturating_mul(self.classes()));
        in_range("counters", counters, counters, size(self.counts.len()))?;
        in_range("classes of a step", 2, if self.is_step() { 2 } else { i64::MAX }, size(self.classes()))?;
        let mut left: Vec<i64> = self
            .counts
            .chunks(self.classes())
            .map(|counts| counts.iter().map(|&c| i64::from(c)).sum())
            .collect();
        for &cell in self.cell_of {
            let cells = size(left.len());
            match left.get_mut(cell as usize) {
                Some(left) => *left -= 1,
                None => return in_range("cell of a sample", 0, cells - 1, cell.into()),
            }
        }
        left.iter().try_for_each(|&left| in_range("counts minus samples of a cell", 0, 0, left))
    }

    fn is_step(&self) -> bool {
        self.architecture.decision == Decision::Step
    }

    /// What the transcript starts with.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(STATEMENT_MAGIC);
        hash.update(self.model.0);
        hash.update(Digest::of(&self.architecture.to_bytes()).0);
        hash.update(self.context.0);
        for length in [self.samples(), self.inputs(), self.classes(), self.cells, self.outputs.len()] {
            hash.update(size(length).to_le_bytes());
        }
        self.features.iter().for_each(|feature| hash.update(feature.to_le_bytes()));
        self.cell_of.iter().for_each(|cell| hash.update(cell.to_le_bytes()));
        self.counts.iter().for_each(|count| hash.update(count.to_le_bytes()));
        self.outputs.iter().for_each(|output| hash.update(output.to_le_bytes()));
        hash.finalize().into()
    }
}

/// Predictions: a statement in which every sample is a cell of its own.
#[derive(Debug, Clone)]
pub struct Inference<'a> {
    model: &'a RegisteredModel,
    context: Digest,
    features: &'a [i16],
    cell_of: Vec<u32>,
    counts: Vec<u32>,
    outputs: &'a [i16],
}

impl<'a> Inference<'a> {
    /// "This model decides these classes for these samples, and its last layer makes these outputs"; `context` is
    /// whatever the proof shall be bound to.
    pub fn new(
        model: &'a RegisteredModel,
        context: Digest,
        features: &'a [i16],
        classes: &[u8],
        outputs: &'a [i16],
    ) -> Result<Self, VerifyError> {
        let count = usize::from(model.commitment().architecture.classes);
        in_range("samples", 1, size(MAX_SAMPLES.min(MAX_COUNTERS / count.max(1))), size(classes.len()))?;
        let mut counts = vec![0; classes.len() * count];
        for (sample, &class) in counts.chunks_mut(count.max(1)).zip(classes) {
            match sample.get_mut(usize::from(class)) {
                Some(count) => *count = 1,
                None => in_range("class", 0, size(count) - 1, class.into())?,
            }
        }
        let cell_of = (0..).take(classes.len()).collect();
        Ok(Self { model, context: inference_context(context), features, cell_of, counts, outputs })
    }

    /// The statement to be proved or verified.
    pub fn statement(&self) -> Statement<'_> {
        Statement {
            model: self.model.id(),
            architecture: &self.model.commitment().architecture,
            context: self.context,
            features: self.features,
            cell_of: &self.cell_of,
            cells: self.cell_of.len(),
            counts: &self.counts,
            outputs: self.outputs,
        }
    }
}

/// A prediction's context never equals an audit's.
fn inference_context(context: Digest) -> Digest {
    Digest(Sha256::new().chain_update(INFERENCE_MAGIC).chain_update(context.0).finalize().into())
}
