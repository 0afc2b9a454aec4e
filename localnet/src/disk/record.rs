//! The record in the `state` file.

use std::collections::VecDeque;

use candid::Principal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FORMAT, MAGIC};
use crate::machine::GlobalValue;
use crate::native::Ledger;
use crate::subnet::random::Random;
use crate::subnet::state::{Call, Calls, Phase, Request, Settings};

/// Length of what precedes the record: magic, version, SHA-256 of the record.
const HEADER: usize = 8 + 4 + 32;

#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(with = "serde_bytes")]
    pub(super) seed: Vec<u8>,
    pub(super) time: u64,
    pub(super) next_canister: u64,
    pub(super) random: Random,
    pub(super) management: VecDeque<Call>,
    /// Absent in states of nodes that had no ledger.
    #[serde(default)]
    pub(super) ledger: Ledger,
    pub(super) requests: Vec<(serde_bytes::ByteBuf, Request)>,
    pub(super) canisters: Vec<CanisterRecord>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CanisterRecord {
    pub(super) id: Principal,
    pub(super) settings: Settings,
    pub(super) phase: Phase,
    pub(super) cycles: u128,
    /// Blob of the module.
    pub(super) module: Option<serde_bytes::ByteBuf>,
    /// Blobs of the chunks.
    pub(super) chunks: Vec<serde_bytes::ByteBuf>,
    /// Size in WebAssembly pages.
    pub(super) heap_size: u64,
    pub(super) globals: Vec<GlobalValue>,
    /// Pairs of page index and slot, each four bytes, little-endian.
    pub(super) heap_pages: serde_bytes::ByteBuf,
    /// Size in WebAssembly pages.
    pub(super) stable_size: u64,
    /// As `heap_pages`.
    pub(super) stable_pages: serde_bytes::ByteBuf,
    pub(super) calls: Calls,
}

/// Why a `state` file cannot be read.
pub(super) enum Unreadable {
    Version(u32),
    Damaged(String),
}

impl Record {
    /// The content of the file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        ciborium::into_writer(self, &mut body).map_err(|error| error.to_string())?;
        let digest: [u8; 32] = Sha256::digest(&body).into();
        Ok([MAGIC.as_slice(), &FORMAT.to_be_bytes(), &digest, &body].concat())
    }

    /// Reads the file, checking version and digest first.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged = |reason: &str| Unreadable::Damaged(reason.to_owned());
        let header = bytes.get(..HEADER).ok_or_else(|| damaged("the file is too short"))?;
        let (magic, rest) = header.split_at(MAGIC.len());
        let (version, digest) = rest.split_at(4);
        if magic != MAGIC {
            return Err(damaged("the file does not start as a state file does"));
        }
        let version = u32::from_be_bytes(version.try_into().map_err(|_| damaged("the file is too short"))?);
        if version != FORMAT {
            return Err(Unreadable::Version(version));
        }
        let body = bytes.get(HEADER..).unwrap_or_default();
        if Sha256::digest(body).as_slice() != digest {
            return Err(damaged("the digest does not match"));
        }
        ciborium::from_reader(body).map_err(|error| Unreadable::Damaged(error.to_string()))
    }
}
