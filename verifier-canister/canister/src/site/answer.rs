//! How pages go out: headers, and what a gateway verifies them by.

use std::borrow::Cow;

use ic_http_certification::{
    CERTIFICATE_EXPRESSION_HEADER_NAME, DefaultCelBuilder, DefaultResponseCertification,
    DefaultResponseOnlyCelExpression, HttpCertification, HttpCertificationPath, HttpCertificationTreeEntry,
    HttpResponse, StatusCode, utils::add_v2_certificate_header,
};
use ic_stable_structures::Memory;
use interface::{Error, HttpAnswer, HttpRequest};
use pages::{
    Notice, Origins, Page,
    assets::{ASSETS, Asset},
};
use serde_bytes::ByteBuf;

use super::render::Renderer;
use crate::storage::State;

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JSON: &str = "application/json";
pub(super) const JSON_LD: &str = "application/ld+json";
pub(super) const SVG: &str = "image/svg+xml";
const BYTES: &str = "application/octet-stream";

/// Below these, answers are not certified ahead: a search cannot be, and everything else proves itself by a signature or a
/// digest. They are answered only where gateways verify nothing, which is another origin: on the origin of the pages, an
/// answer that a node may choose freely could bring a script that takes over all of them.
const FILES: [&str; 5] = ["search", "export", "records", "dsse", "bytes"];

/// Longest URL, and most segments of a path, that are looked at.
const MAX_URL: usize = 2048;
const MAX_SEGMENTS: usize = 8;

/// Scripts and styles come from here and nowhere else; files may be fetched from the canister's other origin.
fn policy(site: &pages::Site) -> String {
    let files = format!("{} http://{}.raw.localhost:*", site.origins().files, site.canister);
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
         img-src 'self'; connect-src 'self' {files}; form-action {files}; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// A body and what goes with it.
pub struct Content {
    status: u16,
    content_type: &'static str,
    gzipped: bool,
    body: Cow<'static, [u8]>,
}

impl Content {
    pub(super) fn new(content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, content_type, gzipped: false, body: body.into() }
    }

    pub(super) fn bytes(body: Vec<u8>) -> Self {
        Self::new(BYTES, body)
    }

    pub(super) fn asset(asset: &Asset) -> Self {
        let Asset { content_type, bytes, gzipped, .. } = *asset;
        Self { status: 200, content_type, gzipped, body: bytes.into() }
    }

    pub(super) fn notice(site: &pages::Site, notice: Notice) -> Self {
        Self { status: notice.status(), ..Self::new(HTML, pages::notice(site, notice)) }
    }

    fn response(self, policy: &str, expression: String) -> HttpResponse<'static> {
        let mut headers = vec![
            ("content-type", self.content_type.to_owned()),
            ("cache-control", "no-cache".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
            (CERTIFICATE_EXPRESSION_HEADER_NAME, expression),
        ];
        if self.content_type == HTML {
            headers.push(("content-security-policy", policy.to_owned()));
        } else {
            // Meant for programs on other sites, too.
            headers.push(("access-control-allow-origin", "*".to_owned()));
        }
        if self.gzipped {
            headers.push(("content-encoding", "gzip".to_owned()));
        }
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        HttpResponse::builder()
            .with_status_code(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            .with_headers(headers)
            .with_body(self.body)
            .build()
    }
}

/// Status, all headers and the body are certified.
fn whole_response() -> DefaultResponseOnlyCelExpression<'static> {
    let all = DefaultResponseCertification::response_header_exclusions(vec![]);
    DefaultCelBuilder::response_only_certification().with_response_certification(all).build()
}

/// The tree's entry of a page.
pub(super) fn entry(
    site: &pages::Site,
    path: HttpCertificationPath<'static>,
    content: &Content,
) -> Result<HttpCertificationTreeEntry<'static>, Error> {
    entry_of(site, path, content, audit::Digest::of(&content.body).0)
}

