//! Which pages show a record: whoever writes one marks them here.

use std::collections::BTreeSet;

use ic_stable_structures::Memory;
use interface::{AuditId, CertificateId, CertificateState, DigestBytes, Error};
use pages::{Measure, Page, rows_per_page};

use crate::storage::{
    State,
    records::{Audit, Certificate, Dataset, Model},
};

/// The page of the list that has a certificate.
pub(super) fn list_page(id: CertificateId) -> u64 {
    id.saturating_sub(1) / rows_per_page()
}

impl<M: Memory> State<M> {
    /// A dataset was written.
    pub(crate) fn mark_dataset(&mut self, digest: DigestBytes, dataset: &Dataset) -> Result<(), Error> {
        let schema = self.header(dataset)?.schema;
        let id = digest.into();
        let rankings = Measure::of(&schema).into_iter().map(|measure| Page::Ranking(id, measure));
        self.site.changed.extend(rankings);
        self.site.changed.extend([Page::Dataset(id), Page::Manifest(id), Page::Start]);
        Ok(())
    }

    /// A model was written.
    pub(crate) fn mark_model(&mut self, digest: DigestBytes, model: &Model) {
        let versions = self.site.index.versions.entry((model.owner, model.name.clone())).or_default();
        let is_new = versions.insert((model.registered_at_ns, digest.0));
        if is_new {
            // The others show it too.
            let versions = versions.iter().map(|(_, digest)| Page::Model(DigestBytes(*digest).into()));
            self.site.changed.extend(versions);
            self.site.changed.insert(Page::Start);
        }
        self.site.changed.insert(Page::Model(digest.into()));
        // Leaderboards show how often it was audited.
        for (dataset, board) in self.site.index.boards.iter().filter(|(_, board)| board.has(digest)) {
            let dataset = DigestBytes(*dataset).into();
            self.site.changed.extend(board.measures().map(|measure| Page::Ranking(dataset, measure)));
            self.site.changed.insert(Page::Dataset(dataset));
        }
    }

    /// An audit was written.
    pub(crate) fn mark_audit(&mut self, id: AuditId, audit: &Audit) {
        self.site.index.audits.entry(audit.model.0).or_default().insert(id);
        self.site.changed.insert(Page::Model(audit.model.into()));
    }

    /// A certificate was written, or has expired.
    pub(crate) fn mark_certificate(
        &mut self,
        id: CertificateId,
        certificate: &Certificate,
    ) -> Result<(), Error> {
        let valid = certificate.state == CertificateState::Valid;
        let stands = valid && certificate.valid_until_ns.is_none_or(|until| until > self.site.as_of_ns);
        let index = &mut self.site.index;
        index.certificates.entry(certificate.model.0).or_default().insert(id);
        index.policies.entry(certificate.policy_name.clone()).or_default().insert(id);
        if let Some(until) = certificate.valid_until_ns {
            if stands {
                index.expiries.insert((until, id))
            } else {
                index.expiries.remove(&(until, id))
            };
        }
        let figures = &self.figures;
        let missing = || Error::internal("a certificate without figures");
        let scores = |id| Ok(figures.get(&id)?.ok_or_else(missing)?.scores);
        let dataset = certificate.dataset.into();
        let rankings: Vec<Page> =
            scores(id)?.0.iter().map(|score| Page::Ranking(dataset, score.measure)).collect();
        let board = index.boards.entry(certificate.dataset.0).or_default();
        // What only its owner has said is not ranked with what was checked, and does not replace it.
        if self.figures.get(&id)?.ok_or_else(missing)?.level().is_of_the_model() {
            board.set(certificate.model, id, stands, scores)?;
        }

        let key = (certificate.owner, certificate.model_name.clone());
        let versions = index.versions.get(&key).into_iter().flatten();
        let models: BTreeSet<Page> =
            versions.map(|(_, digest)| Page::Model(DigestBytes(*digest).into())).collect();
        let changed = &mut self.site.changed;
        changed.extend(models);
        changed.extend(rankings);
        let list = list_page(id);
        changed.extend([Page::Certificate(id), Page::Body(id), Page::Badge(id), Page::Certificates(list)]);
        changed.extend([Page::Start, Page::Dataset(dataset), Page::Model(certificate.model.into())]);
        if list_page(id.saturating_sub(1)) != list {
            // The page before gets a link to this one.
            changed.insert(Page::Certificates(list - 1));
        }
        Ok(())
    }

    /// An auditor's finding was written.
    pub(crate) fn mark_attestation(&mut self, certificate: CertificateId) {
        self.site.changed.insert(Page::Certificate(certificate));
    }

    /// Marks the pages of certificates that have expired by now; the next expiry, if there is one.
    pub fn expire(&mut self, now_ns: u64) -> Result<Option<u64>, Error> {
        self.site.as_of_ns = self.site.as_of_ns.max(now_ns);
        while let Some(&(until, id)) = self.site.index.expiries.first() {
            if until > now_ns {
                return Ok(Some(until));
            }
            self.site.index.expiries.remove(&(until, id));
            let certificate = self.certificate_entry(id)?;
            self.mark_certificate(id, &certificate)?;
        }
        Ok(None)
    }
}
