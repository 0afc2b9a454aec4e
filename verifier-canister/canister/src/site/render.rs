//! Makes pages of records.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use audit::Schema;
use ic_http_certification::{HttpCertificationPath, HttpCertificationTreeEntry};
use ic_stable_structures::Memory;
use interface::{CertificateId, CertificateSummary, DatasetRecord, DigestBytes, Error};
use pages::{Entry, Measure, ModelView, Page, Standing, Start, rows_per_page};

use super::answer::{self, Content, HTML, JSON, JSON_LD, SVG};
use crate::storage::State;

/// Rows of a leaderboard.
const RANKED: usize = 50;
/// Certificates on the start page, on a model's page; audits and versions there.
const NEWEST: usize = 20;
const SHOWN: usize = 50;
/// Datasets on the start page.
const DATASETS: usize = 100;

/// Makes pages, and remembers what several of them need.
pub(super) struct Renderer<'a, M: Memory> {
    state: &'a State<M>,
    entries: RefCell<BTreeMap<CertificateId, Rc<Entry>>>,
    schemas: RefCell<BTreeMap<DigestBytes, Rc<Schema>>>,
}

impl<'a, M: Memory> Renderer<'a, M> {
    pub(super) fn new(state: &'a State<M>) -> Self {
        Self { state, entries: RefCell::default(), schemas: RefCell::default() }
    }

