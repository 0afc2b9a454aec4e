//! Whether a request is fresh and really from its sender.

use candid::Principal;

use super::Refusal;
use super::envelope::{Content, Envelope};
use super::signature::verify;
use crate::subnet::wall;

/// How far in the future a request may expire: five minutes, and half a minute for clocks that differ.
const MAX_AHEAD: u64 = 330 * 1_000_000_000;

/// Checks expiry and signature of a request that concerns `canister`, on the network with this root key.
pub(super) fn check(envelope: &Envelope, canister: Principal, root_key: &[u8]) -> Result<(), Refusal> {
    let now = wall();
    if envelope.expiry < now || envelope.expiry > now + MAX_AHEAD {
        return Err(Refusal::bad(format!(
            "Invalid request expiry: Specified ingress_expiry not within expected range: Minimum allowed expiry: {now}, \
             Maximum allowed expiry: {}, Provided expiry: {}",
            now + MAX_AHEAD,
            envelope.expiry
        )));
    }
    authenticate(envelope, canister, root_key, now).map_err(|reason| {
        let id = hex::encode(envelope.id);
        Refusal::forbidden(format!("Failed to authenticate request {id} due to: {reason}"))
    })
}

fn authenticate(envelope: &Envelope, canister: Principal, root_key: &[u8], now: u64) -> Result<(), String> {
    let Some(proof) = &envelope.proof else {
        return match envelope.sender == Principal::anonymous() {
            true => Ok(()),
            false => Err("the request has no signature".into()),
        };
    };
    if Principal::self_authenticating(&proof.key) != envelope.sender {
        return Err(format!("the public key does not belong to sender {}", envelope.sender));
    }
    let mut key = &proof.key;
    for delegation in &proof.delegations {
        let message = [b"\x1Aic-request-auth-delegation".as_slice(), &delegation.hash].concat();
        verify(key, &message, &delegation.signature, root_key)
            .map_err(|reason| format!("delegation: {reason}"))?;
        if delegation.expiration < now {
            return Err(format!("a delegation expired at {}", delegation.expiration));
        }
        if delegation.targets.as_ref().is_some_and(|targets| !targets.contains(&canister)) {
            return Err(format!("a delegation is not valid for canister {canister}"));
        }
        if delegation.queries_only && matches!(envelope.content, Content::Call(_)) {
            return Err("a delegation permits queries only".into());
        }
        key = &delegation.key;
    }
    let message = [b"\x0Aic-request".as_slice(), &envelope.id].concat();
    verify(key, &message, &proof.signature, root_key)
}
