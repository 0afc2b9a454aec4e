//! Datasets, models and what is handed in come in chunks. Until [`crate::sealing`] has registered them, nobody but the
//! uploader sees them.

use audit::Digest;
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    ArtefactKind, BeginUpload, CHUNK_BYTES, DigestBytes, Error, PutChunk, Role, UploadKey, UploadStatus,
};
use sha2::{Digest as _, Sha256};

use crate::{
    guards::{Context, SECOND_NS, check_quota, check_range},
    storage::{Content, State, UploadId, blocks_for, records::Upload},
};

/// An upload that got no chunk for this long may be removed.
pub const EXPIRES_NS: u64 = 7 * 86_400 * SECOND_NS;

/// Bytes that content of this size takes: whole blocks.
pub(crate) fn stored(size: u64) -> u64 {
    blocks_for(size).saturating_mul(CHUNK_BYTES.into())
}

fn kind_code(kind: ArtefactKind) -> u8 {
    match kind {
        ArtefactKind::Dataset => 1,
        ArtefactKind::Model => 2,
        ArtefactKind::PrivateModel => 3,
        ArtefactKind::Proof => 4,
        ArtefactKind::LoggedModel => 5,
        ArtefactKind::Log => 6,
        ArtefactKind::Openings => 7,
    }
}

fn kind_of(code: u8) -> ArtefactKind {
    match code {
        1 => ArtefactKind::Dataset,
        2 => ArtefactKind::Model,
        3 => ArtefactKind::PrivateModel,
        5 => ArtefactKind::LoggedModel,
        6 => ArtefactKind::Log,
        7 => ArtefactKind::Openings,
        _ => ArtefactKind::Proof,
    }
}

impl Upload {
    fn status(&self, kind: ArtefactKind, digest: DigestBytes) -> UploadStatus {
        let missing = (0_u32..).zip(&self.blocks).filter(|(_, block)| block.is_none());
        UploadStatus {
            kind,
            digest,
            size: self.size,
            chunks: self.blocks.len() as u32,
            missing: missing.map(|(index, _)| index).collect(),
            expires_at_ns: self.touched_at_ns.saturating_add(EXPIRES_NS),
        }
    }

    /// Bytes of chunk `index`.
    fn chunk_bytes(&self, index: u32) -> u32 {
        let before = u64::from(index) * u64::from(CHUNK_BYTES);
        self.size.saturating_sub(before).min(CHUNK_BYTES.into()) as u32
    }

    pub(crate) fn complete(&self) -> Result<Content, Error> {
        let blocks: Vec<u32> = self.blocks.iter().flatten().copied().collect();
        let missing = self.blocks.len() - blocks.len();
        if missing > 0 {
            let first = self.blocks.iter().position(Option::is_none).unwrap_or_default();
            return Err(Error::Incomplete { missing: missing as u32, first: first as u32 });
        }
        Ok(Content { size: self.size, blocks })
    }
}

impl<M: Memory> State<M> {
    /// Announces an upload within the caller's quotas, or returns how far an own one is.
    pub fn begin_upload(&mut self, context: &Context, request: BeginUpload) -> Result<UploadStatus, Error> {
        let BeginUpload { kind, digest, size } = request;
        let caller = self.may_upload(context, kind)?;
        check_range(&format!("size of a {kind}"), 1, kind.max_bytes(), size)?;
        self.not_registered(kind, digest)?;
        let id = (caller, kind_code(kind), digest.0);
        if let Some(upload) = self.uploads.get(&id)? {
            if upload.size != size {
                return Err(Error::WrongSize { expected: upload.size, got: size });
            }
            return Ok(upload.status(kind, digest));
        }
        self.remove_expired(context.now_ns)?;
        if kind.is_handed_in() {
            self.make_room(context)?;
        }
        self.check_upload_quotas(context, kind, size)?;
        let mut totals = self.totals.get()?;
        let mut account = self.account(caller)?;
        totals.stored_bytes += stored(size);
        account.bytes += stored(size);
        let upload =
            Upload { size, blocks: vec![None; blocks_for(size) as usize], touched_at_ns: context.now_ns };
        self.totals.put(&totals)?;
        self.accounts.put(caller, &account)?;
        self.uploads.put(id, &upload)?;
        Ok(upload.status(kind, digest))
    }

