//! Queries, answered with the signature of the node.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use candid::Principal;
use ciborium::Value;

use super::call::reject_fields;
use super::envelope::{Content, Envelope};
use super::hash::hash_of_map;
use super::{Id, Node, Refusal, Sent, auth, bytes, cbor, text};
use crate::subnet::{QueryCall, wall};

/// `POST /api/v[23]/canister/<id>/query`.
pub(super) async fn query(state: Node, id: Id, body: Bytes) -> Result<Response, Refusal> {
    run(state, Sent::new(id, body)?, false).await
}

/// `POST /api/v3/subnet/<id>/query`, for the management canister.
pub(super) async fn subnet_query(state: Node, id: Id, body: Bytes) -> Result<Response, Refusal> {
    run(state, Sent::new(id, body)?, true).await
}

async fn run(State(shared): Node, sent: Sent, subnet: bool) -> Result<Response, Refusal> {
    let envelope = Envelope::parse(&sent.body)?;
    let Content::Query(method) = &envelope.content else {
        return Err(Refusal::bad("expected a request of type query"));
    };
    let management = method.canister == Principal::management_canister();
    let fits = match (subnet, management) {
        (true, _) => management && sent.effective == shared.keys.subnet_id(),
        (false, true) => crate::management::subject(&method.name, &method.argument) == Some(sent.effective),
        (false, false) => method.canister == sent.effective,
    };
    if !fits {
        return Err(Refusal::bad("the effective canister id does not match the request"));
    }
    auth::check(&envelope, method.canister, &shared.keys.root_key_der())?;
    let (id, sender) = (envelope.id, envelope.sender);
    let Content::Query(method) = envelope.content else { return Err(Refusal::bad("not a query")) };
    let call =
        QueryCall { sender, canister: method.canister, method: method.name, argument: method.argument };
    let mut map = match shared.query(call).await? {
        Ok(reply) => {
            let reply = Value::Map(vec![(text("arg"), Value::Bytes(reply))]);
            vec![(text("status"), text("replied")), (text("reply"), reply)]
        }
        Err(rejection) => {
            let mut map = reject_fields(&rejection);
            map.push((text("status"), text("rejected")));
            map
        }
    };

    let timestamp = Value::Integer(wall().into());
    let mut signed = map.clone();
    signed.extend([(text("request_id"), bytes(&id)), (text("timestamp"), timestamp.clone())]);
    let hash = hash_of_map(&signed).map_err(Refusal::bad)?;
    let signature = shared.keys.sign_as_node(&[b"\x0Bic-response".as_slice(), &hash].concat());
    let signature = vec![
        (text("timestamp"), timestamp),
        (text("signature"), Value::Bytes(signature)),
        (text("identity"), bytes(shared.keys.node_id().as_slice())),
    ];
    map.push((text("signatures"), Value::Array(vec![Value::Map(signature)])));
    Ok(cbor(&Value::Map(map)))
}
