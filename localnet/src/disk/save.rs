//! Writing a checkpoint: only pages that changed since the last one, then the record.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, SeekFrom, Write};

use candid::Principal;
use serde_bytes::ByteBuf;

use super::record::{CanisterRecord, Record};
use super::{Disk, io, replace};
use crate::NodeError;
use crate::machine::pages::{PAGE, PageMap};
use crate::subnet::state::{Canister, State};

/// Which of a canister's memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Memory {
    Heap,
    Stable,
}

/// What the current `state` file refers to.
#[derive(Default)]
pub(super) struct Saved {
    pub(super) memories: BTreeMap<(Principal, Memory), SavedMemory>,
    pub(super) blobs: BTreeSet<[u8; 32]>,
    pub(super) free: Vec<u32>,
    /// Slots of the file.
    pub(super) slots: u32,
}

/// A memory as it was saved: its pages, and the slot of each.
#[derive(Default)]
pub(super) struct SavedMemory {
    pub(super) pages: PageMap,
    pub(super) slots: BTreeMap<u32, u32>,
}

impl Disk {
    /// Makes the state durable.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; the checkpoint before is then still complete, and the next may succeed.
    pub(crate) fn save(&mut self, seed: [u8; 32], state: &State) -> Result<(), NodeError> {
        let mut changes = Changes::default();
        let mut blobs = BTreeSet::new();
        for (id, canister) in &state.canisters {
            changes.collect(&self.saved, (*id, Memory::Heap), &canister.heap.pages);
            changes.collect(&self.saved, (*id, Memory::Stable), &canister.stable.pages);
            if let Some(module) = &canister.module {
                self.write_blob(&mut blobs, module.hash, &module.bytes)?;
            }
            for (hash, chunk) in &canister.chunks {
                self.write_blob(&mut blobs, *hash, chunk)?;
            }
        }
        let tables = self.write_pages(changes)?;
        let record = Record {
            seed: seed.to_vec(),
            time: state.time,
            next_canister: state.next_canister,
            random: state.random.clone(),
            management: state.management.clone(),
            ledger: state.ledger.clone(),
            requests: (state.requests.iter())
                .map(|(id, request)| (ByteBuf::from(id.to_vec()), (**request).clone()))
                .collect(),
            canisters: (state.canisters.iter())
                .map(|(id, canister)| canister_record(*id, canister, &tables))
                .collect(),
        };
        let path = self.state_path();
        let bytes = record.to_bytes().map_err(|reason| NodeError::Damaged { path: path.clone(), reason })?;
        replace(&path, &bytes)?;
        self.release(tables, blobs)
    }

    fn write_blob(
        &self,
        blobs: &mut BTreeSet<[u8; 32]>,
        hash: [u8; 32],
        bytes: &[u8],
    ) -> Result<(), NodeError> {
        if blobs.insert(hash) && !self.saved.blobs.contains(&hash) {
            replace(&self.blob_path(&hash), bytes)?;
        }
        Ok(())
    }

    /// Writes pages to free slots and returns the new tables. What was free is taken only once this checkpoint
    /// is complete, so a failure in between loses nothing.
    fn write_pages(&mut self, changes: Changes) -> Result<Tables, NodeError> {
        let path = self.directory.join("pages");
        let mut free = self.saved.free.clone();
        let mut slots = self.saved.slots;
        let mut tables = Tables { memories: BTreeMap::new(), slots };
        for (key, pages, changed) in changes.memories {
            let old = self.saved.memories.get(&key);
            let mut table = old.map(|memory| memory.slots.clone()).unwrap_or_default();
            for index in changed {
                let page = pages.page(index as usize);
                if page.iter().all(|byte| *byte == 0) {
                    table.remove(&index);
                    continue;
                }
                let slot = free.pop().unwrap_or_else(|| {
                    slots += 1;
                    slots - 1
                });
                let at = SeekFrom::Start(u64::from(slot) * PAGE as u64);
                self.pages.seek(at).map_err(io("write", &path))?;
                self.pages.write_all(page).map_err(io("write", &path))?;
                table.insert(index, slot);
            }
            tables.memories.insert(key, SavedMemory { pages, slots: table });
        }
        tables.slots = slots;
        self.pages.sync_data().map_err(io("write", &path))?;
        Ok(tables)
    }

    /// After the record is in place: what only the one before referred to may be used again.
    fn release(&mut self, tables: Tables, blobs: BTreeSet<[u8; 32]>) -> Result<(), NodeError> {
        let stale: Vec<_> = self.saved.blobs.difference(&blobs).copied().collect();
        self.saved = Saved::new(tables.memories, blobs, tables.slots);
        for hash in stale {
            let path = self.blob_path(&hash);
            std::fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        Ok(())
    }
}

impl Saved {
    /// Finds the free slots: those that no table names.
    pub(super) fn new(
        memories: BTreeMap<(Principal, Memory), SavedMemory>,
        blobs: BTreeSet<[u8; 32]>,
        slots: u32,
    ) -> Self {
        let mut used = vec![false; slots as usize];
        for slot in memories.values().flat_map(|memory| memory.slots.values()) {
            if let Some(used) = used.get_mut(*slot as usize) {
                *used = true;
            }
        }
        let free = (0..slots).rev().filter(|slot| !used[*slot as usize]).collect();
        Saved { memories, blobs, free, slots }
    }
}

/// Where the pages of each memory are, after a checkpoint.
struct Tables {
    memories: BTreeMap<(Principal, Memory), SavedMemory>,
    slots: u32,
}

impl Tables {
    fn packed(&self, key: (Principal, Memory)) -> ByteBuf {
        let slots = self.memories.get(&key).map(|memory| &memory.slots);
        let pairs =
            slots.into_iter().flatten().flat_map(|(index, slot)| [index.to_le_bytes(), slot.to_le_bytes()]);
        ByteBuf::from(pairs.flatten().collect::<Vec<u8>>())
    }
}

/// Pages that differ from the last checkpoint.
#[derive(Default)]
struct Changes {
    memories: Vec<((Principal, Memory), PageMap, Vec<u32>)>,
}

impl Changes {
    fn collect(&mut self, saved: &Saved, key: (Principal, Memory), pages: &PageMap) {
        let mut changed = Vec::new();
        let empty = PageMap::default();
        let before = saved.memories.get(&key).map_or(&empty, |memory| &memory.pages);
        before.for_each_unshared(pages, |index| changed.push(index as u32));
        self.memories.push((key, pages.clone(), changed));
    }
}

fn canister_record(id: Principal, canister: &Canister, tables: &Tables) -> CanisterRecord {
    CanisterRecord {
        id,
        settings: canister.settings.clone(),
        phase: canister.phase,
        cycles: canister.cycles,
        module: canister.module.as_ref().map(|module| ByteBuf::from(module.hash.to_vec())),
        chunks: canister.chunks.keys().map(|hash| ByteBuf::from(hash.to_vec())).collect(),
        heap_size: canister.heap.size,
        globals: canister.heap.globals.clone(),
        heap_pages: tables.packed((id, Memory::Heap)),
        stable_size: canister.stable.size,
        stable_pages: tables.packed((id, Memory::Stable)),
        calls: canister.calls.clone(),
    }
}
