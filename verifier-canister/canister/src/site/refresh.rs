//! Certifies pages that have changed.

use ic_http_certification::HttpCertificationPath;
use ic_stable_structures::Memory;
use interface::Error;
use pages::{Notice, Page, assets::ASSETS};

use super::{
    answer::{Content, entry},
    render::Renderer,
};
use crate::storage::State;

/// Pages are certified until the message has used this many instructions; the rest is left to a timer. Far below what a
/// message may use, for what is begun is ended.
pub const REFRESH_INSTRUCTIONS: u64 = 20_000_000_000;
/// Pages that are made before they are put into the tree: enough for all that one certificate changes, which share much.
const BATCH: usize = 128;

impl<M: Memory> State<M> {
    /// Leaves all pages to later messages, as when there was nothing certified yet.
    pub fn defer(&mut self) {
        let mut changed = std::mem::take(&mut self.site.changed);
        self.site.pending.append(&mut changed);
    }

    /// Certifies what never changes: files, the notice that nothing is there, and what is not certified ahead.
    pub fn certify_fixed(&mut self) -> Result<(), Error> {
        for asset in ASSETS {
            let path = HttpCertificationPath::exact(asset.path);
            let entry = entry(&self.site.shown, path, &Content::asset(asset))?;
            self.certified.pages_mut().insert(&entry);
        }
        self.swap_notices(Notice::Preparing, Notice::NotFound)
    }

    /// Certifies what was marked, then what is pending, while `instructions` allows; a message for each page that could
    /// not be made, which is then missing.
    pub fn refresh(&mut self, instructions: &dyn Fn() -> u64) -> Result<Vec<String>, Error> {
        let before = instructions();
        let mut changed = std::mem::take(&mut self.site.changed);
        let mut pending = std::mem::take(&mut self.site.pending);
        for page in &changed {
            pending.remove(page);
            self.certified.pages_mut().delete_by_path(&HttpCertificationPath::exact(page.to_string()));
        }
        let mut failures = Vec::new();
        while instructions() <= REFRESH_INSTRUCTIONS && !(changed.is_empty() && pending.is_empty()) {
            let mut entries = Vec::new();
            let renderer = Renderer::new(self);
            while entries.len() < BATCH && instructions() <= REFRESH_INSTRUCTIONS {
                let Some(page) = changed.pop_first().or_else(|| pending.pop_first()) else { break };
                match renderer.certification(page) {
                    Ok(entry) => entries.extend(entry),
                    Err(cause) => failures.push(format!("{page}: {cause}")),
                }
            }
            let tree = self.certified.pages_mut();
            entries.iter().for_each(|entry| tree.insert(entry));
        }
        pending.append(&mut changed);
        self.site.pending = pending;
        self.set_notice()?;
        self.site.instructions += instructions().saturating_sub(before);
        Ok(failures)
    }

    fn set_notice(&mut self) -> Result<(), Error> {
        let preparing = self.is_preparing();
        if preparing == self.site.notice {
            return Ok(());
        }
        self.site.notice = preparing;
        // One of the two, never both: while pages wait, nothing proves that a page is not there.
        if preparing {
            self.swap_notices(Notice::NotFound, Notice::Preparing)
        } else {
            self.swap_notices(Notice::Preparing, Notice::NotFound)
        }
    }

    fn swap_notices(&mut self, old: Notice, new: Notice) -> Result<(), Error> {
        let of = |notice| {
            entry(
                &self.site.shown,
                HttpCertificationPath::wildcard(""),
                &Content::notice(&self.site.shown, notice),
            )
        };
        let (old, new) = (of(old)?, of(new)?);
        let tree = self.certified.pages_mut();
        tree.delete(&old);
        tree.insert(&new);
        Ok(())
    }

    /// Whether some pages are not certified as they are now.
    pub fn is_preparing(&self) -> bool {
        !self.site.pending.is_empty()
    }

    /// Every certified path, with the hash of what answers.
    #[cfg(test)]
    pub(crate) fn certified_pages(&self) -> std::collections::BTreeSet<Vec<Vec<u8>>> {
        let paths = self.certified.pages().as_hash_tree().list_paths();
        paths.into_iter().map(|path| path.iter().map(|label| label.as_bytes().to_vec()).collect()).collect()
    }

    /// Whether a page is certified as it is now.
    pub(super) fn is_ready(&self, page: &Page) -> bool {
        !self.site.pending.contains(page)
    }
}
