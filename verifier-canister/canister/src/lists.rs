//! Everything that can be read: lists in pages of bounded work, stretches of content, and proofs.

use std::ops::Bound;

use ic_stable_structures::Memory;
use interface::{
    AuditPage, AuditsRequest, CHUNK_BYTES, Certificate, CertificateId, CertificatePage, CertificateState,
    CertificatesRequest, CertifiedAudit, CertifiedCertificate, CertifiedDataset, CertifiedModel,
    DatasetDetails, DatasetPage, DatasetsRequest, DigestBytes, Error, ModelPage, ModelsRequest, PAGE_ITEMS,
    PAGE_SCAN, Proof, ReadRequest, WITNESS_LEAVES, WitnessRequest,
    certified::{audit_key, certificate_key, dataset_key, model_key, status_json, status_key},
};

use crate::{
    guards::{check_range, check_search},
    storage::{Content, State, records},
};

/// Longest key that a witness is asked for.
const MAX_KEY: u64 = 100;

/// Up to `limit` of the entries that `select` wants, and the last key looked at if there are more.
fn page<K: Copy, V, T>(
    entries: impl Iterator<Item = Result<(K, V), Error>>,
    limit: Option<u32>,
    select: impl Fn(K, V) -> Option<T>,
) -> Result<(Vec<T>, Option<K>), Error> {
    let limit = limit.unwrap_or(PAGE_ITEMS);
    check_range("limit", 1, PAGE_ITEMS.into(), limit.into())?;
    let mut items = Vec::new();
    let mut last = None;
    for (seen, entry) in entries.enumerate() {
        if items.len() == limit as usize || seen == PAGE_SCAN as usize {
            return Ok((items, last));
        }
        let (key, value) = entry?;
        last = Some(key);
        items.extend(select(key, value));
    }
    Ok((items, None))
}

fn wanted<T: PartialEq>(filter: &Option<T>, value: &T) -> bool {
    filter.as_ref().is_none_or(|filter| filter == value)
}

fn contains(text: &Option<String>, names: &[&str]) -> bool {
    let Some(text) = text else { return true };
    let text = text.to_lowercase();
    names.iter().any(|name| name.to_lowercase().contains(&text))
}

fn after(cursor: Option<DigestBytes>) -> (Bound<[u8; 32]>, Bound<[u8; 32]>) {
    (cursor.map_or(Bound::Unbounded, |digest| Bound::Excluded(digest.0)), Bound::Unbounded)
}

impl<M: Memory> State<M> {
    /// Some datasets.
    pub fn list_datasets(&self, request: &DatasetsRequest) -> Result<DatasetPage, Error> {
        check_search(request.text.as_deref())?;
        let (items, next) =
            page(self.datasets().range(after(request.after)), request.limit, |digest, entry| {
                let fits = wanted(&request.owner, &entry.owner)
                    && wanted(&request.encoding, &entry.encoding)
                    && contains(&request.text, &[&entry.name, &entry.version]);
                fits.then(|| entry.record(DigestBytes(digest)))
            })?;
        Ok(DatasetPage { items, next: next.map(DigestBytes) })
    }

    /// Some models.
    pub fn list_models(&self, request: &ModelsRequest) -> Result<ModelPage, Error> {
        check_search(request.text.as_deref())?;
        let (items, next) =
            page(self.models().range(after(request.after)), request.limit, |digest, entry| {
                let fits = wanted(&request.owner, &entry.owner)
                    && wanted(&request.encoding, &entry.encoding)
                    && contains(&request.text, &[&entry.name]);
                fits.then(|| entry.record(DigestBytes(digest)))
            })?;
        Ok(ModelPage { items, next: next.map(DigestBytes) })
    }

    /// Some audits, newest first.
    pub fn list_audits(&self, request: &AuditsRequest) -> Result<AuditPage, Error> {
        let entries = self.audits().range(..request.before.unwrap_or(u64::MAX)).rev();
        let (items, next) = page(entries, request.limit, |id, entry| {
            let fits = wanted(&request.model, &entry.model)
                && wanted(&request.dataset, &entry.dataset)
                && wanted(&request.owner, &entry.owner)
                && wanted(&request.requester, &entry.requester)
                && wanted(&request.state, &entry.state.kind());
            fits.then(|| entry.record(id))
        })?;
        Ok(AuditPage { items, next })
    }

    /// Some certificates, newest first.
    pub fn list_certificates(
        &self,
        request: &CertificatesRequest,
        now_ns: u64,
    ) -> Result<CertificatePage, Error> {
        check_search(request.text.as_deref())?;
        let standing = |entry: &records::Certificate| {
            entry.state == CertificateState::Valid && entry.valid_until_ns.is_none_or(|until| now_ns < until)
        };
        let entries = self.certificates().range(..request.before.unwrap_or(u64::MAX)).rev();
        let (items, next) = page(entries, request.limit, |id, entry| {
            let fits = wanted(&request.model, &entry.model)
                && wanted(&request.dataset, &entry.dataset)
                && wanted(&request.owner, &entry.owner)
                && wanted(&request.verdict, &entry.verdict)
                && wanted(&request.standing, &standing(&entry))
                && contains(&request.text, &[&entry.model_name, &entry.dataset_name, &entry.policy_name]);
            fits.then(|| entry.summary(id))
        })?;
        Ok(CertificatePage { items, next })
    }

    /// The policy with this digest.
    pub fn policy(&self, digest: DigestBytes) -> Result<String, Error> {
        self.policies.get(&digest.0)?.ok_or_else(|| Error::not_found("policy", digest))
    }

    /// Bytes of a dataset.
    pub fn read_dataset(&self, request: ReadRequest) -> Result<Vec<u8>, Error> {
        self.read_content(&self.dataset_entry(request.digest)?.content, request)
    }

