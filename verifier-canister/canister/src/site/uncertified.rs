//! Answers that are not certified ahead: searches, and what proves itself.

use std::collections::BTreeSet;

use audit::Digest;
use ic_stable_structures::Memory;
use interface::{CHUNK_BYTES, DatasetsRequest, DigestBytes, Error, ReadRequest};
use pages::{Found, Origins, Standing};

use super::answer::{Content, HTML, JSON};
use crate::{guards::check_search, storage::State};

/// Hits of each kind that a search shows.
const HITS: usize = 20;

impl<M: Memory> State<M> {
    /// A search's answer or a file, if there is one.
    pub(super) fn uncertified(
        &self,
        path: &str,
        query: &str,
        origins: &Origins,
        ic_certificate: &[u8],
    ) -> Result<Option<Content>, Error> {
        let segments: Vec<&str> = path.split('/').skip(1).take(5).collect();
        let json = |bytes: Option<Vec<u8>>| bytes.map(|bytes| Content::new(JSON, bytes));
        let number = |file: &str| file.strip_suffix(".json").and_then(|number| number.parse::<u64>().ok());
        let signed = ic_certificate;
        Ok(match *segments.as_slice() {
            ["search"] => Some(Content::new(HTML, self.found(query, origins)?)),
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
            "log" => self.read_log(request),
            _ => return Ok(None),
        };
        match bytes {
            Ok(bytes) if !bytes.is_empty() => Ok(Some(bytes)),
            Ok(_) | Err(Error::NotFound { .. } | Error::OutOfRange { .. }) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    fn found(&self, query: &str, origins: &Origins) -> Result<Vec<u8>, Error> {
        let text = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "q");
        let text = text.map(|(_, text)| text.trim().to_owned()).unwrap_or_default();
        let text = if check_search(Some(&text)).is_ok() { text } else { String::new() };
        Ok(pages::search(&self.site.shown, origins, &text, &self.find(&text)?))
    }

    /// What has a name, number or digest. Names of models and policies are all in the index, so none is missed.
    fn find(&self, text: &str) -> Result<Found, Error> {
        let mut found = Found::default();
        if text.is_empty() {
            return Ok(found);
        }
        if let Ok(digest) = text.parse::<Digest>() {
            let digest = DigestBytes::from(digest);
            found.datasets.extend(self.datasets().get(&digest.0)?.map(|one| one.record(digest)));
            found.models.extend(self.models().get(&digest.0)?.map(|one| one.record(digest)));
            return Ok(found);
        }
        let request = DatasetsRequest { text: Some(text.to_owned()), ..Default::default() };
        let datasets = self.list_datasets(&request)?;
        found.cut = datasets.next.is_some();
        found.datasets = datasets.items;

        let wanted = text.to_lowercase();
        let fits = |name: &str| name.to_lowercase().contains(&wanted);
        let index = &self.site.index;
        let mut ids = BTreeSet::new();
        ids.extend(text.parse::<u64>().ok().filter(|id| self.certificates().contains(id)));
        for ((_, name), versions) in &index.versions {
            if !fits(name) {
                continue;
            }
            for (_, model) in versions.iter().rev() {
                ids.extend(index.certificates.get(model).into_iter().flatten());
                if found.models.len() < HITS {
                    let digest = DigestBytes(*model);
                    found.models.push(self.model_entry(digest)?.record(digest));
                } else {
                    found.cut = true;
                }
            }
        }
        for (name, certificates) in &index.policies {
            if fits(name) {
                ids.extend(certificates);
            }
        }
        found.cut |= ids.len() > HITS;
        for &id in ids.iter().rev().take(HITS) {
            let summary = self.certificate_entry(id)?.summary(id);
            let standing = Standing::of(&summary, self.site.as_of_ns);
            found.certificates.push((summary, standing));
        }
        Ok(found)
    }
}
