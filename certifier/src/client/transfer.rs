//! Datasets and models up and down, in chunks.

use audit::Digest;
use interface::{
    ArtefactKind, BeginUpload, CHUNK_BYTES, DigestBytes, PutChunk, ReadRequest, UploadKey, UploadStatus,
};
use serde_bytes::ByteBuf;

use super::{Client, ClientError};

/// How an upload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The canister checked the bytes and registered them.
    Registered,
    /// They were registered before; nothing was sent.
    AlreadyThere,
}

impl Client {
    /// Uploads and seals a dataset or a model. Chunks that an earlier, broken upload brought are not sent again.
    ///
    /// `progress` is told how many of how many bytes have arrived.
    pub async fn upload(
        &self,
        kind: ArtefactKind,
        bytes: &[u8],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Outcome, ClientError> {
        if self.put(kind, bytes, progress).await? == Outcome::AlreadyThere {
            return Ok(Outcome::AlreadyThere);
        }
        let digest = Digest::of(bytes).into();
        let sealed = self.update("seal_upload", (UploadKey { kind, digest },)).await;
        // A repeated seal finds its own work done.
        unless_registered::<()>(sealed)?;
        Ok(Outcome::Registered)
    }

    /// Uploads without sealing; what a proof needs before it is handed in.
    pub async fn put(
        &self,
        kind: ArtefactKind,
        bytes: &[u8],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Outcome, ClientError> {
        let (digest, size) = (Digest::of(bytes).into(), bytes.len() as u64);
        let begun = self.update("begin_upload", (BeginUpload { kind, digest, size },)).await;
        let Some(status) = unless_registered(begun)? else { return Ok(Outcome::AlreadyThere) };
        self.put_missing(&status, bytes, progress).await?;
        Ok(Outcome::Registered)
    }

    async fn put_missing(
        &self,
        status: &UploadStatus,
        bytes: &[u8],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ClientError> {
        let UploadStatus { kind, digest, .. } = *status;
        let chunk = |index: u32| {
            let start = (index as usize).saturating_mul(CHUNK_BYTES as usize);
            bytes.get(start..(start + CHUNK_BYTES as usize).min(bytes.len())).unwrap_or_default()
        };
        let missing: u64 = status.missing.iter().map(|&index| chunk(index).len() as u64).sum();
        let total = bytes.len() as u64;
        let mut arrived = total.saturating_sub(missing);
        progress(arrived, total);
        for &index in &status.missing {
            let bytes = chunk(index).to_vec();
            arrived += bytes.len() as u64;
            self.update::<_, ()>("put_chunk", (PutChunk { kind, digest, index, bytes },)).await?;
            progress(arrived, total);
        }
        Ok(())
    }

    /// Downloads a registered dataset's or model's bytes and checks them against their digest.
    pub async fn download(
        &self,
        kind: ArtefactKind,
        digest: Digest,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Vec<u8>, ClientError> {
        let (what, method, size) = match kind {
            ArtefactKind::Dataset => ("dataset", "read_dataset", self.dataset(digest).await?.record.bytes),
            ArtefactKind::Model | ArtefactKind::PrivateModel | ArtefactKind::LoggedModel => {
                ("model", "read_model", self.model(digest).await?.bytes)
            }
            // Their size is in no record: they are read until nothing follows.
            ArtefactKind::Proof => ("proof", "read_proof", kind.max_bytes()),
            ArtefactKind::Log => ("log", "read_log", kind.max_bytes()),
            ArtefactKind::Openings => ("openings", "read_log", kind.max_bytes()),
        };
        // The size is a node's word: more than a seal allows is not worth asking for.
        let size = size.min(kind.max_bytes());
        let mut bytes: Vec<u8> = Vec::new();
        while (bytes.len() as u64) < size {
            let request = ReadRequest {
                digest: DigestBytes::from(digest),
                offset: bytes.len() as u64,
                length: CHUNK_BYTES,
            };
            let chunk: ByteBuf = self.query(method, (request,)).await?;
            if chunk.is_empty() && kind.is_handed_in() {
                break;
            }
            if chunk.is_empty() || chunk.len() > CHUNK_BYTES as usize {
                return Err(ClientError::Short { what, expected: size, got: bytes.len() as u64 });
            }
            bytes.extend_from_slice(&chunk);
            progress(bytes.len() as u64, size);
        }
        let got = Digest::of(&bytes);
        if got != digest {
            return Err(ClientError::WrongDigest { what, expected: digest, got });
        }
        Ok(bytes)
    }
}

/// `None` when the canister says that these bytes are registered already.
fn unless_registered<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::Refused { refusal, .. })
            if matches!(*refusal, interface::Error::AlreadyRegistered { .. }) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
