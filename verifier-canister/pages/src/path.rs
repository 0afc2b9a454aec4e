use std::{fmt, str::FromStr};

use audit::Digest;
use interface::CertificateId;

use crate::Measure;

/// A certified address of the site. Its text is the path of the URL, and each has just one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    /// `/`
    Start,
    /// `/about`: what certificates prove, and how.
    About,
    /// `/certificates/<n>`: the n-th hundred of certificates, by number.
    Certificates(u64),
    /// `/certificate/<n>`
    Certificate(CertificateId),
    /// `/certificate/<n>/body.json`: the certified statement itself.
    Body(CertificateId),
    /// `/certificate/<n>/badge.svg`
    Badge(CertificateId),
    /// `/model/<digest>`
    Model(Digest),
    /// `/dataset/<digest>`
    Dataset(Digest),
    /// `/dataset/<digest>/croissant.json`: its manifest.
    Manifest(Digest),
    /// `/dataset/<digest>/by/<measure>`: models ranked by a measure.
    Ranking(Digest, Measure),
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("/"),
            Self::About => f.write_str("/about"),
            Self::Certificates(page) => write!(f, "/certificates/{page}"),
            Self::Certificate(id) => write!(f, "/certificate/{id}"),
            Self::Body(id) => write!(f, "/certificate/{id}/body.json"),
            Self::Badge(id) => write!(f, "/certificate/{id}/badge.svg"),
            Self::Model(digest) => write!(f, "/model/{digest}"),
            Self::Dataset(digest) => write!(f, "/dataset/{digest}"),
            Self::Manifest(digest) => write!(f, "/dataset/{digest}/croissant.json"),
            Self::Ranking(digest, measure) => write!(f, "/dataset/{digest}/by/{measure}"),
        }
    }
}

/// A path that no page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPage;

impl FromStr for Page {
    type Err = NoPage;

    fn from_str(path: &str) -> Result<Self, NoPage> {
        let number = |text: &str| text.parse::<u64>().map_err(|_| NoPage);
        let digest = |text: &str| text.parse::<Digest>().map_err(|_| NoPage);
        let segments: Vec<&str> = path.split('/').skip(1).take(5).collect();
        let page = match *segments.as_slice() {
            [""] => Self::Start,
            ["about"] => Self::About,
            ["certificates", page] => Self::Certificates(number(page)?),
            ["certificate", id] => Self::Certificate(number(id)?),
            ["certificate", id, "body.json"] => Self::Body(number(id)?),
            ["certificate", id, "badge.svg"] => Self::Badge(number(id)?),
            ["model", model] => Self::Model(digest(model)?),
            ["dataset", dataset] => Self::Dataset(digest(dataset)?),
            ["dataset", dataset, "croissant.json"] => Self::Manifest(digest(dataset)?),
            ["dataset", dataset, "by", measure] => Self::Ranking(digest(dataset)?, measure.parse()?),
            _ => return Err(NoPage),
        };
        // One spelling: no leading zeros, signs or capitals.
        if page.to_string() == path { Ok(page) } else { Err(NoPage) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_path() {
        let digest = Digest::of(b"x");
        let pages = [
            Page::Start,
            Page::About,
            Page::Certificates(3),
            Page::Certificate(12),
            Page::Body(12),
            Page::Badge(12),
            Page::Model(digest),
            Page::Dataset(digest),
            Page::Manifest(digest),
        ];
        let rankings = Measure::all(2).into_iter().map(|measure| Page::Ranking(digest, measure));
        for page in pages.into_iter().chain(rankings) {
            assert_eq!(page.to_string().parse(), Ok(page));
        }
        for path in ["", "/x", "about", "//", "/certificate/", "/certificate/012", "/certificate/+1"] {
            assert_eq!(path.parse::<Page>(), Err(NoPage), "{path}");
        }
        let capitals = format!("/model/{}", digest.to_string().to_uppercase());
        assert_eq!(capitals.parse::<Page>(), Err(NoPage));
        let longer = format!("/dataset/{digest}/by/accuracy/x");
        assert_eq!(longer.parse::<Page>(), Err(NoPage));
    }
}
