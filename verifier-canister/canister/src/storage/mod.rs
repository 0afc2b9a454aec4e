//! All state, in stable memory, and the one way to change what is certified.
//!
//! `pre_upgrade` saves nothing: stable memory always holds everything, and the hash tree is built from it again.
//! Records that are certified are written only by the `put_` functions here, which update the tree as well.

mod blocks;
mod key;
pub mod records;
mod table;

use std::cell::OnceCell;

use audit::{AuditError, Digest};
use candid::Principal;
use ic_stable_structures::{
    Memory,
    memory_manager::{MemoryId, MemoryManager, VirtualMemory},
};
use interface::{
    Attestation, AuditId, CertificateId, CertificateState, DigestBytes, Error, Quotas, SigningKey,
    certified::{attestation_json, attestation_key},
    certified::{audit_json, audit_key, certificate_key, dataset_json, dataset_key, model_json, model_key},
    certified::{signing_key_json, signing_key_key, status_json, status_key},
};
use serde_bytes::ByteBuf;
use verifier::Setup;

use crate::{
    certification::Tree,
    replay::Prepared,
    site::{Site, signed_message},
};
use records::{
    Account, Audit, Certificate, Dataset, Figures, INITIAL_QUOTAS, Model, Progress, Totals, Turn, Upload,
};

pub use blocks::{Blocks, Content, blocks_for};
pub use table::{Single, Table};

/// One memory per structure. A number is never used again for something else.
mod memory_ids {
    use super::MemoryId;

    pub const QUOTAS: MemoryId = MemoryId::new(0);
    pub const TOTALS: MemoryId = MemoryId::new(1);
    pub const ROLES: MemoryId = MemoryId::new(2);
    pub const ACCOUNTS: MemoryId = MemoryId::new(3);
    pub const UPLOADS: MemoryId = MemoryId::new(4);
    pub const BLOCKS: MemoryId = MemoryId::new(5);
    pub const FREE_BLOCKS: MemoryId = MemoryId::new(6);
    pub const DATASETS: MemoryId = MemoryId::new(7);
    pub const MODELS: MemoryId = MemoryId::new(8);
    pub const POLICIES: MemoryId = MemoryId::new(9);
    pub const AUDITS: MemoryId = MemoryId::new(10);
    pub const PROGRESS: MemoryId = MemoryId::new(11);
    pub const CERTIFICATES: MemoryId = MemoryId::new(12);
    pub const BODIES: MemoryId = MemoryId::new(13);
    pub const TURNS: MemoryId = MemoryId::new(14);
    pub const PROOFS: MemoryId = MemoryId::new(15);
    pub const COMMITMENTS: MemoryId = MemoryId::new(16);
    pub const FIGURES: MemoryId = MemoryId::new(17);
    pub const ATTESTATIONS: MemoryId = MemoryId::new(18);
    pub const LOGS: MemoryId = MemoryId::new(19);
    pub const KEYS: MemoryId = MemoryId::new(20);
    pub const CARDS: MemoryId = MemoryId::new(21);
}

/// Memory is handed out in buckets of 2 MiB: little for an empty canister, and room for 64 GiB.
const BUCKET_PAGES: u16 = 32;

/// Key of a role: role code and holder.
pub type RoleKey = (u8, Principal);
/// Key of an upload: whose, kind code, digest.
pub type UploadId = (Principal, u8, [u8; 32]);

/// A digest as a table's key.
pub type DigestKey = [u8; 32];