    /// What is certified of a page; nothing if there is no such page.
    pub(super) fn certification(
        &self,
        page: Page,
    ) -> Result<Option<HttpCertificationTreeEntry<'static>>, Error> {
        let path = HttpCertificationPath::exact(page.to_string());
        // A body's digest is known, so it need not be read.
        if let Page::Body(id) = page {
            let Some(certificate) = self.state.certificates().get(&id)? else { return Ok(None) };
            let content = Content::new(JSON, Vec::new());
            return answer::entry_of(&self.state.site.shown, path, &content, certificate.body_digest.0)
                .map(Some);
        }
        self.content(page)?.map(|content| answer::entry(&self.state.site.shown, path, &content)).transpose()
    }

    /// A page, if there is one.
    pub(super) fn content(&self, page: Page) -> Result<Option<Content>, Error> {
        let site = &self.state.site.shown;
        let html = |body| Some(Content::new(HTML, body));
        Ok(match page {
            Page::Start => html(pages::start(site, &self.start()?)),
            Page::About => html(pages::about(site)),
            Page::Certificates(number) => self.list(number)?.and_then(html),
            Page::Certificate(id) => self.certificate(id)?.and_then(html),
            Page::Body(id) => self.state.body(id)?.map(|body| Content::new(JSON, body)),
            Page::Badge(id) => self.badge(id)?.map(|body| Content::new(SVG, body)),
            Page::Model(digest) => self.model(digest.into())?.and_then(html),
            Page::Dataset(digest) => self.dataset(digest.into())?.and_then(html),
            Page::Manifest(digest) => {
                self.schema(digest.into())?.map(|schema| Content::new(JSON_LD, schema.manifest.clone()))
            }
            Page::Ranking(digest, measure) => self.ranking(digest.into(), measure)?.and_then(html),
        })
    }

    fn standing(&self, summary: &CertificateSummary) -> Standing {
        Standing::of(summary, self.state.site.as_of_ns)
    }

    fn start(&self) -> Result<Start, Error> {
        let state = self.state;
        let mut datasets: Vec<DatasetRecord> = Vec::new();
        for entry in state.datasets().range(..) {
            let (digest, dataset) = entry?;
            datasets.push(dataset.record(DigestBytes(digest)));
        }
        datasets.sort_by_key(|dataset| std::cmp::Reverse(dataset.registered_at_ns));
        datasets.truncate(DATASETS);
        let newest = state.certificates().range(..).rev().take(NEWEST);
        Ok(Start {
            certificates: state.certificates().len(),
            models: state.models().len(),
            all_datasets: state.datasets().len(),
            datasets,
            newest: self.listed(newest.map(|entry| entry.map(|(id, one)| one.summary(id))))?,
        })
    }

    fn listed(
        &self,
        summaries: impl Iterator<Item = Result<CertificateSummary, Error>>,
    ) -> Result<Vec<(CertificateSummary, Standing)>, Error> {
        let listed = |summary: CertificateSummary| {
            let standing = self.standing(&summary);
            (summary, standing)
        };
        summaries.map(|summary| summary.map(listed)).collect()
    }

    fn list(&self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state;
        let first = number.saturating_mul(rows_per_page()).saturating_add(1);
        let next = first.saturating_add(rows_per_page());
        let all = state.certificates().len();
        if first > all && number > 0 {
            return Ok(None);
        }
        let rows = state.certificates().range(first..next).rev();
        let rows = self.listed(rows.map(|entry| entry.map(|(id, one)| one.summary(id))))?;
        Ok(Some(pages::certificates(&state.site.shown, number, &rows, all >= next)))
    }

    fn certificate(&self, id: CertificateId) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state;
        let (Some(record), Some(body)) = (state.certificates().get(&id)?, state.body(id)?) else {
            return Ok(None);
        };
        // These bytes are the canister's own.
        let body: audit::Certificate = serde_json::from_slice(&body).map_err(Error::internal)?;
        let summary = record.summary(id);
        let standing = self.standing(&summary);
        let findings = state.attestations_of(id)?;
        Ok(Some(pages::certificate(&state.site.shown, &summary, &body, &standing, &findings)))
    }

    fn badge(&self, id: CertificateId) -> Result<Option<Vec<u8>>, Error> {
        let Some(record) = self.state.certificates().get(&id)? else { return Ok(None) };
        let summary = record.summary(id);
        let standing = self.standing(&summary);
        Ok(Some(pages::badge(&summary, self.entry(id)?.level, &standing)))
    }

    fn model(&self, digest: DigestBytes) -> Result<Option<Vec<u8>>, Error> {
        let state = self.state;
        let Some(model) = state.models().get(&digest.0)? else { return Ok(None) };
        let index = &state.site.index;
        let versions = index.versions.get(&(model.owner, model.name.clone()));
        let versions: Vec<DigestBytes> =
            versions.into_iter().flatten().rev().map(|(_, digest)| DigestBytes(*digest)).collect();
        let of_version =
            |version: &DigestBytes| index.certificates.get(&version.0).into_iter().flatten().copied();
        let count =
            |version: &DigestBytes| index.certificates.get(&version.0).map_or(0, |ids| ids.len() as u64);
        let mut ids: Vec<CertificateId> = versions.iter().flat_map(of_version).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut certificates = Vec::new();
        for id in ids.into_iter().take(SHOWN) {
            let entry = self.entry(id)?;
            certificates.push((entry.summary.clone(), self.standing(&entry.summary), entry.scores.clone()));
        }
        let audits = index.audits.get(&digest.0).into_iter().flatten().rev().take(SHOWN);
        let audits = audits.map(|&id| Ok(state.audit_entry(id)?.record(id))).collect::<Result<_, Error>>()?;
        let versions = versions.into_iter().take(NEWEST);
        let versions = versions
            .map(|digest| Ok((state.model_entry(digest)?.record(digest), count(&digest))))
            .collect::<Result<_, Error>>()?;
        let view = ModelView { record: model.record(digest), certificates, audits, versions };
        Ok(Some(pages::model(&state.site.shown, &view)))
    }

    fn dataset(&self, digest: DigestBytes) -> Result<Option<Vec<u8>>, Error> {
        let Some(schema) = self.schema(digest)? else { return Ok(None) };
        let record = self.state.dataset_entry(digest)?.record(digest);
        let (entries, all) = self.ranked(digest, Measure::ACCURACY)?;
        Ok(Some(pages::dataset(&self.state.site.shown, &record, &schema, &entries, all)))
    }

    fn ranking(&self, digest: DigestBytes, measure: Measure) -> Result<Option<Vec<u8>>, Error> {
        let Some(schema) = self.schema(digest)? else { return Ok(None) };
        if !Measure::of(&schema).contains(&measure) {
            return Ok(None);
        }
        let (entries, all) = self.ranked(digest, measure)?;
        Ok(Some(pages::ranking(&self.state.site.shown, digest.into(), &schema, measure, &entries, all)))
    }

    /// The best models by a measure, and how many there are.
    fn ranked(&self, dataset: DigestBytes, measure: Measure) -> Result<(Vec<Rc<Entry>>, u64), Error> {
        let Some(board) = self.state.site.index.boards.get(&dataset.0) else { return Ok((Vec::new(), 0)) };
        let best = board.ranked(measure).take(RANKED);
        Ok((best.map(|id| self.entry(id)).collect::<Result<_, _>>()?, board.models()))
    }

    fn entry(&self, id: CertificateId) -> Result<Rc<Entry>, Error> {
        if let Some(entry) = self.entries.borrow().get(&id) {
            return Ok(entry.clone());
        }
        let figures = self.state.figures_entry(id)?;
        let certificate = self.state.certificate_entry(id)?;
        let entry = Rc::new(Entry {
            summary: certificate.summary(id),
            level: figures.level().word(),
            audits: self.state.model_entry(certificate.model)?.audits,
            scores: figures.scores,
        });
        self.entries.borrow_mut().insert(id, entry.clone());
        Ok(entry)
    }

    fn schema(&self, digest: DigestBytes) -> Result<Option<Rc<Schema>>, Error> {
        if let Some(schema) = self.schemas.borrow().get(&digest) {
            return Ok(Some(schema.clone()));
        }
        let Some(dataset) = self.state.datasets().get(&digest.0)? else { return Ok(None) };
        let schema = Rc::new(self.state.header(&dataset)?.schema);
        self.schemas.borrow_mut().insert(digest, schema.clone());
        Ok(Some(schema))
    }
}
