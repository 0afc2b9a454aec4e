use crate::{AuditError, Counts, Engine, Model, Row, Schema, certificate::Level};

/// A running audit: the model is run on one row after the other, and each decision is counted.
///
/// Holds only what must survive between messages; the caller keeps the position in the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    counts: Counts,
}

impl Replay {
    /// Starts with zero counts; fails when the model was made for another encoding than the dataset's.
    pub fn new(model: &Model, schema: &Schema) -> Result<Self, AuditError> {
        Self::resume(model, schema, Counts::new(schema))
    }

    /// Goes on with counts made earlier by the same model on the same dataset, which the caller vouches for.
    pub fn resume(model: &Model, schema: &Schema, counts: Counts) -> Result<Self, AuditError> {
        schema.check_model(model.encoding, model.inputs(), model.classes)?;
        let empty = Counts::new(schema);
        if !counts.same_shape(&empty) {
            let (expected, got) = (empty.counters().len() as u64, counts.counters().len() as u64);
            return Err(AuditError::Mismatch { what: "counters of the dataset", expected, got });
        }
        Ok(Self { counts })
    }

    /// Runs the model on row `sample` and counts its decision.
    pub fn step(&mut self, engine: &mut Engine, sample: u32, row: Row<'_>) -> Result<u8, AuditError> {
        let prediction = engine.decide(row.features()).map_err(|cause| cause.at(sample))?;
        self.counts.record(row.groups, row.label, prediction)?;
        Ok(prediction)
    }

    /// The counts so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Ends the audit; fails unless exactly `sample_size` samples were counted.
    pub fn finish(self, sample_size: u32) -> Result<Verified, AuditError> {
        let (expected, got) = (u64::from(sample_size), self.counts.total());
        if expected != got {
            return Err(AuditError::Mismatch { what: "samples counted", expected, got });
        }
        Ok(Verified { counts: self.counts, level: Level::Replayed })
    }
}

/// Counts that were checked, and how. Only checking code makes one, and a certificate can only be made from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    counts: Counts,
    level: Level,
}

impl Verified {
    /// Counts that a zero-knowledge proof was verified for: only for callers that have just had the crate
    /// `verifier` say so. Fails unless they are of exactly `sample_size` samples.
    pub fn proved(counts: Counts, sample_size: u32) -> Result<Self, AuditError> {
        let verified = Replay { counts }.finish(sample_size)?;
        Ok(Self { level: Level::Proved, ..verified })
    }

    /// Counts of a signed log whose every record was counted against the dataset: only for callers whose
    /// [`crate::log::Tally`] has just agreed with the statement. `spot_checked` says that openings drawn afterwards were
    /// run again, without a difference. Fails unless they are of exactly `sample_size` samples.
    pub fn logged(counts: Counts, sample_size: u32, spot_checked: bool) -> Result<Self, AuditError> {
        let verified = Replay { counts }.finish(sample_size)?;
        let level = if spot_checked { Level::SpotChecked } else { Level::Attested };
        Ok(Self { level, ..verified })
    }

    /// How the counts were checked.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The checked counts.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}
