//! Memory as a persistent map of 4 KiB pages: cloning one is cheap, so a snapshot, an undo and a checkpoint
//! are each a clone, and two versions are compared by pointer.

use std::sync::Arc;

/// Bytes in one page, the granularity of snapshots and of the stable-memory write charge.
pub(crate) const PAGE: usize = 4096;
/// Pages in one leaf (1 MiB), the granularity at which an unchanged part is shared.
const LEAF: usize = 256;

pub(crate) type Page = [u8; PAGE];
static ZERO: Page = [0; PAGE];

type Leaf = Vec<Option<Arc<Page>>>;

/// Pages by index. A page that was never written is absent and reads as zero.
#[derive(Clone, Default)]
pub(crate) struct PageMap {
    leaves: Vec<Option<Arc<Leaf>>>,
}

impl PageMap {
    /// The page at `index`; zeroes if it was never written.
    pub(crate) fn page(&self, index: usize) -> &Page {
        self.shared(index).map_or(&ZERO, |page| page)
    }

    fn shared(&self, index: usize) -> Option<&Arc<Page>> {
        self.leaves.get(index / LEAF)?.as_ref()?[index % LEAF].as_ref()
    }

    /// Replaces the page at `index`. An all-zero page is stored as absent.
    pub(crate) fn set(&mut self, index: usize, bytes: &Page) {
        let page = (bytes != &ZERO).then(|| Arc::new(*bytes));
        *self.slot(index) = page;
    }

    /// Puts an already shared page in place (used when state is loaded).
    pub(crate) fn insert(&mut self, index: usize, page: Arc<Page>) {
        *self.slot(index) = Some(page);
    }

    fn slot(&mut self, index: usize) -> &mut Option<Arc<Page>> {
        let leaf = index / LEAF;
        if leaf >= self.leaves.len() {
            self.leaves.resize(leaf + 1, None);
        }
        let leaf = self.leaves[leaf].get_or_insert_with(|| Arc::new(vec![None; LEAF]));
        &mut Arc::make_mut(leaf)[index % LEAF]
    }

    /// Copies the bytes at `offset` into `into`.
    pub(crate) fn read(&self, mut offset: u64, mut into: &mut [u8]) {
        while !into.is_empty() {
            let (index, start) = ((offset / PAGE as u64) as usize, (offset % PAGE as u64) as usize);
            let length = into.len().min(PAGE - start);
            let (head, rest) = into.split_at_mut(length);
            head.copy_from_slice(&self.page(index)[start..start + length]);
            into = rest;
            offset += length as u64;
        }
    }

    /// Writes `bytes` at `offset`, copying each touched page that another version still uses.
    pub(crate) fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (index, start) = ((offset / PAGE as u64) as usize, (offset % PAGE as u64) as usize);
            let length = bytes.len().min(PAGE - start);
            let page = self.slot(index).get_or_insert_with(|| Arc::new(ZERO));
            Arc::make_mut(page)[start..start + length].copy_from_slice(&bytes[..length]);
            bytes = &bytes[length..];
            offset += length as u64;
        }
    }

    /// Calls `visit` with each index whose page is not shared between the two maps.
    ///
    /// A page that was rewritten with equal bytes counts as changed; an unshared page is never missed.
    pub(crate) fn for_each_unshared(&self, other: &PageMap, mut visit: impl FnMut(usize)) {
        for leaf in 0..self.leaves.len().max(other.leaves.len()) {
            let (ours, theirs) = (self.leaf(leaf), other.leaf(leaf));
            if same(ours, theirs) {
                continue;
            }
            for page in 0..LEAF {
                let index = leaf * LEAF + page;
                if !same(self.shared(index), other.shared(index)) {
                    visit(index);
                }
            }
        }
    }

    fn leaf(&self, leaf: usize) -> Option<&Arc<Leaf>> {
        self.leaves.get(leaf)?.as_ref()
    }
}

fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written_across_pages_and_zero_elsewhere() {
        let mut map = PageMap::default();
        let bytes: Vec<u8> = (0..10_000u32).map(|i| i as u8 | 1).collect();
        map.write(PAGE as u64 * 300 - 17, &bytes);
        let mut back = vec![9; bytes.len() + 2];
        map.read(PAGE as u64 * 300 - 18, &mut back);
        assert_eq!(back[0], 0);
        assert_eq!(&back[1..=bytes.len()], &bytes[..]);
        assert_eq!(back[bytes.len() + 1], 0);
    }

    #[test]
    fn a_clone_does_not_see_later_writes_and_differs_exactly_there() {
        let mut map = PageMap::default();
        map.write(0, &[1; 3 * PAGE]);
        let before = map.clone();
        map.write(PAGE as u64 + 5, &[7]);
        map.write(PAGE as u64 * 1000, &[8]);
        assert_eq!(before.page(1)[5], 1);
        let mut changed = Vec::new();
        before.for_each_unshared(&map, |index| changed.push(index));
        assert_eq!(changed, [1, 1000]);
    }

    #[test]
    fn a_page_set_to_zero_is_not_stored() {
        let mut map = PageMap::default();
        map.set(3, &[1; PAGE]);
        map.set(3, &[0; PAGE]);
        assert!(map.shared(3).is_none());
    }
}
