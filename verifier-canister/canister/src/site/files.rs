//! Files that checkers download: a certificate with all that its check needs, and the records behind it.

use ic_stable_structures::Memory;
use interface::{
    CertificateId, Error,
    certified::{audit_json, audit_key, dataset_json, dataset_key, model_json, model_key},
    certified::{signing_key_json, signing_key_key},
    export::{CertificateFile, RecordTexts, RecordsFile},
};

use crate::storage::State;

impl<M: Memory> State<M> {
    /// The file that `assay certificate export` writes, if there is such a certificate.
    pub(super) fn certificate_file(
        &self,
        id: CertificateId,
        ic_certificate: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let found = self.certified_certificate(id, None)?;
        let Some(certificate) = found.certificate else { return Ok(None) };
        let (body, status, signed) = (certificate.body, certificate.status, ic_certificate.to_vec());
        let file = CertificateFile::new(self.site.canister, id, body, status, signed, found.proof.witness);
        Ok(Some(file.to_json()))
    }

    /// The records that a certificate was made from, if there is such a certificate.
    pub(super) fn records_file(
        &self,
        id: CertificateId,
        ic_certificate: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(certificate) = self.certificates().get(&id)? else { return Ok(None) };
        let (number, model, dataset) = (certificate.audit, certificate.model, certificate.dataset);
        let record = self.audit_entry(number)?.record(number);
        let submitted = record.log.as_ref().and_then(|log| log.submitted.as_ref());
        let signer = submitted.map(|log| self.keys().get(&(record.owner, log.signer.0))).transpose()?;
        let key = signer.flatten();
        let audit = audit_json(&record);
        let texts = RecordTexts {
            audit: audit.map_err(Error::internal)?,
            dataset: dataset_json(&self.dataset_entry(dataset)?.record(dataset)).map_err(Error::internal)?,
            model: model_json(&self.model_entry(model)?.record(model)).map_err(Error::internal)?,
            policy: self.policy(certificate.policy)?.into_bytes(),
            key: match &key {
                Some(key) => signing_key_json(key).map_err(Error::internal)?,
                None => Vec::new(),
            },
        };
        let mut leaves = vec![audit_key(number), dataset_key(dataset), model_key(model)];
        leaves.extend(key.map(|key| signing_key_key(key.owner, key.key)));
        let witness = self.tree().witness(&leaves)?;
        let file = RecordsFile::new(self.site.canister, id, texts, ic_certificate.to_vec(), witness);
        Ok(Some(file.to_json()))
    }
}