    /// Bytes of a model.
    pub fn read_model(&self, request: ReadRequest) -> Result<Vec<u8>, Error> {
        self.read_content(&self.model_entry(request.digest)?.content, request)
    }

    /// A stretch of content.
    pub(crate) fn read_content(&self, content: &Content, request: ReadRequest) -> Result<Vec<u8>, Error> {
        check_range("offset", 0, content.size, request.offset)?;
        check_range("length", 1, CHUNK_BYTES.into(), request.length.into())?;
        let length = (content.size - request.offset).min(request.length.into());
        let mut bytes = vec![0; length as usize];
        self.blocks.read(content, request.offset, &mut bytes)?;
        Ok(bytes)
    }

    /// A dataset with proof, or proof that there is none.
    pub fn certified_dataset(
        &self,
        digest: DigestBytes,
        ic_certificate: Option<Vec<u8>>,
    ) -> Result<CertifiedDataset, Error> {
        let dataset = match self.datasets().get(&digest.0)? {
            Some(entry) => {
                let schema = (&self.header(&entry)?.schema).into();
                Some(DatasetDetails { record: entry.record(digest), schema })
            }
            None => None,
        };
        Ok(CertifiedDataset { dataset, proof: self.proof(&[dataset_key(digest)], ic_certificate)? })
    }

    /// A model with proof, or proof that there is none.
    pub fn certified_model(
        &self,
        digest: DigestBytes,
        ic_certificate: Option<Vec<u8>>,
    ) -> Result<CertifiedModel, Error> {
        let model = self.models().get(&digest.0)?.map(|entry| entry.record(digest));
        Ok(CertifiedModel { model, proof: self.proof(&[model_key(digest)], ic_certificate)? })
    }

    /// An audit with proof, or proof that there is none.
    pub fn certified_audit(&self, id: u64, ic_certificate: Option<Vec<u8>>) -> Result<CertifiedAudit, Error> {
        let audit = self.audits().get(&id)?.map(|entry| entry.record(id));
        Ok(CertifiedAudit { audit, proof: self.proof(&[audit_key(id)], ic_certificate)? })
    }

    /// A certificate with proof of body and status, or proof that there is none.
    pub fn certified_certificate(
        &self,
        id: CertificateId,
        ic_certificate: Option<Vec<u8>>,
    ) -> Result<CertifiedCertificate, Error> {
        let certificate = match (self.certificates().get(&id)?, self.body(id)?) {
            (Some(entry), Some(body)) => {
                let status = status_json(id, &entry.state).map_err(Error::internal)?;
                Some(Certificate { body, status })
            }
            (None, None) => None,
            _ => return Err(Error::internal("a certificate without its body")),
        };
        let keys = [certificate_key(id), status_key(id)];
        Ok(CertifiedCertificate { certificate, proof: self.proof(&keys, ic_certificate)? })
    }

    /// Proof for the leaves asked for.
    pub fn witness(&self, request: &WitnessRequest, ic_certificate: Option<Vec<u8>>) -> Result<Proof, Error> {
        match request {
            WitnessRequest::Keys(keys) => {
                check_range("number of keys", 1, WITNESS_LEAVES.into(), keys.len() as u64)?;
                keys.iter()
                    .try_for_each(|key| check_range("length of a key", 0, MAX_KEY, key.len() as u64))?;
                self.proof(keys, ic_certificate)
            }
            WitnessRequest::Range { first, last } => {
                let leaves = self.leaves_between(first, last)?;
                check_range("number of leaves", 0, WITNESS_LEAVES.into(), leaves)?;
                let witness = self.tree().range_witness(first, last)?;
                Ok(Proof { ic_certificate: ic_certificate.map(Into::into), witness })
            }
        }
    }

    /// An upper bound of the number of leaves in a range that stays within one kind of record.
    fn leaves_between(&self, first: &str, last: &str) -> Result<u64, Error> {
        let malformed = || Error::Malformed {
            message: "a range goes from one key to a later one of the same kind, such as \
                      audit/0000000001 to audit/0000000100"
                .to_owned(),
        };
        let split = |key: &'_ str| key.split_once('/').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
        let ((kind, first), (last_kind, last)) = split(first).zip(split(last)).ok_or_else(malformed)?;
        if kind != last_kind || first > last || first.len() != last.len() {
            return Err(malformed());
        }
        let digests = || {
            let parse =
                |text: &str| text.parse::<audit::Digest>().ok().filter(|digest| digest.to_string() == text);
            parse(&first).zip(parse(&last)).map(|(first, last)| (first.0, last.0)).ok_or_else(malformed)
        };
        let most = WITNESS_LEAVES as usize + 1;
        match kind.as_str() {
            "audit" | "certificate" | "status" => {
                let number = |text: &str| {
                    let digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
                    digits.then(|| text.parse::<u64>().ok()).flatten().ok_or_else(malformed)
                };
                let issued = if kind == "audit" { self.audits().len() } else { self.certificates().len() };
                let last = number(&last)?.min(issued);
                Ok((last + 1).saturating_sub(number(&first)?))
            }
            "dataset" => {
                let (first, last) = digests()?;
                Ok(self.datasets().keys(first..=last).take(most).count() as u64)
            }
            "model" => {
                let (first, last) = digests()?;
                Ok(self.models().keys(first..=last).take(most).count() as u64)
            }
            _ => Err(malformed()),
        }
    }

    fn proof(&self, keys: &[impl AsRef<str>], ic_certificate: Option<Vec<u8>>) -> Result<Proof, Error> {
        let witness = self.tree().witness(keys)?;
        Ok(Proof { ic_certificate: ic_certificate.map(Into::into), witness })
    }
}
