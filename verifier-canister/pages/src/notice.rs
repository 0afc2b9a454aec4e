use maud::html;

use crate::{Site, shell::page};

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Nothing is there.
    NotFound,
    /// Pages are being certified again after an upgrade.
    Preparing,
}

impl Notice {
    /// HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Preparing => 503,
        }
    }
}

/// A page that says why there is none.
pub fn notice(site: &Site, notice: Notice) -> Vec<u8> {
    match notice {
        Notice::NotFound => page(
            site,
            "Not found",
            html! {
                h1 { "There is no such page" }
                p {
                    "The canister certifies that nothing is published at this address. A certificate is never removed, so "
                    "if someone sent you here, ask them for its number and "
                    a href="/" { "look it up" } "."
                }
            },
        ),
        Notice::Preparing => page(
            site,
            "Back in a moment",
            html! {
                h1 { "Back in a moment" }
                p {
                    "The canister is certifying its pages again, for instance after an upgrade. Certificates themselves are not touched "
                    "by this. Load this page again in a minute."
                }
            },
        ),
    }
}
