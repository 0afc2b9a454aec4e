//! Calls: checked, inspected, queued; answered with a certificate if that takes no longer than ten seconds.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use candid::Principal;
use ciborium::Value;

use super::envelope::{Content, Envelope};
use super::{Id, Node, Refusal, Sent, auth, bytes, cbor, text};
use crate::certificate::Want;
use crate::machine::Rejection;
use crate::management;
use crate::subnet::{Ingress, QueryCall};

/// Largest method name and argument together.
const MAX_INGRESS: usize = 2 << 20;
/// How long a synchronous call waits before the client has to poll.
const WAIT: Duration = Duration::from_secs(10);

/// How long an asynchronous call waits, to tell of a message that cannot be queued.
const BRIEFLY: Duration = Duration::from_millis(100);

/// `POST /api/v[234]/canister/<id>/call`.
pub(super) async fn call(state: Node, id: Id, body: Bytes, sync: bool) -> Result<Response, Refusal> {
    run(state, Sent::new(id, body)?, false, sync).await
}

/// `POST /api/v4/subnet/<id>/call`, for the management canister.
pub(super) async fn subnet_call(state: Node, id: Id, body: Bytes, sync: bool) -> Result<Response, Refusal> {
    run(state, Sent::new(id, body)?, true, sync).await
}

async fn run(State(shared): Node, sent: Sent, subnet: bool, sync: bool) -> Result<Response, Refusal> {
    let envelope = Envelope::parse(&sent.body)?;
    let Content::Call(method) = &envelope.content else {
        return Err(Refusal::bad("expected a request of type call"));
    };
    let management = method.canister == Principal::management_canister();
    if subnet {
        if sent.effective != shared.keys.subnet_id() || !management {
            return Err(Refusal::bad(
                "only the management canister of this node's subnet can be called here",
            ));
        }
    } else if management {
        let subject = management::subject(&method.name, &method.argument);
        if subject.is_some_and(|subject| subject != sent.effective) {
            return Err(Refusal::bad("the effective canister id does not match the argument"));
        }
    } else if method.canister != sent.effective {
        return Err(Refusal::bad("the effective canister id does not match the canister id"));
    }
    if method.name.len() + method.argument.len() > MAX_INGRESS {
        let text = format!("the message is larger than {MAX_INGRESS} bytes");
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, text));
    }
    auth::check(&envelope, method.canister, &shared.keys.root_key_der())?;

    let (id, sender, expiry) = (envelope.id, envelope.sender, envelope.expiry);
    let Content::Call(method) = envelope.content else { return Err(Refusal::bad("not a call")) };
    let known = shared.snapshot().state.requests.contains_key(&id);
    if !known {
        let (method, canister) = (&method, method.canister);
        let (name, argument) = (method.name.clone(), method.argument.clone());
        let inspected = shared.inspect(QueryCall { sender, canister, method: name, argument }).await?;
        if let Err(rejection) = inspected {
            return Ok(rejected(&rejection, sync));
        }
    }
    let ingress = Ingress {
        id,
        sender,
        effective: sent.effective,
        canister: method.canister,
        method: method.name,
        argument: method.argument,
        expiry,
    };
    let answered = async {
        let submitted = shared.submit(ingress).await?;
        Ok::<_, Refusal>(match submitted {
            // An error means that the node shuts down: the client has to ask again.
            Ok(answered) => Ok(answered.await.is_ok()),
            Err(rejection) => Err(rejection),
        })
    };
    match tokio::time::timeout(if sync { WAIT } else { BRIEFLY }, answered).await {
        Ok(Ok(Err(rejection))) => Ok(rejected(&rejection, sync)),
        Ok(Err(refusal)) => Err(refusal),
        Ok(Ok(Ok(true))) if sync => {
            let paths = [vec![b"request_status".to_vec(), id.to_vec()], vec![b"time".to_vec()]];
            let certified = shared.snapshot().certified(&shared.keys);
            let certificate = certified.certificate(&Want::paths(&paths));
            let map = vec![(text("status"), text("replied")), (text("certificate"), bytes(&certificate))];
            Ok(cbor(&Value::Map(map)))
        }
        Ok(Ok(Ok(_))) | Err(_) => Ok(StatusCode::ACCEPTED.into_response()),
    }
}

/// The answer to a call that was not even queued.
fn rejected(rejection: &Rejection, sync: bool) -> Response {
    let mut map = reject_fields(rejection);
    if sync {
        map.push((text("status"), text("non_replicated_rejection")));
    }
    cbor(&Value::Map(map))
}

/// The fields of a rejection that responses share.
pub(super) fn reject_fields(rejection: &Rejection) -> Vec<(Value, Value)> {
    let mut map = vec![
        (text("reject_code"), Value::Integer((rejection.code as u64).into())),
        (text("reject_message"), text(&rejection.message)),
    ];
    if let Some(error) = &rejection.error_code {
        map.push((text("error_code"), text(error)));
    }
    map
}
