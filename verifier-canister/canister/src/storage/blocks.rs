use ic_stable_structures::Memory;
use interface::{CHUNK_BYTES, Error};
use serde::{Deserialize, Serialize};

use super::Table;

const PAGE_BYTES: u64 = 65_536;
const BLOCK_BYTES: u64 = CHUNK_BYTES as u64;

/// Bytes of a dataset or model: a list of blocks, the last one not full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Number of bytes.
    pub size: u64,
    /// Block numbers, in order.
    pub blocks: Vec<u32>,
}

/// Number of blocks that hold `size` bytes.
pub fn blocks_for(size: u64) -> u64 {
    size.div_ceil(BLOCK_BYTES)
}

/// Stable memory in blocks of [`CHUNK_BYTES`], so that a chunk is written, and a row read, where it lies.
///
/// Block `n` is at byte `n · CHUNK_BYTES` of its own memory; blocks given back are used again.
pub struct Blocks<M: Memory> {
    region: M,
    free: Table<u32, (), M>,
}

impl<M: Memory> Blocks<M> {
    /// Opens the region and the list of free blocks.
    pub fn open(region: M, free: M) -> Self {
        Self { region, free: Table::open(free) }
    }

    /// A block that nobody uses.
    pub fn allocate(&mut self) -> Result<u32, Error> {
        let free = self.free.keys(..).next().transpose()?;
        if let Some(block) = free {
            self.free.remove(&block);
            return Ok(block);
        }
        let pages = self.region.size();
        let block = u32::try_from(pages * PAGE_BYTES / BLOCK_BYTES).map_err(Error::internal)?;
        if self.region.grow(BLOCK_BYTES / PAGE_BYTES) < 0 {
            return Err(Error::internal("stable memory is full"));
        }
        Ok(block)
    }

    /// Gives a block back.
    pub fn release(&mut self, block: u32) -> Result<(), Error> {
        self.free.put(block, &())
    }

    /// Overwrites the start of a block; `bytes` are at most [`CHUNK_BYTES`].
    pub fn write(&mut self, block: u32, bytes: &[u8]) -> Result<(), Error> {
        let start = self.place(block, 0, bytes.len())?;
        self.region.write(start, bytes);
        Ok(())
    }

    /// Fills `out` from byte `offset` of `content`; fails behind the end.
    pub fn read(&self, content: &Content, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let end = offset.checked_add(out.len() as u64).filter(|&end| end <= content.size);
        if end.is_none() {
            return Err(Error::internal("read behind the end of content"));
        }
        let mut offset = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let within = offset % BLOCK_BYTES;
            let count = (BLOCK_BYTES - within).min(rest.len() as u64);
            let block =
                usize::try_from(offset / BLOCK_BYTES).ok().and_then(|index| content.blocks.get(index));
            let block = *block.ok_or_else(|| Error::internal("content lacks a block"))?;
            let (now, later) = rest.split_at_mut(count as usize);
            let start = self.place(block, within, now.len())?;
            self.region.read(start, now);
            rest = later;
            offset += count;
        }
        Ok(())
    }

    /// All of `content`.
    pub fn read_all(&self, content: &Content) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; usize::try_from(content.size).map_err(Error::internal)?];
        self.read(content, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// The address of `count` bytes within a block that exists.
    fn place(&self, block: u32, within: u64, count: usize) -> Result<u64, Error> {
        let start = u64::from(block) * BLOCK_BYTES + within;
        if within + count as u64 > BLOCK_BYTES || start + count as u64 > self.region.size() * PAGE_BYTES {
            return Err(Error::internal("block out of bounds"));
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use ic_stable_structures::VectorMemory;

    use super::*;

    fn filled(blocks: &mut Blocks<VectorMemory>, sizes: &[usize]) -> Content {
        let mut content = Content { size: 0, blocks: Vec::new() };
        for (index, &size) in sizes.iter().enumerate() {
            let block = blocks.allocate().unwrap();
            blocks.write(block, &vec![index as u8 + 1; size]).unwrap();
            content.blocks.push(block);
            content.size += size as u64;
        }
        content
    }

    #[test]
    fn content_reads_across_blocks() {
        let mut blocks = Blocks::open(VectorMemory::default(), VectorMemory::default());
        let full = BLOCK_BYTES as usize;
        let content = filled(&mut blocks, &[full, full, 10]);
        let mut out = [0; 4];
        blocks.read(&content, BLOCK_BYTES - 2, &mut out).unwrap();
        assert_eq!(out, [1, 1, 2, 2]);
        blocks.read(&content, 2 * BLOCK_BYTES + 6, &mut out).unwrap();
        assert_eq!(out, [3; 4]);
        assert!(blocks.read(&content, 2 * BLOCK_BYTES + 7, &mut out).is_err());
        assert!(blocks.read(&content, u64::MAX, &mut out).is_err());
        assert_eq!(blocks.read_all(&content).unwrap().len(), 2 * full + 10);
    }

    #[test]
    fn released_blocks_are_used_again() {
        let (region, free) = (VectorMemory::default(), VectorMemory::default());
        let mut blocks = Blocks::open(region.clone(), free.clone());
        assert_eq!([(); 3].map(|()| blocks.allocate().unwrap()), [0, 1, 2]);
        blocks.release(1).unwrap();
        let mut blocks = Blocks::open(region, free);
        assert_eq!([blocks.allocate().unwrap(), blocks.allocate().unwrap()], [1, 3]);
    }

    #[test]
    fn broken_content_is_an_error() {
        let mut blocks = Blocks::open(VectorMemory::default(), VectorMemory::default());
        filled(&mut blocks, &[10]);
        let mut out = [0; 4];
        for wrong in [Content { size: 10, blocks: vec![] }, Content { size: 10, blocks: vec![7] }] {
            assert!(matches!(blocks.read(&wrong, 0, &mut out), Err(Error::Internal { .. })));
        }
        assert!(blocks.write(0, &vec![0; BLOCK_BYTES as usize + 1]).is_err());
        assert!(blocks.write(9, &[0]).is_err());
    }
}
