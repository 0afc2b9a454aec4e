//! The HTTP gateway: a canister's pages at `http://<canister>.localhost:<port>/`.
//!
//! A request becomes a call of `http_request`. Its response is passed on only if it is the one that the canister
//! certified; on `<canister>.raw.localhost` it is passed on as it is.

mod exchange;
mod host;
mod page;
mod verify;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use candid::Principal;

use self::exchange::{Reply, Request};
use self::host::CanisterHost;
use self::page::Failure;
use super::Node;
use crate::machine::{RejectCode, Rejection};
use crate::node::Shared;
use crate::subnet::state::RequestStatus;
use crate::subnet::{Ingress, QueryCall, random, wall};

/// Largest body of a request.
const MAX_REQUEST: usize = 2 << 20;
/// Largest body of a response, streamed parts together.
const MAX_RESPONSE: usize = 32 << 20;
/// Longest path and query.
const MAX_URL: usize = 8192;
/// How often the rest of a streamed response is asked for.
const MAX_CALLBACKS: usize = 64;
/// How long an update may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The certification that clients of this gateway are promised.
const CERTIFICATE_VERSION: u16 = 2;

/// Headers that concern one connection only.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The host that a request names.
fn host(parts: &Parts) -> Option<&str> {
    let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    named.or_else(|| parts.uri.authority().map(|authority| authority.as_str()))
}

/// Everything that is no API request: pages of canisters, and the node's greeting.
pub(super) async fn serve(State(shared): Node, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let Some(at) = host(&parts).and_then(host::parse) else { return greeting(&parts) };
    if parts.uri.path().starts_with("/api/") {
        return (StatusCode::NOT_FOUND, "there is no such API endpoint\n").into_response();
    }
    match answer(&shared, at, &parts, body).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    }
}

fn greeting(parts: &Parts) -> Response {
    let text = match parts.uri.path() {
        "/" => {
            "An Internet Computer node for development. Agents use this URL; /api/v2/status tells the root key. \
             Canisters' pages are at http://<canister>.localhost on the same port.\n"
        }
        _ => {
            return (StatusCode::NOT_FOUND, "no such page; canisters' pages are at <canister>.localhost\n")
                .into_response();
        }
    };
    text.into_response()
}

async fn answer(shared: &Shared, at: CanisterHost, parts: &Parts, body: Body) -> Result<Response, Failure> {
    let request = read(parts, body).await?;
    let argument = request.encode().map_err(unencodable)?;
    let queried = query(shared, at.canister, "http_request", argument).await?;
    let mut reply = Reply::decode(&queried).map_err(undecodable)?;
    let upgraded = reply.upgrade;
    if upgraded {
        let request = Request { certificate_version: None, ..request.clone() };
        let argument = request.encode().map_err(unencodable)?;
        let updated = update(shared, at.canister, argument).await?;
        reply = Reply::decode(&updated).map_err(undecodable)?;
    }
    join(shared, &mut reply).await?;
    // What an update answered, the subnet has agreed on already.
    let headers = match upgraded || at.raw {
        true => reply.headers.clone(),
        false => {
            let root_key = shared.keys.root_key_der();
            verify::verified_headers(&request, &reply, at.canister, &root_key, wall())?
        }
    };
    write(&reply, headers, parts.method == axum::http::Method::HEAD)
}

/// The request as the canister gets it.
async fn read(parts: &Parts, body: Body) -> Result<Request, Failure> {
    let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
    if url.len() > MAX_URL {
        let text = format!("the URL has {} bytes, at most {MAX_URL} are possible", url.len());
        return Err(Failure::request(StatusCode::URI_TOO_LONG, text));
    }
    let mut headers = Vec::new();
    for (name, value) in &parts.headers {
        if is_hop_by_hop(name, &parts.headers) {
            continue;
        }
        let value = value.to_str().map_err(|_| {
            Failure::request(StatusCode::BAD_REQUEST, format!("the header {name} is not visible ASCII"))
        })?;
        headers.push((name.to_string(), value.to_owned()));
    }
    let body = axum::body::to_bytes(body, MAX_REQUEST).await.map_err(|_| {
        let text = format!("the body is incomplete or larger than {MAX_REQUEST} bytes");
        Failure::request(StatusCode::PAYLOAD_TOO_LARGE, text)
    })?;
    Ok(Request {
        method: parts.method.to_string(),
        url: url.to_owned(),
        headers,
        body: body.to_vec().into(),
        certificate_version: Some(CERTIFICATE_VERSION),
    })
}