/// Everything the canister knows.
pub struct State<M: Memory> {
    pub quotas: Single<Quotas, VirtualMemory<M>>,
    pub totals: Single<Totals, VirtualMemory<M>>,
    pub roles: Table<RoleKey, u64, VirtualMemory<M>>,
    pub accounts: Table<Principal, Account, VirtualMemory<M>>,
    pub uploads: Table<UploadId, Upload, VirtualMemory<M>>,
    pub blocks: Blocks<VirtualMemory<M>>,
    pub policies: Table<DigestKey, String, VirtualMemory<M>>,
    /// Accepted proofs.
    pub proofs: Table<DigestKey, Content, VirtualMemory<M>>,
    /// Logs that were handed in, and openings.
    pub logs: Table<DigestKey, Content, VirtualMemory<M>>,
    /// The private model of each commitment's id.
    pub commitments: Table<DigestKey, DigestBytes, VirtualMemory<M>>,
    /// The logged model of each owner, file and encoding.
    pub cards: Table<DigestKey, DigestBytes, VirtualMemory<M>>,
    /// Every open audit, and none other.
    pub turns: Table<AuditId, Turn, VirtualMemory<M>>,
    /// Every running audit.
    pub progress: Table<AuditId, Progress, VirtualMemory<M>>,
    datasets: Table<DigestKey, Dataset, VirtualMemory<M>>,
    models: Table<DigestKey, Model, VirtualMemory<M>>,
    audits: Table<AuditId, Audit, VirtualMemory<M>>,
    certificates: Table<CertificateId, Certificate, VirtualMemory<M>>,
    bodies: Table<CertificateId, ByteBuf, VirtualMemory<M>>,
    attestations: Table<(CertificateId, Principal), Attestation, VirtualMemory<M>>,
    keys: Table<(Principal, DigestKey), SigningKey, VirtualMemory<M>>,
    /// What pages show of each certificate besides its record.
    pub(crate) figures: Table<CertificateId, Figures, VirtualMemory<M>>,
    pub(crate) certified: Tree,
    pub(crate) site: Site,
    /// The audit whose model was prepared last; lost in an upgrade and made again.
    pub prepared: Option<Prepared>,
    /// What proofs are verified with; lost in an upgrade and made again.
    pub setup: OnceCell<Setup>,
}

impl<M: Memory> State<M> {
    /// Opens what `memory` holds, or starts with nothing in unused memory, and builds the tree; pages are left to
    /// [`State::refresh`].
    pub fn open(memory: M, canister: Principal, now_ns: u64) -> Result<Self, Error> {
        use memory_ids::*;
        let memories = MemoryManager::init_with_bucket_size(memory, BUCKET_PAGES);
        let mut state = Self {
            quotas: Single::open(memories.get(QUOTAS), &INITIAL_QUOTAS)?,
            totals: Single::open(memories.get(TOTALS), &Totals::default())?,
            roles: Table::open(memories.get(ROLES)),
            accounts: Table::open(memories.get(ACCOUNTS)),
            uploads: Table::open(memories.get(UPLOADS)),
            blocks: Blocks::open(memories.get(BLOCKS), memories.get(FREE_BLOCKS)),
            policies: Table::open(memories.get(POLICIES)),
            proofs: Table::open(memories.get(PROOFS)),
            logs: Table::open(memories.get(LOGS)),
            commitments: Table::open(memories.get(COMMITMENTS)),
            cards: Table::open(memories.get(CARDS)),
            turns: Table::open(memories.get(TURNS)),
            progress: Table::open(memories.get(PROGRESS)),
            datasets: Table::open(memories.get(DATASETS)),
            models: Table::open(memories.get(MODELS)),
            audits: Table::open(memories.get(AUDITS)),
            certificates: Table::open(memories.get(CERTIFICATES)),
            bodies: Table::open(memories.get(BODIES)),
            attestations: Table::open(memories.get(ATTESTATIONS)),
            keys: Table::open(memories.get(KEYS)),
            figures: Table::open(memories.get(FIGURES)),
            certified: Tree::default(),
            site: Site::new(canister, now_ns),
            prepared: None,
            setup: OnceCell::new(),
        };
        state.build_tree()?;
        state.certify_fixed()?;
        state.defer();
        Ok(state)
    }

