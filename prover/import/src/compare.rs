//! Runs the integer model and the float model on the same rows and counts where they differ.

use audit::{Dataset, Engine};

use crate::{
    ImportError,
    dense::{self, FloatModel},
    fold::decision::{Decision, Labels},
    oracle::Oracle,
    quantize::Quantized,
    score::{self, Score},
    tensor::Tensor,
};

/// Both models and how their outputs correspond.
pub struct Comparison<'c> {
    /// The float model.
    pub oracle: Oracle,
    /// What its first output stands for.
    pub decision: &'c Decision,
    /// The class of each outcome.
    pub classes: &'c [u8],
    /// The scores that are compared.
    pub score: &'c Score,
}

/// What a comparison counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Rows compared.
    pub rows: u32,
    /// Rows on which both decide the same.
    pub equal: u32,
    /// Rows on which a value left its table.
    pub out_of_table: u32,
    /// Largest score difference.
    pub largest: f64,
    compared: u64,
    total: f64,
}

impl Figures {
    /// Share of rows on which both decide the same.
    pub fn share_equal(&self) -> f64 {
        f64::from(self.equal) / f64::from(self.rows.max(1))
    }

    /// Mean score difference.
    pub fn mean(&self) -> f64 {
        self.total / self.compared.max(1) as f64
    }
}

impl Comparison<'_> {
    /// Runs both models on the rows.
    pub fn run(
        &mut self,
        quantized: &Quantized,
        float: &FloatModel,
        folded: &[Vec<f64>],
        dataset: &Dataset,
        rows: impl Iterator<Item = u32>,
    ) -> Result<Figures, ImportError> {
        let mut engine = Engine::new(&quantized.model);
        let mut figures = Figures::default();
        for (row, folded) in rows.zip(folded) {
            let Some(record) = dataset.row(row) else { continue };
            let raw = dense::decode(dataset.schema(), record.features());
            let fail = |cause: String| ImportError::Oracle { row, cause };
            let outputs = self.oracle.run(&raw).map_err(fail)?;
            let expected = outputs.first().and_then(|output| self.class(output));
            let expected = expected.ok_or_else(|| fail("its output is no label or score".to_owned()))?;
            figures.rows += 1;
            let Ok(class) = engine.decide(record.features()) else {
                figures.out_of_table += 1;
                continue;
            };
            figures.equal += u32::from(class == expected);
            let Ok(accumulators) = engine.last_accumulators(record.features()) else { continue };
            let values = score::values(&accumulators, quantized.carried, quantized.unit, float.choice);
            let mut by_position = vec![None; self.score.output().map_or(0, |output| output + 1)];
            if let (Some(output), Some(tensor)) = (self.score.output(), outputs.get(1)) {
                by_position[output] = Some(tensor);
            }
            for difference in self.score.differences(&values, &by_position, folded) {
                figures.compared += 1;
                figures.largest = figures.largest.max(difference);
                figures.total += difference;
            }
        }
        Ok(figures)
    }

    /// The dataset's class that the float model's output stands for.
    fn class(&self, output: &Tensor) -> Option<u8> {
        let labels = &self.decision.labels;
        let outcome = match labels {
            Labels::Given(_) if output.len() == 1 => {
                (0..labels.len()).find(|&at| same_label(labels, at, output))?
            }
            Labels::Given(_) | Labels::Positions(_) => {
                let scores = output.numbers()?;
                match (scores.as_slice(), self.decision.threshold) {
                    ([score], Some(threshold)) => usize::from(*score > threshold),
                    (scores, _) if scores.len() == labels.len() => (0..scores.len())
                        .fold(0, |best, at| if scores[at] > scores[best] { at } else { best }),
                    _ => return None,
                }
            }
        };
        self.classes.get(outcome).copied()
    }
}

fn same_label(labels: &Labels, at: usize, output: &Tensor) -> bool {
    match (labels.integer(at), output.numbers()) {
        (Some(integer), Some(numbers)) => numbers.first() == Some(&(integer as f64)),
        _ => labels.text(at) == output.label(0),
    }
}
