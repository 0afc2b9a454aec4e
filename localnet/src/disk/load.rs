//! Reading the state directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::record::{CanisterRecord, Record, Unreadable};
use super::save::{Memory, Saved, SavedMemory};
use super::{Disk, FORMAT, io};
use crate::NodeError;
use crate::machine::pages::{PAGE, PageMap};
use crate::machine::{Heap, Machine, Stable, WASM_PAGE};
use crate::subnet::state::{Canister, State};

/// A state and the seed of its keys.
pub(crate) struct Loaded {
    pub(crate) seed: [u8; 32],
    pub(crate) state: State,
}

impl Disk {
    /// Reads the saved state, if there is one.
    ///
    /// # Errors
    ///
    /// When the files are of another version or damaged.
    pub(crate) fn load(&mut self, machine: &Machine) -> Result<Option<Loaded>, NodeError> {
        let path = self.state_path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io("read", &path)(error)),
        };
        let record = Record::from_bytes(&bytes).map_err(|error| match error {
            Unreadable::Version(got) => NodeError::Version { path: path.clone(), expected: FORMAT, got },
            Unreadable::Damaged(reason) => NodeError::Damaged { path: path.clone(), reason },
        })?;
        let pages = self.directory.join("pages");
        let length = self.pages.metadata().map_err(io("read", &pages))?.len();
        let mut memories = BTreeMap::new();
        let mut blobs = BTreeSet::new();
        let mut canisters = BTreeMap::new();
        for record in record.canisters {
            let id = record.id;
            let (heap, stable) = (
                self.load_memory(&record.heap_pages, record.heap_size)?,
                self.load_memory(&record.stable_pages, record.stable_size)?,
            );
            let canister = self.load_canister(record, machine, &mut blobs, &heap.pages, &stable.pages)?;
            canisters.insert(id, Arc::new(canister));
            memories.insert((id, Memory::Heap), heap);
            memories.insert((id, Memory::Stable), stable);
        }
        self.saved = Saved::new(memories, blobs, (length / PAGE as u64) as u32);
        let request =
            |(id, request): (serde_bytes::ByteBuf, _)| Some((<[u8; 32]>::try_from(&id[..]).ok()?, request));
        let seed = record.seed.as_slice().try_into();
        let seed =
            seed.map_err(|_| NodeError::Damaged { path, reason: "the seed has a wrong length".into() })?;
        let state = State {
            canisters,
            requests: record
                .requests
                .into_iter()
                .filter_map(request)
                .map(|(id, r)| (id, Arc::new(r)))
                .collect(),
            management: record.management,
            ledger: record.ledger,
            time: record.time,
            next_canister: record.next_canister,
            random: record.random,
        };
        Ok(Some(Loaded { seed, state }))
    }

    fn load_canister(
        &self,
        record: CanisterRecord,
        machine: &Machine,
        blobs: &mut BTreeSet<[u8; 32]>,
        heap: &PageMap,
        stable: &PageMap,
    ) -> Result<Canister, NodeError> {
        let module = match &record.module {
            Some(hash) => {
                let (hash, bytes) = self.load_blob(hash)?;
                blobs.insert(hash);
                let reason = |error: crate::ModuleError| NodeError::Damaged {
                    path: self.blob_path(&hash),
                    reason: error.to_string(),
                };
                Some(machine.compile(Arc::new(bytes)).map_err(reason)?)
            }
            None => None,
        };
        let mut chunks = BTreeMap::new();
        for hash in &record.chunks {
            let (hash, bytes) = self.load_blob(hash)?;
            blobs.insert(hash);
            chunks.insert(hash, Arc::new(bytes));
        }
        Ok(Canister {
            settings: record.settings,
            phase: record.phase,
            cycles: record.cycles,
            module,
            heap: Heap { pages: heap.clone(), size: record.heap_size, globals: record.globals },
            stable: Stable { pages: stable.clone(), size: record.stable_size },
            chunks,
            calls: record.calls,
        })
    }

    fn load_blob(&self, hash: &[u8]) -> Result<([u8; 32], Vec<u8>), NodeError> {
        let path = self.blob_path(hash);
        let bytes = std::fs::read(&path).map_err(io("read", &path))?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if digest != hash {
            return Err(NodeError::Damaged { path, reason: "the digest does not match".into() });
        }
        Ok((digest, bytes))
    }

    /// Reads the pages of a memory with this size in WebAssembly pages.
    fn load_memory(&mut self, table: &[u8], size: u64) -> Result<SavedMemory, NodeError> {
        let path = self.directory.join("pages");
        let mut memory = SavedMemory::default();
        let (pairs, rest) = table.as_chunks::<8>();
        let damaged = |reason: &str| NodeError::Damaged { path: path.clone(), reason: reason.into() };
        if !rest.is_empty() {
            return Err(damaged("the table of pages has a wrong length"));
        }
        for [a, b, c, d, e, f, g, h] in pairs {
            let (index, slot) = (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
            if u64::from(index) >= size * (WASM_PAGE / PAGE as u64) {
                return Err(damaged("a page lies outside its memory"));
            }
            let mut page = [0; PAGE];
            self.pages.seek(SeekFrom::Start(u64::from(slot) * PAGE as u64)).map_err(io("read", &path))?;
            self.pages.read_exact(&mut page).map_err(io("read", &path))?;
            memory.pages.insert(index as usize, Arc::new(page));
            memory.slots.insert(index, slot);
        }
        Ok(memory)
    }
}