    /// Forgets an own proof, log or openings that were uploaded and not accepted, where they take the last place: each
    /// attempt is another one, and its owner must be able to go on.
    fn make_room(&mut self, context: &Context) -> Result<(), Error> {
        let limit = u64::from(self.quotas.get()?.uploads);
        let own: Vec<(UploadId, Upload)> =
            self.uploads.range(own_uploads(context.caller)).collect::<Result<_, _>>()?;
        if (own.len() as u64) < limit {
            return Ok(());
        }
        let handed_in = own.into_iter().filter(|(id, _)| kind_of(id.1).is_handed_in());
        match handed_in.min_by_key(|(_, upload)| upload.touched_at_ns) {
            Some((id, upload)) => self.remove_upload(id, upload),
            None => Ok(()),
        }
    }

    fn check_upload_quotas(&self, context: &Context, kind: ArtefactKind, size: u64) -> Result<(), Error> {
        let quotas = self.quotas.get()?;
        let account = self.account(context.caller)?;
        let size = stored(size);
        let own = self.uploads.keys(own_uploads(context.caller)).count() as u64;
        check_quota("uploads", quotas.uploads.into(), own, 1)?;
        match kind {
            // Only who is awaited brings these; nobody else's uploads must be able to keep them out.
            _ if kind.is_handed_in() && account.awaiting_audits == 0 => {
                return Err(Error::not_allowed(&format!("the owner of an audit that awaits {kind}")));
            }
            _ if kind.is_handed_in() => {}
            _ => check_quota("uploads_total", quotas.uploads_total.into(), self.uploads.len(), 1)?,
        }
        if self.has_role(context, Role::Registrar) {
            check_quota("registrar_bytes", quotas.registrar_bytes, account.bytes, size)?;
        } else {
            check_quota("owner_bytes", quotas.owner_bytes, account.bytes, size)?;
        }
        check_quota("bytes_total", quotas.bytes_total, self.totals.get()?.stored_bytes, size)?;
        if kind.is_model() {
            check_quota("models", quotas.models.into(), account.models.into(), 1)?;
        }
        Ok(())
    }

    /// Stores one chunk of an own upload; a chunk put again replaces the earlier one.
    pub fn put_chunk(&mut self, context: &Context, chunk: PutChunk) -> Result<(), Error> {
        self.may_upload(context, chunk.kind)?;
        let (id, mut upload) = self.own_upload(context, chunk.kind, chunk.digest)?;
        check_range("chunk index", 0, upload.blocks.len() as u64 - 1, chunk.index.into())?;
        let (expected, got) = (upload.chunk_bytes(chunk.index), chunk.bytes.len() as u32);
        if expected != got {
            return Err(Error::WrongChunk { index: chunk.index, expected, got });
        }
        let place = upload.blocks.get_mut(chunk.index as usize);
        let place = place.ok_or_else(|| Error::internal("upload lacks a chunk"))?;
        let block = match *place {
            Some(block) => block,
            None => self.blocks.allocate()?,
        };
        *place = Some(block);
        upload.touched_at_ns = context.now_ns;
        self.blocks.write(block, &chunk.bytes)?;
        self.uploads.put(id, &upload)
    }

    /// How far an own upload is.
    pub fn upload_status(&self, context: &Context, key: UploadKey) -> Result<UploadStatus, Error> {
        let (_, upload) = self.own_upload(context, key.kind, key.digest)?;
        Ok(upload.status(key.kind, key.digest))
    }