/// The tree's entry of a page whose body has this digest.
pub(super) fn entry_of(
    site: &pages::Site,
    path: HttpCertificationPath<'static>,
    content: &Content,
    digest: [u8; 32],
) -> Result<HttpCertificationTreeEntry<'static>, Error> {
    let Content { status, content_type, gzipped, .. } = *content;
    let head = Content { status, content_type, gzipped, body: Cow::Borrowed(&[]) };
    let expression = whole_response();
    let response = head.response(&policy(site), expression.to_string());
    let certification = HttpCertification::response_only(&expression, &response, Some(digest));
    Ok(HttpCertificationTreeEntry::new(path, certification.map_err(Error::internal)?))
}

/// Gateways take several slashes for one.
fn one_spelling(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

impl<M: Memory> State<M> {
    /// Answers a request for a page or a file, with the IC certificate of a query.
    pub fn answer(&self, request: &HttpRequest, ic_certificate: &[u8]) -> Result<HttpAnswer, Error> {
        let (max, got) = (MAX_URL as u64, request.url.len() as u64);
        if got > max {
            return Err(Error::TooLarge { what: "URL".to_owned(), max, got });
        }
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let path = &one_spelling(path);
        let (max, got) = (MAX_SEGMENTS as u64, path.split('/').count() as u64);
        if got > max {
            return Err(Error::TooLarge { what: "path".to_owned(), max, got });
        }
        let first = path.split('/').nth(1).unwrap_or_default();
        let origins = header(request, "host").and_then(Origins::of_files);
        if let (true, Some(origins)) = (FILES.contains(&first), origins) {
            return self.file(path, query, &origins, ic_certificate);
        }
        let (certified_path, content) = match self.certified_content(path)? {
            Ok(content) => (HttpCertificationPath::exact(path.to_owned()), content),
            Err(notice) => (HttpCertificationPath::wildcard(""), Content::notice(&self.site.shown, notice)),
        };
        let entry = entry(&self.site.shown, certified_path.clone(), &content)?;
        let policy = policy(&self.site.shown);
        let mut response = content.response(&policy, whole_response().to_string());
        let witness = self.certified.page_witness(&entry, path)?;
        add_v2_certificate_header(ic_certificate, &mut response, &witness, &certified_path.to_expr_path());
        Ok(sent(&response))
    }

    /// A search, or a file that proves itself: not certified as an answer.
    fn file(
        &self,
        path: &str,
        query: &str,
        origins: &Origins,
        ic_certificate: &[u8],
    ) -> Result<HttpAnswer, Error> {
        let missing = || Content {
            status: 404,
            ..Content::new("text/plain; charset=utf-8", b"There is no such file.\n".to_vec())
        };
        let content = self.uncertified(path, query, origins, ic_certificate)?.unwrap_or_else(missing);
        let Origins { pages, files } = origins;
        let policy = format!(
            "default-src 'none'; style-src {pages}; img-src {pages}; form-action {files}; base-uri {pages}; \
             frame-ancestors 'none'"
        );
        let mut answer = sent(&content.response(&policy, String::new()));
        answer.headers.retain(|(name, _)| name != CERTIFICATE_EXPRESSION_HEADER_NAME);
        Ok(answer)
    }

    /// What is certified under a path, or the notice that nothing is.
    fn certified_content(&self, path: &str) -> Result<Result<Content, Notice>, Error> {
        if let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) {
            return Ok(Ok(Content::asset(asset)));
        }
        let missing = if self.is_preparing() { Notice::Preparing } else { Notice::NotFound };
        let Ok(page) = path.parse::<Page>() else { return Ok(Err(missing)) };
        if !self.is_ready(&page) {
            return Ok(Err(Notice::Preparing));
        }
        Ok(Renderer::new(self).content(page)?.ok_or(missing))
    }
}

fn sent(response: &HttpResponse<'_>) -> HttpAnswer {
    HttpAnswer {
        status_code: response.status_code().as_u16(),
        headers: response.headers().to_vec(),
        body: ByteBuf::from(response.body()),
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
