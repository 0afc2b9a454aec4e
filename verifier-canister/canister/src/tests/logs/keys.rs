//! Keys that logs are signed with.

use super::*;

#[test]
fn keys_are_their_owners_and_can_be_revoked() {
    let (mut world, id) = World::awaiting_log(false, OPENED);
    assert!(matches!(world.add_key(OWNER, &key()).unwrap_err(), Error::AlreadyRegistered { .. }));
    assert!(
        matches!(world.add_key(STRANGER, &key()).unwrap_err(), Error::NotAllowed { .. }),
        "owns no model"
    );
    let by = world.by(OWNER);
    let other = Key::from_bytes(&[1; 32]);
    // A signature that was made for somebody else, or another canister.
    for message in [key_message(canister(), person(STRANGER)), key_message(person(7), person(OWNER))] {
        let signature = other.sign(&message).to_bytes().to_vec();
        let request = AddKey { key: public(&other), signature };
        let error = world.refused(by, |state, by| state.add_key(by, canister(), &request));
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    let log = Log::new(&world, id, honest).bytes();
    let revoke = |reason: &str| RevokeKey { key: public(&key()), reason: reason.to_owned() };
    let error = world.refused(by, |state, by| state.revoke_key(by, revoke(" ")));
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    let by = world.by(OWNER);
    world.state.revoke_key(&by, revoke("stolen")).unwrap();
    let error = world.refused(by, |state, by| state.revoke_key(by, revoke("again")));
    assert!(matches!(error, Error::WrongState { .. }), "{error}");
    assert!(matches!(world.submit_log(id, &log).unwrap_err(), Error::WrongState { .. }));
    assert!(world.add_key(OWNER, &key()).is_err(), "a revoked key does not come back");
    // The next key takes its place.
    world.add_key(OWNER, &other).unwrap();
    let mut log = Log::new(&world, id, honest);
    log.statement.predicate.signer = public(&other).into();
    log.key = other;
    world.submit_log(id, &log.bytes()).unwrap();
    world.upgrade();

    let answer = world.state.certified_keys(person(OWNER), None).unwrap();
    assert_eq!(answer.keys.iter().filter(|key| key.revoked.is_some()).count(), 1);
    let tree: HashTree = serde_cbor::from_slice(&answer.proof.witness).unwrap();
    assert_eq!(tree.digest(), world.state.tree().root());
    for one in &answer.keys {
        let SigningKey { owner, key, .. } = one;
        let leaf = Digest::of(&signing_key_json(one).unwrap());
        let path = signing_key_key(*owner, *key);
        assert_eq!(tree.lookup_path([TREE_LABEL, path.as_bytes()]), LookupResult::Found(&leaf.0));
    }
}