    fn build_tree(&mut self) -> Result<(), Error> {
        for digest in collect(self.datasets.keys(..))? {
            let dataset = self.dataset_entry(DigestBytes(digest))?;
            self.certify_dataset(DigestBytes(digest), &dataset)?;
        }
        for digest in collect(self.models.keys(..))? {
            let model = self.model_entry(DigestBytes(digest))?;
            self.certify_model(DigestBytes(digest), &model)?;
        }
        for id in 1..=self.audits.len() {
            let audit = self.audit_entry(id)?;
            self.certify_audit(id, &audit)?;
        }
        for id in 1..=self.certificates.len() {
            let certificate = self.certificate_entry(id)?;
            if !self.figures.contains(&id) {
                // It was issued before there were any.
                let body = self.body(id)?.ok_or_else(|| Error::internal("a certificate without its body"))?;
                self.figures.put(id, &Figures::of(&body, signed_message(&body))?)?;
            }
            self.certify_certificate(id, &certificate)?;
        }
        for key in collect(self.attestations.keys(..))? {
            let attestation = self.attestations.get(&key)?;
            let attestation = attestation.ok_or_else(|| Error::internal("a finding is missing"))?;
            self.certify_attestation(&attestation)?;
        }
        for id in collect(self.keys.keys(..))? {
            let key = self.keys.get(&id)?.ok_or_else(|| Error::internal("a key is missing"))?;
            self.certify_key(&key)?;
        }
        Ok(())
    }

    /// The hash tree over everything that is certified.
    pub fn tree(&self) -> &Tree {
        &self.certified
    }

    /// Registered datasets.
    pub fn datasets(&self) -> &Table<DigestKey, Dataset, VirtualMemory<M>> {
        &self.datasets
    }

    /// Registered models.
    pub fn models(&self) -> &Table<DigestKey, Model, VirtualMemory<M>> {
        &self.models
    }

    /// All audits ever requested.
    pub fn audits(&self) -> &Table<AuditId, Audit, VirtualMemory<M>> {
        &self.audits
    }

    /// All certificates ever issued.
    pub fn certificates(&self) -> &Table<CertificateId, Certificate, VirtualMemory<M>> {
        &self.certificates
    }

    /// All findings of auditors.
    pub fn attestations(&self) -> &Table<(CertificateId, Principal), Attestation, VirtualMemory<M>> {
        &self.attestations
    }

    /// All keys that logs are signed with.
    pub fn keys(&self) -> &Table<(Principal, DigestKey), SigningKey, VirtualMemory<M>> {
        &self.keys
    }

