//! The chunk store, through which modules above the message size limit are installed.

use std::sync::Arc;

use candid::{CandidType, Principal};
use ic_management_canister_types::{CanisterIdRecord, ChunkHash, InstallChunkedCodeArgs};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Done, Outcome, bad_argument, decode, empty_reply, reply};
use crate::machine::Rejection;
use crate::subnet::Subnet;
use crate::subnet::state::{Call, Canister};

const MAX_CHUNK_BYTES: usize = 1 << 20;
const MAX_CHUNKS: usize = 100;

#[derive(CandidType, Deserialize)]
struct UploadChunk {
    canister_id: Principal,
    #[serde(with = "serde_bytes")]
    chunk: Vec<u8>,
}

impl Subnet {
    pub(super) fn upload_chunk(&mut self, call: &Call) -> Outcome {
        let args: UploadChunk = decode(&call.argument)?;
        let canister = self.storer(call.caller, args.canister_id)?;
        if args.chunk.len() > MAX_CHUNK_BYTES {
            let text =
                format!("a chunk of {} bytes, at most {MAX_CHUNK_BYTES} are possible", args.chunk.len());
            return Err(bad_argument(text));
        }
        let hash: [u8; 32] = Sha256::digest(&args.chunk).into();
        if !canister.chunks.contains_key(&hash) && canister.chunks.len() >= MAX_CHUNKS {
            return Err(Rejection::by_canister(format!("the chunk store holds at most {MAX_CHUNKS} chunks")));
        }
        if let Some(canister) = self.canister_mut(args.canister_id) {
            canister.chunks.insert(hash, Arc::new(args.chunk));
        }
        reply((ChunkHash { hash: hash.to_vec() },), call.cycles)
    }

    pub(super) fn stored_chunks(&mut self, call: &Call) -> Outcome {
        let id = decode::<CanisterIdRecord>(&call.argument)?.canister_id;
        let canister = self.storer(call.caller, id)?;
        let hashes: Vec<ChunkHash> =
            canister.chunks.keys().map(|hash| ChunkHash { hash: hash.to_vec() }).collect();
        reply((hashes,), call.cycles)
    }

    pub(super) fn clear_chunk_store(&mut self, call: &Call) -> Outcome {
        let id = decode::<CanisterIdRecord>(&call.argument)?.canister_id;
        self.storer(call.caller, id)?;
        if let Some(canister) = self.canister_mut(id) {
            canister.chunks.clear();
        }
        Ok(Done::Reply(empty_reply(), call.cycles))
    }

    pub(super) fn install_chunked_code(&mut self, call: &Call) -> Outcome {
        let args: InstallChunkedCodeArgs = decode(&call.argument)?;
        let store = self.storer(call.caller, args.store_canister.unwrap_or(args.target_canister))?;
        let mut wasm = Vec::new();
        for ChunkHash { hash } in &args.chunk_hashes_list {
            let chunk = <[u8; 32]>::try_from(hash.as_slice()).ok().and_then(|hash| store.chunks.get(&hash));
            let Some(chunk) = chunk else {
                return Err(bad_argument(format!("no chunk with hash {} is stored", hex::encode(hash))));
            };
            if wasm.len() + chunk.len() > crate::machine::MAX_MODULE_BYTES as usize {
                return Err(bad_argument("the chunks together are larger than a module may be"));
            }
            wasm.extend_from_slice(chunk);
        }
        let got = hex::encode(Sha256::digest(&wasm));
        if got != hex::encode(&args.wasm_module_hash) {
            let text =
                format!("the chunks have hash {got}, expected {}", hex::encode(&args.wasm_module_hash));
            return Err(bad_argument(text));
        }
        self.deploy(call, args.target_canister, args.mode, wasm, args.arg)
    }

    /// The canister, if the caller may use its chunk store: its controllers and itself.
    fn storer(&self, caller: Principal, id: Principal) -> Result<&Canister, Rejection> {
        if caller == id { self.canister(id) } else { self.controlled(caller, id) }
    }
}
