use super::{Entry, Frontier, LogError, Statement};
use crate::{Counts, Digest, Row, Schema};

/// Counts a log's predictions against the labels and groups of the dataset itself, and builds its tree again.
///
/// Holds only what must survive between messages; the caller keeps the position in the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    counts: Counts,
    frontier: Frontier,
}

impl Tally {
    /// Starts with no record.
    pub fn new(schema: &Schema) -> Self {
        Self { counts: Counts::new(schema), frontier: Frontier::default() }
    }

    /// Goes on with counts and tree of the same log, made earlier, which the caller vouches for; `None` where they
    /// have not as many records.
    pub fn resume(counts: Counts, roots: Vec<Digest>) -> Option<Self> {
        let size = u32::try_from(counts.total()).ok()?;
        Some(Self { counts, frontier: Frontier::resume(size, roots)? })
    }

    /// Adds the prediction for `row`, number `index` of the dataset, whose bytes are `record`.
    pub fn add(&mut self, index: u32, row: Row<'_>, record: &[u8], entry: Entry) -> Result<(), LogError> {
        self.counts.record(row.groups, row.label, entry.class)?;
        self.frontier.push(entry.record(index, record).leaf());
        Ok(())
    }

    /// The counts so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The tree so far.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Fails unless the records are all of the statement's log, and add up to its counters.
    pub fn check(&self, statement: &Statement) -> Result<(), LogError> {
        let log = &statement.predicate.log;
        if self.frontier.size() != log.size || self.frontier.root() != Some(log.root) {
            return Err(LogError::OtherSum("root"));
        }
        if self.counts.counters() != statement.predicate.counters {
            return Err(LogError::OtherSum("counters"));
        }
        Ok(())
    }
}