    /// All own uploads.
    pub fn uploads(&self, context: &Context) -> Result<Vec<UploadStatus>, Error> {
        let caller = context.signed_in()?;
        let status = |entry: Result<(UploadId, Upload), Error>| {
            let ((_, code, digest), upload) = entry?;
            Ok(upload.status(kind_of(code), DigestBytes(digest)))
        };
        self.uploads.range(own_uploads(caller)).map(status).collect()
    }

    /// Forgets an own upload.
    pub fn abort_upload(&mut self, context: &Context, key: UploadKey) -> Result<(), Error> {
        let (id, upload) = self.own_upload(context, key.kind, key.digest)?;
        self.remove_upload(id, upload)
    }

    pub(crate) fn digest_of(&self, content: &Content) -> Result<Digest, Error> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; CHUNK_BYTES as usize];
        let mut offset = 0;
        while offset < content.size {
            let count = (content.size - offset).min(CHUNK_BYTES.into());
            let part = buffer.get_mut(..count as usize).unwrap_or_default();
            self.blocks.read(content, offset, part)?;
            hash.update(part);
            offset += count;
        }
        Ok(Digest(hash.finalize().into()))
    }

    pub(crate) fn may_upload(&self, context: &Context, kind: ArtefactKind) -> Result<Principal, Error> {
        let caller = context.signed_in()?;
        if kind == ArtefactKind::Dataset {
            self.registrar(context)?;
        }
        Ok(caller)
    }

    pub(crate) fn not_registered(&self, kind: ArtefactKind, digest: DigestBytes) -> Result<(), Error> {
        let registered = match kind {
            ArtefactKind::Dataset => self.datasets().contains(&digest.0),
            ArtefactKind::Proof => self.proofs.contains(&digest.0),
            ArtefactKind::Log | ArtefactKind::Openings => self.logs.contains(&digest.0),
            ArtefactKind::Model | ArtefactKind::PrivateModel | ArtefactKind::LoggedModel => {
                self.models().contains(&digest.0)
            }
        };
        if registered { Err(Error::AlreadyRegistered { what: kind.to_string(), digest }) } else { Ok(()) }
    }

    pub(crate) fn own_upload(
        &self,
        context: &Context,
        kind: ArtefactKind,
        digest: DigestBytes,
    ) -> Result<(UploadId, Upload), Error> {
        let id = (context.signed_in()?, kind_code(kind), digest.0);
        let upload = self.uploads.get(&id)?.ok_or_else(|| Error::not_found("upload of yours for", digest))?;
        Ok((id, upload))
    }

    fn remove_upload(&mut self, id: UploadId, upload: Upload) -> Result<(), Error> {
        let mut account = self.account(id.0)?;
        let mut totals = self.totals.get()?;
        account.bytes = account.bytes.saturating_sub(stored(upload.size));
        totals.stored_bytes = totals.stored_bytes.saturating_sub(stored(upload.size));
        self.accounts.put(id.0, &account)?;
        self.totals.put(&totals)?;
        upload.blocks.into_iter().flatten().try_for_each(|block| self.blocks.release(block))?;
        self.uploads.remove(&id);
        Ok(())
    }

    /// Their number is bounded by the quota `uploads_total`.
    fn remove_expired(&mut self, now_ns: u64) -> Result<(), Error> {
        let expired = |upload: &Upload| upload.touched_at_ns.saturating_add(EXPIRES_NS) < now_ns;
        let mut found = Vec::new();
        for entry in self.uploads.range(..) {
            let (id, upload) = entry?;
            if expired(&upload) {
                found.push((id, upload));
            }
        }
        found.into_iter().try_for_each(|(id, upload)| self.remove_upload(id, upload))
    }
}

fn own_uploads(caller: Principal) -> std::ops::RangeInclusive<UploadId> {
    (caller, 0, [0; 32])..=(caller, u8::MAX, [u8::MAX; 32])
}
