//! Reading the state tree: which paths may be read by whom, and the certificate over them.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use candid::Principal;
use ciborium::Value;

use super::envelope::{Content, Envelope};
use super::{Id, Node, Refusal, Sent, auth, bytes, cbor, text};
use crate::certificate::Want;
use crate::subnet::state::State as Subnet;

/// `POST /api/v[23]/canister/<id>/read_state`.
pub(super) async fn canister(state: Node, id: Id, body: Bytes) -> Result<Response, Refusal> {
    run(state, &Sent::new(id, body)?, false)
}

/// `POST /api/v[23]/subnet/<id>/read_state`.
pub(super) async fn subnet(state: Node, id: Id, body: Bytes) -> Result<Response, Refusal> {
    run(state, &Sent::new(id, body)?, true)
}

fn run(State(shared): Node, sent: &Sent, subnet: bool) -> Result<Response, Refusal> {
    let envelope = Envelope::parse(&sent.body)?;
    let Content::ReadState(paths) = &envelope.content else {
        return Err(Refusal::bad("expected a request of type read_state"));
    };
    auth::check(&envelope, sent.effective, &shared.keys.root_key_der())?;
    if subnet && sent.effective != shared.keys.subnet_id() {
        return Err(Refusal::bad(format!("{} is not the subnet of this node", sent.effective)));
    }
    let snapshot = shared.snapshot();
    for path in paths {
        let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        match subnet {
            true => check_subnet_path(&labels, sent.effective)?,
            false => check_path(&snapshot.state, &labels, envelope.sender, sent.effective)?,
        }
    }
    let mut paths = paths.clone();
    paths.push(vec![b"time".to_vec()]);
    let certificate = snapshot.certified(&shared.keys).certificate(&Want::paths(&paths));
    Ok(cbor(&Value::Map(vec![(text("certificate"), bytes(&certificate))])))
}

fn check_path(
    state: &Subnet,
    path: &[&[u8]],
    sender: Principal,
    effective: Principal,
) -> Result<(), Refusal> {
    match path {
        [b"time"] | [b"subnet", ..] | [b"canister_ranges", ..] => Ok(()),
        [b"request_status", id, rest @ ..] if id.len() == 32 && rest.len() <= 1 => {
            let request = <[u8; 32]>::try_from(*id).ok().and_then(|id| state.requests.get(&id));
            match request {
                Some(request) if request.sender != sender || request.effective != effective => {
                    Err(Refusal::forbidden("the request is not of this sender and canister"))
                }
                _ => Ok(()),
            }
        }
        [b"canister", id, rest @ ..] if *id == effective.as_slice() => match rest {
            [
                b"controllers" | b"module_hash" | b"canister_creation_timestamp" | b"last_install_timestamp",
            ] => Ok(()),
            [b"metadata", name] => check_metadata(state, name, sender, effective),
            _ => Err(invalid(path)),
        },
        _ => Err(invalid(path)),
    }
}

/// Private metadata is shown to controllers only.
fn check_metadata(
    state: &Subnet,
    name: &[u8],
    sender: Principal,
    canister: Principal,
) -> Result<(), Refusal> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Err(Refusal::bad("a metadata name is not UTF-8"));
    };
    let Some(canister) = state.canisters.get(&canister) else { return Ok(()) };
    let metadata = canister.module.as_ref().and_then(|module| module.metadata.get(name));
    let hidden = metadata.is_some_and(|metadata| !metadata.public);
    if hidden && !canister.settings.controllers.contains(&sender) {
        return Err(Refusal::forbidden(format!("metadata {name:?} is private")));
    }
    Ok(())
}

fn check_subnet_path(path: &[&[u8]], subnet: Principal) -> Result<(), Refusal> {
    match path {
        [b"time"] | [b"subnet"] | [b"canister_ranges"] => Ok(()),
        [b"subnet" | b"canister_ranges", id, ..] if *id == subnet.as_slice() => Ok(()),
        _ => Err(invalid(path)),
    }
}

fn invalid(path: &[&[u8]]) -> Refusal {
    let labels: Vec<_> = path.iter().map(|label| String::from_utf8_lossy(label)).collect();
    Refusal::bad(format!("Invalid path requested: {}", labels.join("/")))
}