#[cfg(test)]
mod tests {
    use candid::Principal;

    use super::*;
    use crate::subnet::{Clock, Subnet};

    fn directory(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("localnet-disk-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_damaged_or_foreign_state_is_an_error_and_a_torn_one_never_appears() {
        let directory = directory("damaged");
        let mut subnet = Subnet::new(Some([2; 32]), Clock::Manual(5)).unwrap();
        let id = subnet.create_canister(Principal::anonymous()).unwrap();
        subnet.canister_mut(id).unwrap().stable.size = 1;
        subnet.canister_mut(id).unwrap().stable.pages.write(5000, b"kept");
        let mut disk = Disk::open(&directory).unwrap();
        assert!(disk.load(&subnet.machine).unwrap().is_none());
        disk.save([2; 32], &subnet.state).unwrap();
        let state = std::fs::read(directory.join("state")).unwrap();
        assert!(matches!(Disk::open(&directory), Err(NodeError::Locked(_))));
        drop(disk);

        let load = |bytes: &[u8]| {
            std::fs::write(directory.join("state"), bytes).unwrap();
            Disk::open(&directory).unwrap().load(&subnet.machine)
        };
        for cut in [0, 7, 20, state.len() - 1] {
            assert!(matches!(load(&state[..cut]), Err(NodeError::Damaged { .. })), "cut at {cut}");
        }
        for at in [0, 15, 60, state.len() - 1] {
            let mut flipped = state.clone();
            flipped[at] ^= 1;
            assert!(matches!(load(&flipped), Err(NodeError::Damaged { .. })), "flipped at {at}");
        }
        let mut newer = state.clone();
        newer[11] = 9;
        assert!(matches!(load(&newer), Err(NodeError::Version { expected: 1, got: 9, .. })));

        // A checkpoint that was cut short leaves the one before in place.
        std::fs::write(directory.join("state.new"), &state[..9]).unwrap();
        let loaded = load(&state).unwrap().unwrap();
        assert_eq!(loaded.seed, [2; 32]);
        let mut bytes = [0; 4];
        loaded.state.canisters[&id].stable.pages.read(5000, &mut bytes);
        assert_eq!(&bytes, b"kept");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn slots_of_the_last_checkpoint_are_not_overwritten_by_the_next() {
        let directory = directory("slots");
        let mut subnet = Subnet::new(Some([2; 32]), Clock::Manual(5)).unwrap();
        let id = subnet.create_canister(Principal::anonymous()).unwrap();
        let mut disk = Disk::open(&directory).unwrap();
        for round in 0..20u8 {
            let stable = &mut subnet.canister_mut(id).unwrap().stable;
            stable.size = 1;
            stable.pages.write(0, &[round + 1; 3 * PAGE]);
            let before = std::fs::read(directory.join("pages")).unwrap();
            disk.save([2; 32], &subnet.state).unwrap();
            if round > 0 {
                // Everything that the previous state file named is still there.
                let after = std::fs::read(directory.join("pages")).unwrap();
                let old = before.chunks(PAGE).filter(|page| page[0] == round).count();
                let kept = after.chunks(PAGE).filter(|page| page[0] == round).count();
                assert_eq!((old, kept), (3, 3), "round {round}");
            }
        }
        assert_eq!(std::fs::metadata(directory.join("pages")).unwrap().len(), 6 * PAGE as u64);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
