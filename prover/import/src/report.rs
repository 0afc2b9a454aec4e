//! What the importer found out about the model it made.

use audit::Digest;
use serde::{Deserialize, Serialize};

pub use crate::oracle::Runtime;
pub use crate::quantize::LayerReport;

/// Differences between the integer model's scores and the float model's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreError {
    /// What the score is, e.g. `probability of "good"`.
    pub unit: String,
    /// Largest absolute difference.
    pub largest: f64,
    /// Mean absolute difference.
    pub mean: f64,
}

/// A label of the ONNX model and the dataset's class it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelClass {
    /// The label as text; a position where the output is a score.
    pub label: String,
    /// The class's name.
    pub class: String,
}

/// How closely the integer model follows the float model, and what it consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// SHA-256 of the ONNX file.
    pub source: Digest,
    /// Name and version of the program that wrote it.
    pub producer: String,
    /// The output that is the decision.
    pub output: String,
    /// What each of its labels means.
    pub labels: Vec<LabelClass>,
    /// What the output is compared with, where it is a single score.
    pub threshold: Option<f64>,
    /// What ran the float model.
    pub runtime: Runtime,
    /// Rows of the dataset.
    pub rows_in_dataset: u32,
    /// Rows that both models were run on.
    pub rows: u32,
    /// Rows on which both decide the same.
    pub equal_decisions: u32,
    /// Rows on which a value left its table, so that the integer model has no decision.
    pub out_of_table: u32,
    /// Score differences over the rows with a decision.
    pub score: ScoreError,
    /// B, bits of an activation.
    pub activation_bits: u8,
    /// Weights and biases.
    pub parameters: u64,
    /// How many times the calibrated range must fit in a table.
    pub margin: f64,
    /// Layers, first to last.
    pub layers: Vec<LayerReport>,
    /// Columns that the model reads, whose largest entry is below 64: their scale wastes the 16 bits of an entry.
    pub coarse_columns: Vec<String>,
}

impl Report {
    /// Share of rows with equal decisions.
    pub fn share_equal(&self) -> f64 {
        f64::from(self.equal_decisions) / f64::from(self.rows.max(1))
    }

    /// What may help, as text to follow an error.
    pub(crate) fn hint(&self) -> String {
        let mut hint = String::new();
        if self.out_of_table > 0 {
            hint += &format!(
                "; {} rows leave a table: calibrate on more rows or with a larger margin",
                self.out_of_table
            );
        }
        if !self.coarse_columns.is_empty() {
            let shown = self.coarse_columns.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = self.coarse_columns.len().saturating_sub(4);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            hint += &format!("; a larger scale helps in columns {shown}{more}");
        }
        hint
    }
}
