//! Cross-origin requests, allowed as the Internet Computer's API boundary nodes and gateways allow them.

use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const ALLOW_HEADERS: &str = "user-agent, dnt, if-none-match, if-modified-since, cache-control, content-type, range, \
                             cookie, x-requested-with, x-ic-canister-id";
const EXPOSE_HEADERS: &str = "accept-ranges, content-length, content-range, x-request-id, x-ic-canister-id";
const VARY: &str = "origin, access-control-request-method, access-control-request-headers";

/// Answers preflight requests and lets pages of every origin read what is answered. What a canister says about its own
/// pages stays.
pub(super) async fn allow(request: Request, next: Next) -> Response {
    let (preflight, api) = (request.method() == Method::OPTIONS, request.uri().path().starts_with("/api/"));
    let mut response = match preflight && api {
        true => StatusCode::OK.into_response(),
        false => next.run(request).await,
    };
    if preflight && response.status() != StatusCode::OK {
        response = StatusCode::OK.into_response();
    }
    let methods = if api { "HEAD, GET, POST" } else { "HEAD, GET, POST, PUT, DELETE, PATCH" };
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    };
    if preflight {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS);
        set(header::ACCESS_CONTROL_MAX_AGE, "7200");
    } else {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS);
    }
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(header::VARY, VARY);
    response
}