/// Whether a header is one of a connection: a known one, or one that `Connection` names.
fn is_hop_by_hop(name: &HeaderName, headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    HOP_BY_HOP.contains(name)
        || named
            .flat_map(|list| list.split(','))
            .any(|other| name.as_str().eq_ignore_ascii_case(other.trim()))
}

async fn query(
    shared: &Shared,
    canister: Principal,
    method: &str,
    argument: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let call = QueryCall { sender: Principal::anonymous(), canister, method: method.to_owned(), argument };
    shared.query(call).await.map_err(stopped)?.map_err(rejected)
}

/// Calls `http_request_update` and waits for the answer.
async fn update(shared: &Shared, canister: Principal, argument: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let (sender, method) = (Principal::anonymous(), "http_request_update".to_owned());
    let call = QueryCall { sender, canister, method: method.clone(), argument: argument.clone() };
    shared.inspect(call).await.map_err(stopped)?.map_err(rejected)?;
    let id = random::system_seed().map_err(|error| stopped(error.into()))?;
    let expiry = wall() + PATIENCE.as_nanos() as u64;
    let ingress = Ingress { id, sender, effective: canister, canister, method, argument, expiry };
    let answered = shared.submit(ingress).await.map_err(stopped)?.map_err(rejected)?;
    let late = || Failure::canister(StatusCode::GATEWAY_TIMEOUT, "the update takes longer than a minute");
    // An error of the inner receiver means that the node shuts down.
    let _ = tokio::time::timeout(PATIENCE, answered).await.map_err(|_| late())?;
    match shared.snapshot().state.requests.get(&id).map(|request| request.status.clone()) {
        Some(RequestStatus::Answered(response)) => response.into_result().map_err(rejected),
        _ => Err(stopped(crate::NodeError::Stopped)),
    }
}

/// Asks for the rest of a streamed body, until it is complete.
async fn join(shared: &Shared, reply: &mut Reply) -> Result<(), Failure> {
    let mut next = reply.next.take();
    for _ in 0..MAX_CALLBACKS {
        let Some(callback) = next else { return Ok(()) };
        let argument = callback.argument().map_err(unencodable)?;
        let part = query(shared, callback.canister, &callback.method.clone(), argument).await?;
        let (part, rest) = callback.decode(&part).map_err(undecodable)?;
        if reply.body.len() + part.len() > MAX_RESPONSE {
            let text = format!("the streamed response is larger than {MAX_RESPONSE} bytes");
            return Err(Failure::canister(StatusCode::BAD_GATEWAY, text));
        }
        reply.body.extend(part);
        next = rest;
    }
    match next {
        None => Ok(()),
        Some(_) => {
            let text = format!("the streamed response has more than {MAX_CALLBACKS} parts");
            Err(Failure::canister(StatusCode::BAD_GATEWAY, text))
        }
    }
}

fn write(reply: &Reply, headers: Vec<(String, String)>, head: bool) -> Result<Response, Failure> {
    let invalid = |what: String| {
        Failure::canister(StatusCode::BAD_GATEWAY, format!("the response has an invalid {what}"))
    };
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| !status.is_informational());
    let status = status.ok_or_else(|| invalid(format!("status {}", reply.status)))?;
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
            (Ok(name), Ok(value)) => sent.append(name, value),
            _ => return Err(invalid(format!("header {name:?}"))),
        };
    }
    let named: Vec<HeaderName> = sent.keys().filter(|name| is_hop_by_hop(name, &sent)).cloned().collect();
    named.iter().for_each(|name| drop(sent.remove(name)));
    // The length is that of the body, whatever the canister says.
    sent.insert(header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
    let body = if head { Body::empty() } else { Body::from(reply.body.clone()) };
    let mut response = (status, body).into_response();
    *response.headers_mut() = sent;
    Ok(response)
}

fn rejected(rejection: Rejection) -> Failure {
    let status = match rejection.code {
        RejectCode::DestinationInvalid => StatusCode::NOT_FOUND,
        RejectCode::SysTransient => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    };
    Failure::canister(status, rejection.to_string())
}

fn stopped(error: crate::NodeError) -> Failure {
    Failure::canister(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn undecodable(reason: String) -> Failure {
    Failure::canister(StatusCode::BAD_GATEWAY, format!("its answer is not an HTTP response: {reason}"))
}

fn unencodable(reason: String) -> Failure {
    Failure::request(StatusCode::BAD_REQUEST, reason)
}
