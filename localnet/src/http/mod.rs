//! The public HTTP interface, as agents and browsers use it.

mod auth;
mod call;
mod cors;
mod envelope;
mod gateway;
mod hash;
mod query;
mod read_state;
mod signature;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use candid::Principal;
use ciborium::Value;

use crate::NodeError;
use crate::node::Shared;

/// Largest request body; a call's argument is limited further.
const MAX_BODY: usize = 5 << 20;

/// Routes of all interface versions that clients use.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new().route("/api/v2/status", get(status)).fallback(gateway::serve);
    for version in ["v2", "v3", "v4"] {
        let path = |scope: &str, what: &str| format!("/api/{version}/{scope}/{{id}}/{what}");
        let sync = version != "v2";
        router = router
            .route(&path("canister", "call"), post(move |s, p, b| call::call(s, p, b, sync)))
            .route(&path("subnet", "call"), post(move |s, p, b| call::subnet_call(s, p, b, sync)));
        if version != "v4" {
            router = router
                .route(&path("canister", "query"), post(query::query))
                .route(&path("subnet", "query"), post(query::subnet_query))
                .route(&path("canister", "read_state"), post(read_state::canister))
                .route(&path("subnet", "read_state"), post(read_state::subnet));
        }
    }
    let router = router.layer(DefaultBodyLimit::max(MAX_BODY));
    router.layer(axum::middleware::from_fn(cors::allow)).with_state(shared)
}

type Node = State<Arc<Shared>>;
type Id = Path<String>;

/// What is told to a client that did something wrong, as plain text.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Refusal(StatusCode::BAD_REQUEST, text.into())
    }

    fn forbidden(text: impl Into<String>) -> Self {
        Refusal(StatusCode::FORBIDDEN, text.into())
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

/// A tagged CBOR body.
fn cbor(value: &impl serde::Serialize) -> Response {
    let mut response = Response::new(Body::from(crate::cbor::encode_tagged(value)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    response
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn bytes(value: &[u8]) -> Value {
    Value::Bytes(value.to_vec())
}

fn principal(id: &str) -> Result<Principal, Refusal> {
    Principal::from_text(id).map_err(|error| Refusal::bad(format!("{id:?} is not a principal: {error}")))
}

async fn status(State(shared): Node) -> Response {
    let health = if shared.failure().is_none() { "healthy" } else { "certified_state_behind" };
    let map = vec![
        (text("root_key"), bytes(&shared.keys.root_key_der())),
        (text("impl_version"), text(concat!("localnet ", env!("CARGO_PKG_VERSION")))),
        (text("replica_health_status"), text(health)),
    ];
    cbor(&Value::Map(map))
}

/// A request body and where it was sent.
struct Sent {
    effective: Principal,
    body: Bytes,
}

impl Sent {
    fn new(Path(id): Id, body: Bytes) -> Result<Self, Refusal> {
        Ok(Sent { effective: principal(&id)?, body })
    }
}
