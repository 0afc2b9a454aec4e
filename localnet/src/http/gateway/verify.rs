//! Whether a response is the one that the canister certified, and which of its headers are.

use axum::http::{Method, StatusCode};
use candid::Principal;
use ic_http_certification::{HttpRequest, HttpResponse};
use ic_response_verification::verify_request_response_pair;

use super::exchange::{Reply, Request};
use super::page::Failure;

/// How old a certificate may be, and how far ahead of this machine's clock.
const MAX_OFFSET_NS: u128 = 300_000_000_000;
/// The first version that certifies status and headers.
const MIN_VERSION: u8 = 2;

/// Verifies the response to a request at `now` (nanoseconds) and returns the headers that may be passed on: the certified
/// ones, or all where the canister certified that the response is not certified.
///
/// # Errors
///
/// The page that tells what does not hold.
pub(super) fn verified_headers(
    request: &Request,
    reply: &Reply,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<Vec<(String, String)>, Failure> {
    let method = Method::from_bytes(request.method.as_bytes());
    let method = method.map_err(|error| Failure::verification(error.to_string()))?;
    let status = StatusCode::from_u16(reply.status);
    let status = status.map_err(|error| Failure::verification(error.to_string()))?;
    let asked = HttpRequest::builder()
        .with_method(method)
        .with_url(request.url.as_str())
        .with_headers(request.headers.clone())
        .with_body(request.body.as_slice())
        .build();
    let answered = HttpResponse::builder()
        .with_status_code(status)
        .with_headers(reply.headers.clone())
        .with_body(reply.body.as_slice())
        .build();
    let verified = verify_request_response_pair(
        asked,
        answered,
        canister.as_slice(),
        now.into(),
        MAX_OFFSET_NS,
        root_key,
        MIN_VERSION,
    );
    let verified = verified.map_err(|error| Failure::verification(error.to_string()))?;
    Ok(verified.response.map_or_else(|| reply.headers.clone(), |response| response.headers))
}
