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
    Notice, Page,
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

/// Below these, answers are not certified by the gateway's rules: a search cannot be certified ahead, and everything
/// else proves itself by a signature or a digest.
pub(super) const SKIPPED: [&str; 5] = ["/search", "/export", "/records", "/dsse", "/bytes"];

/// Longest URL that is looked at.
const MAX_URL: usize = 4096;

/// Scripts and styles come from here and nowhere else, and nothing is sent elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
                      img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

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

    fn response(self, expression: String) -> HttpResponse<'static> {
        let mut headers = vec![
            ("content-type", self.content_type.to_owned()),
            ("cache-control", "no-cache".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
            (CERTIFICATE_EXPRESSION_HEADER_NAME, expression),
        ];
        if self.content_type == HTML {
            headers.push(("content-security-policy", POLICY.to_owned()));
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
    path: HttpCertificationPath<'static>,
    content: &Content,
) -> Result<HttpCertificationTreeEntry<'static>, Error> {
    entry_of(path, content, audit::Digest::of(&content.body).0)
}

/// The tree's entry of a page whose body has this digest.
pub(super) fn entry_of(
    path: HttpCertificationPath<'static>,
    content: &Content,
    digest: [u8; 32],
) -> Result<HttpCertificationTreeEntry<'static>, Error> {
    let Content { status, content_type, gzipped, .. } = *content;
    let head = Content { status, content_type, gzipped, body: Cow::Borrowed(&[]) };
    let expression = whole_response();
    let response = head.response(expression.to_string());
    let certification = HttpCertification::response_only(&expression, &response, Some(digest));
    Ok(HttpCertificationTreeEntry::new(path, certification.map_err(Error::internal)?))
}

/// The tree's entry for answers below `path` that are not certified ahead.
pub(super) fn skip_entry(path: &'static str) -> HttpCertificationTreeEntry<'static> {
    HttpCertificationTreeEntry::new(HttpCertificationPath::wildcard(path), HttpCertification::skip())
}

/// Gateways take several slashes for one.
fn one_spelling(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let end = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

impl<M: Memory> State<M> {
    /// Answers a request for a page. A query has an IC certificate, without which no gateway passes the answer on.
    pub fn answer(&self, request: &HttpRequest, ic_certificate: Option<&[u8]>) -> Result<HttpAnswer, Error> {
        let url = request.url.get(..MAX_URL).unwrap_or(&request.url);
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = &one_spelling(path);
        let skipped = SKIPPED.into_iter().find(|start| {
            path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some(start) = skipped {
            let content = self.uncertified(path, query, ic_certificate)?;
            let content = content.unwrap_or_else(|| Content::notice(&self.site.shown, Notice::NotFound));
            let expression = DefaultCelBuilder::skip_certification().to_string();
            let certified_path = HttpCertificationPath::wildcard(start);
            return self.sent(
                content.response(expression),
                certified_path,
                skip_entry(start),
                path,
                ic_certificate,
            );
        }
        let (certified_path, content) = match self.certified_content(path)? {
            Ok(content) => (HttpCertificationPath::exact(path.to_owned()), content),
            Err(notice) => (HttpCertificationPath::wildcard(""), Content::notice(&self.site.shown, notice)),
        };
        let entry = entry(certified_path.clone(), &content)?;
        self.sent(content.response(whole_response().to_string()), certified_path, entry, path, ic_certificate)
    }

    /// What is certified under a path, or the notice that nothing is.
    fn certified_content(&self, path: &str) -> Result<Result<Content, Notice>, Error> {
        if let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) {
            return Ok(Ok(Content::asset(asset)));
        }
        let Ok(page) = path.parse::<Page>() else { return Ok(Err(Notice::NotFound)) };
        if !self.is_ready(&page) {
            return Ok(Err(Notice::Preparing));
        }
        Ok(Renderer::new(self).content(page)?.ok_or(Notice::NotFound))
    }

    fn sent(
        &self,
        mut response: HttpResponse<'static>,
        certified_path: HttpCertificationPath<'static>,
        entry: HttpCertificationTreeEntry<'static>,
        path: &str,
        ic_certificate: Option<&[u8]>,
    ) -> Result<HttpAnswer, Error> {
        if let Some(certificate) = ic_certificate {
            let witness = self.certified.page_witness(&entry, path)?;
            add_v2_certificate_header(certificate, &mut response, &witness, &certified_path.to_expr_path());
        }
        Ok(HttpAnswer {
            status_code: response.status_code().as_u16(),
            headers: response.headers().to_vec(),
            body: ByteBuf::from(response.body()),
        })
    }
}
