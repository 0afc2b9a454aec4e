//! Files that pages refer to.

/// Path of the style sheet.
pub const STYLE: &str = "/assets/style.css";
/// Path of the script.
pub const SCRIPT: &str = "/assets/page.js";

/// A file with a fixed path.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Where it is.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    /// Whether the bytes are gzipped.
    pub gzipped: bool,
}

const STYLE_SHEET: Asset = Asset {
    path: STYLE,
    content_type: "text/css; charset=utf-8",
    bytes: include_bytes!("../assets/style.css"),
    gzipped: false,
};

const ICON: Asset = Asset {
    path: "/assets/icon.svg",
    content_type: "image/svg+xml",
    bytes: include_bytes!("../assets/icon.svg"),
    gzipped: false,
};

/// Every file: the two above, and the checker's, where the build has it (`build.rs`).
pub const ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets.rs"));
