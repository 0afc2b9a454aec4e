//! Rows of a dataset in stable memory, read a stretch at a time and never one by one.

use audit::DatasetHeader;
use ic_stable_structures::Memory;
use interface::Error;

use crate::storage::{Blocks, Content};

/// Most bytes of a stretch.
const STRETCH_BYTES: u64 = 256 << 10;
/// A gap between wanted rows that is cheaper to read than to skip: a read costs about as much as this many bytes.
const GAP_BYTES: u64 = 2 << 10;

/// Reads rows of one dataset.
pub struct RowReader<'a, M: Memory> {
    blocks: &'a Blocks<M>,
    content: &'a Content,
    header: &'a DatasetHeader,
    buffer: Vec<u8>,
}

impl<'a, M: Memory> RowReader<'a, M> {
    /// Starts with a header that belongs to `content`.
    pub fn new(blocks: &'a Blocks<M>, content: &'a Content, header: &'a DatasetHeader) -> Self {
        Self { blocks, content, header, buffer: Vec::new() }
    }

    /// Calls `visit` with the bytes of every row.
    pub fn all(&mut self, mut visit: impl FnMut(u32, &[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut first = 0;
        while first < self.header.rows {
            let count = self.rows_in(STRETCH_BYTES).min(self.header.rows - first);
            self.fill(first, count)?;
            for row in first..first + count {
                visit(row, self.row(first, row))?;
            }
            first += count;
        }
        Ok(())
    }

    /// Reads a stretch that starts with `wanted[0]`, and calls `visit` with the bytes of those of `wanted` that lie in it;
    /// returns how many those were, at least one and at most `most`. `wanted` increases and is not empty.
    pub fn some(
        &mut self,
        wanted: &[u32],
        most: usize,
        mut visit: impl FnMut(u32, &[u8]) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let Some(&first) = wanted.first() else { return Ok(0) };
        let (gap, stretch) = (self.rows_in(GAP_BYTES), self.rows_in(STRETCH_BYTES));
        let mut last = first;
        let mut count = 0;
        for &row in wanted.iter().take(most.max(1)) {
            if row - last > gap || row - first >= stretch {
                break;
            }
            last = row;
            count += 1;
        }
        self.fill(first, last - first + 1)?;
        for &row in wanted.iter().take(count) {
            visit(row, self.row(first, row))?;
        }
        Ok(count)
    }

    /// Rows that fit into `bytes`, at least one.
    fn rows_in(&self, bytes: u64) -> u32 {
        (bytes / self.header.schema.record_len() as u64).max(1) as u32
    }

    fn fill(&mut self, first: u32, count: u32) -> Result<(), Error> {
        self.buffer.resize(self.header.schema.record_len() * count as usize, 0);
        self.blocks.read(self.content, self.header.row_offset(first), &mut self.buffer)
    }

    fn row(&self, first: u32, row: u32) -> &[u8] {
        let length = self.header.schema.record_len();
        let start = (row - first) as usize * length;
        // A record that is too short is refused by its parser.
        self.buffer.get(start..start + length).unwrap_or_default()
    }
}