    /// The body of a certificate.
    pub fn body(&self, id: CertificateId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bodies.get(&id)?.map(ByteBuf::into_vec))
    }

    /// A registered dataset, or the error that there is none.
    pub fn dataset_entry(&self, digest: DigestBytes) -> Result<Dataset, Error> {
        self.datasets.get(&digest.0)?.ok_or_else(|| Error::not_found("dataset", digest))
    }

    /// A registered model, or the error that there is none.
    pub fn model_entry(&self, digest: DigestBytes) -> Result<Model, Error> {
        self.models.get(&digest.0)?.ok_or_else(|| Error::not_found("model", digest))
    }

    /// An audit, or the error that there is none.
    pub fn audit_entry(&self, id: AuditId) -> Result<Audit, Error> {
        self.audits.get(&id)?.ok_or_else(|| Error::not_found("audit", id))
    }

    /// A certificate, or the error that there is none.
    pub fn certificate_entry(&self, id: CertificateId) -> Result<Certificate, Error> {
        self.certificates.get(&id)?.ok_or_else(|| Error::not_found("certificate", id))
    }

    /// What pages show of a certificate besides its record.
    pub fn figures_entry(&self, id: CertificateId) -> Result<Figures, Error> {
        self.figures.get(&id)?.ok_or_else(|| Error::internal("a certificate without figures"))
    }

    /// What `principal` uses; nothing if it was never seen.
    pub fn account(&self, principal: Principal) -> Result<Account, Error> {
        Ok(self.accounts.get(&principal)?.unwrap_or_default())
    }

    /// Writes a dataset, its leaf and its pages.
    pub fn put_dataset(&mut self, digest: DigestBytes, dataset: &Dataset) -> Result<(), Error> {
        self.datasets.put(digest.0, dataset)?;
        self.certify_dataset(digest, dataset)
    }

    /// Writes a model, its leaf and its pages.
    pub fn put_model(&mut self, digest: DigestBytes, model: &Model) -> Result<(), Error> {
        self.models.put(digest.0, model)?;
        self.certify_model(digest, model)
    }

    /// Writes an audit, its leaf and its pages.
    pub fn put_audit(&mut self, id: AuditId, audit: &Audit) -> Result<(), Error> {
        self.audits.put(id, audit)?;
        self.certify_audit(id, audit)
    }

    /// Writes a new certificate, its body, both leaves and its pages, and signs the body.
    pub fn issue(
        &mut self,
        id: CertificateId,
        certificate: &Certificate,
        body: Vec<u8>,
    ) -> Result<(), Error> {
        self.figures.put(id, &Figures::of(&body, signed_message(&body))?)?;
        self.bodies.put(id, &ByteBuf::from(body))?;
        self.put_certificate(id, certificate)
    }

    /// Writes a certificate's record, its leaves and its pages; the body stays as it is.
    pub fn put_certificate(&mut self, id: CertificateId, certificate: &Certificate) -> Result<(), Error> {
        self.certificates.put(id, certificate)?;
        self.certify_certificate(id, certificate)
    }

    /// Writes an auditor's finding, its leaf and its page.
    pub fn put_attestation(&mut self, attestation: &Attestation) -> Result<(), Error> {
        self.attestations.put((attestation.certificate, attestation.auditor), attestation)?;
        self.certify_attestation(attestation)
    }

    /// Writes a key that logs are signed with, and its leaf.
    pub fn put_key(&mut self, key: &SigningKey) -> Result<(), Error> {
        self.keys.put((key.owner, key.key.0), key)?;
        self.certify_key(key)
    }

    fn certify_key(&mut self, key: &SigningKey) -> Result<(), Error> {
        self.set_leaf(signing_key_key(key.owner, key.key), signing_key_json(key))
    }

    fn certify_attestation(&mut self, attestation: &Attestation) -> Result<(), Error> {
        let key = attestation_key(attestation.certificate, attestation.auditor);
        self.set_leaf(key, attestation_json(attestation))?;
        self.mark_attestation(attestation.certificate);
        Ok(())
    }

    fn certify_dataset(&mut self, digest: DigestBytes, dataset: &Dataset) -> Result<(), Error> {
        self.set_leaf(dataset_key(digest), dataset_json(&dataset.record(digest)))?;
        self.mark_dataset(digest, dataset)
    }

    fn certify_model(&mut self, digest: DigestBytes, model: &Model) -> Result<(), Error> {
        self.set_leaf(model_key(digest), model_json(&model.record(digest)))?;
        self.mark_model(digest, model);
        Ok(())
    }

    fn certify_audit(&mut self, id: AuditId, audit: &Audit) -> Result<(), Error> {
        self.set_leaf(audit_key(id), audit_json(&audit.record(id)))?;
        self.mark_audit(id, audit);
        Ok(())
    }

    fn certify_certificate(&mut self, id: CertificateId, certificate: &Certificate) -> Result<(), Error> {
        self.certified.set(certificate_key(id), certificate.body_digest);
        self.set_leaf(status_key(id), status_json(id, &certificate.state))?;
        let figures = self.figures_entry(id)?;
        // What was revoked or suspended is no longer signed. A newer certificate does not make an older statement wrong.
        match certificate.state {
            CertificateState::Revoked { .. } | CertificateState::Suspended { .. } => {
                self.certified.unsign(figures.signed)
            }
            CertificateState::Valid | CertificateState::Superseded { .. } => {
                self.certified.sign(figures.signed)
            }
        }
        self.mark_certificate(id, certificate)
    }

    /// A record's leaf is the digest of its canonical JSON.
    fn set_leaf(&mut self, key: String, json: Result<Vec<u8>, AuditError>) -> Result<(), Error> {
        self.certified.set(key, Digest::of(&json.map_err(Error::internal)?));
        Ok(())
    }
}

fn collect<T>(keys: impl Iterator<Item = Result<T, Error>>) -> Result<Vec<T>, Error> {
    keys.collect()
}
