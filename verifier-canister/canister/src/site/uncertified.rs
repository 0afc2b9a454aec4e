//! Answers that are not certified ahead: searches, and what proves itself.

use audit::Digest;
use ic_stable_structures::Memory;
use interface::{
    CHUNK_BYTES, CertificatesRequest, DatasetsRequest, DigestBytes, Error, ModelsRequest, ReadRequest,
};
use pages::{Found, Standing};

use super::answer::{Content, HTML, JSON};
use crate::{guards::check_search, storage::State};

/// Hits of each kind that a search shows.
const HITS: u32 = 20;

impl<M: Memory> State<M> {
    /// The answer to a request below one of [`super::answer::SKIPPED`], if there is one.
    pub(super) fn uncertified(
        &self,
        path: &str,
        query: &str,
        ic_certificate: Option<&[u8]>,
    ) -> Result<Option<Content>, Error> {
        let segments: Vec<&str> = path.split('/').skip(1).take(5).collect();
        let json = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Content::new(JSON, bytes));
        let number = |file: &str| file.strip_suffix(".json").and_then(|number| number.parse::<u64>().ok());
        // Without an IC certificate nothing is proved by these.
        let signed = ic_certificate.unwrap_or_default();
        Ok(match *segments.as_slice() {
            ["search"] => Some(Content::new(HTML, self.found(query)?)),
            [kind @ ("export" | "records" | "dsse"), file] => match number(file) {
                Some(id) => json(match kind {
                    "export" => self.certificate_file(id, signed)?,
                    "records" => self.records_file(id, signed)?,
                    _ => self.envelope(id, signed)?,
                }),
                None => None,
            },
            ["bytes", kind, digest, part] => self.part(kind, digest, part)?.map(Content::bytes),
            _ => None,
        })
    }

    /// A part of [`CHUNK_BYTES`] of something that is known by its digest.
    fn part(&self, kind: &str, digest: &str, part: &str) -> Result<Option<Vec<u8>>, Error> {
        let (Ok(digest), Ok(part)) = (digest.parse::<Digest>(), part.parse::<u32>()) else { return Ok(None) };
        let offset = u64::from(part) * u64::from(CHUNK_BYTES);
        let request = ReadRequest { digest: digest.into(), offset, length: CHUNK_BYTES };
        let bytes = match kind {
            "dataset" => self.read_dataset(request),
            "model" => self.read_model(request),
            "proof" => self.read_proof(request),
            _ => return Ok(None),
        };
        match bytes {
            Ok(bytes) if !bytes.is_empty() => Ok(Some(bytes)),
            Ok(_) | Err(Error::NotFound { .. } | Error::OutOfRange { .. }) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    fn found(&self, query: &str) -> Result<Vec<u8>, Error> {
        let text = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "q");
        let text = text.map(|(_, text)| text.trim().to_owned()).unwrap_or_default();
        let text = if check_search(Some(&text)).is_ok() { text } else { String::new() };
        Ok(pages::search(&self.site.shown, &text, &self.find(&text)?))
    }

    fn find(&self, text: &str) -> Result<Found, Error> {
        let mut found = Found::default();
        if text.is_empty() {
            return Ok(found);
        }
        let standing = |summary| {
            let standing = Standing::of(&summary, self.site.as_of_ns);
            (summary, standing)
        };
        if let Ok(digest) = text.parse::<Digest>() {
            let digest = DigestBytes::from(digest);
            found.datasets.extend(self.datasets().get(&digest.0)?.map(|one| one.record(digest)));
            found.models.extend(self.models().get(&digest.0)?.map(|one| one.record(digest)));
            return Ok(found);
        }
        if let Ok(id) = text.parse::<u64>() {
            let summary = self.certificates().get(&id)?.map(|one| one.summary(id));
            found.certificates.extend(summary.map(standing));
        }
        let (text, limit) = (Some(text.to_owned()), Some(HITS));
        let datasets =
            self.list_datasets(&DatasetsRequest { text: text.clone(), limit, ..Default::default() })?;
        let models = self.list_models(&ModelsRequest { text: text.clone(), limit, ..Default::default() })?;
        let request = CertificatesRequest { text, limit, ..Default::default() };
        let certificates = self.list_certificates(&request, self.site.as_of_ns)?;
        found.cut = datasets.next.is_some() || models.next.is_some() || certificates.next.is_some();
        found.datasets.extend(datasets.items);
        found.models.extend(models.items);
        found.certificates.extend(certificates.items.into_iter().map(standing));
        Ok(found)
    }
}
