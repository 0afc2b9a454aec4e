//! The public site: which pages there are, when they change, and how they are served.
//!
//! Pages are functions of records, made by the crate `pages`. A page is made when one of its records changes, to certify
//! its hash, and made again when it is asked for; its bytes are not kept. Whoever writes a record marks the pages that
//! show it; [`State::refresh`] certifies them before the message ends. What does not fit into a message (all of it, after
//! an upgrade) is done by a timer, and meanwhile answered by a certified notice.
//!
//! [`State::refresh`]: crate::storage::State::refresh

mod answer;
mod envelope;
mod files;
mod index;
mod marks;
mod refresh;
mod render;
mod uncertified;

use std::collections::BTreeSet;

use candid::Principal;
use pages::Page;

pub use envelope::signed_message;
use index::Index;

/// What the site keeps in heap memory; built again from the records after an upgrade.
pub struct Site {
    /// Shown on every page.
    shown: pages::Site,
    canister: Principal,
    index: Index,
    /// Pages whose records were written since the last refresh.
    changed: BTreeSet<Page>,
    /// Pages that did not fit into a message: nothing is certified in their place but a notice.
    pub pending: BTreeSet<Page>,
    /// What certifying took.
    pub instructions: u64,
    /// Expiry is shown as of this time, so that a page stays what was certified.
    as_of_ns: u64,
    /// Whether the notice that pages are being prepared is certified.
    notice: bool,
}

impl Site {
    /// An empty site.
    pub fn new(canister: Principal, as_of_ns: u64) -> Self {
        let shown = pages::Site { canister: canister.to_text(), version: crate::VERSION.to_owned() };
        let changed = BTreeSet::from([Page::Start, Page::About, Page::Certificates(0)]);
        Self {
            shown,
            canister,
            index: Index::default(),
            changed,
            pending: BTreeSet::new(),
            instructions: 0,
            as_of_ns,
            notice: false,
        }
    }
}
