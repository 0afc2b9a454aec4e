//! Auditors' findings on certificates: one of each auditor, shown beside the certificate and certified by itself.
//!
//! A finding changes nothing about the certificate. An auditor may change his finding, which is counted.

use std::ops::RangeInclusive;

use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    Attest, Attestation, CertificateId, CertifiedAttestations, Error, Finding, Proof, Role,
    certified::attestation_range,
};

use crate::{
    guards::{Context, check_quota, check_reason},
    storage::State,
};

/// Findings on one certificate.
pub const MAX_ATTESTATIONS: u64 = 50;

/// All keys of one certificate's findings: principals are longer than none and shorter than the longest.
fn keys(certificate: CertificateId) -> RangeInclusive<(u64, Principal)> {
    (certificate, Principal::management_canister())..=(certificate, Principal::from_slice(&[0xff; 29]))
}

impl<M: Memory> State<M> {
    /// Records what an auditor found.
    pub fn attest(&mut self, context: &Context, request: Attest) -> Result<(), Error> {
        let auditor = context.signed_in()?;
        if !self.has_role(context, Role::Auditor) {
            return Err(Error::not_allowed("an auditor"));
        }
        let certificate = self.certificate_entry(request.certificate)?;
        if auditor == certificate.owner {
            return Err(Error::not_allowed("somebody else than the model's owner"));
        }
        let same = request.rerun.map(|digest| digest == certificate.body_digest);
        let (fits, needed) = match request.finding {
            Finding::Agrees => (same == Some(true), "the digest of the certificate's body"),
            Finding::Disagrees => (same == Some(false), "the digest of another body"),
            Finding::NotReproduced => (same.is_none(), "no digest"),
        };
        if !fits {
            let message = format!("a finding that {} comes with {needed}", request.finding.name());
            return Err(Error::Invalid { what: "finding".to_owned(), message });
        }
        if request.finding != Finding::Agrees || !request.note.is_empty() {
            check_reason(&request.note)?;
        }
        let key = (request.certificate, auditor);
        let before = self.attestations().get(&key)?;
        if before.is_none() {
            let used = self.attestations().keys(keys(request.certificate)).count() as u64;
            check_quota("findings on a certificate", MAX_ATTESTATIONS, used, 1)?;
        }
        let attestation = Attestation {
            certificate: request.certificate,
            auditor,
            finding: request.finding,
            rerun: request.rerun,
            note: request.note,
            at_ns: context.now_ns,
            revisions: before.map_or(0, |before| before.revisions.saturating_add(1)),
        };
        self.put_attestation(&attestation)
    }

    /// Every finding on a certificate.
    pub fn attestations_of(&self, certificate: CertificateId) -> Result<Vec<Attestation>, Error> {
        self.attestations().range(keys(certificate)).map(|entry| entry.map(|(_, one)| one)).collect()
    }

    /// Every finding on a certificate, with proof that these are all.
    pub fn certified_attestations(
        &self,
        certificate: CertificateId,
        ic_certificate: Option<Vec<u8>>,
    ) -> Result<CertifiedAttestations, Error> {
        let (first, last) = attestation_range(certificate);
        let witness = self.tree().range_witness(&first, &last)?;
        let proof = Proof { ic_certificate: ic_certificate.map(Into::into), witness };
        Ok(CertifiedAttestations { attestations: self.attestations_of(certificate)?, proof })
    }
}
