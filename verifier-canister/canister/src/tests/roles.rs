use interface::{Error, REASON_BYTES};

use super::*;
use crate::guards::{check_reason, check_search};

#[test]
fn only_controllers_change_roles_and_quotas() {
    let mut world = World::new();
    let change = RoleChange { role: Role::Registrar, principal: person(STRANGER) };
    let quotas = world.state.limits().unwrap().quotas;
    for number in [REGISTRAR, AUDITOR, OWNER] {
        let by = world.by(number);
        let needed = Error::not_allowed("a controller");
        assert_eq!(world.refused(by, |state, by| state.add_role(by, change)), needed);
        assert_eq!(world.refused(by, |state, by| state.remove_role(by, change)), needed);
        assert_eq!(world.refused(by, |state, by| state.set_quotas(by, quotas)), needed);
    }
    let by = world.anonymous();
    assert_eq!(world.refused(by, |state, by| state.add_role(by, change)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.remove_role(by, change)), Error::Anonymous);
    assert_eq!(world.refused(by, |state, by| state.set_quotas(by, quotas)), Error::Anonymous);
}

#[test]
fn roles_are_given_listed_and_taken() {
    let mut world = World::new();
    let change = RoleChange { role: Role::Auditor, principal: person(STRANGER) };
    let by = world.by(CONTROLLER);
    world.state.add_role(&by, change).unwrap();
    let again = world.by(CONTROLLER);
    world.state.add_role(&again, change).unwrap();
    world.upgrade();
    let roles = world.state.roles().unwrap();
    let found = roles.iter().find(|holder| holder.principal == person(STRANGER)).unwrap();
    assert_eq!((roles.len(), found.role, found.since_ns), (3, Role::Auditor, by.now_ns));
    world.state.remove_role(&by, change).unwrap();
    assert_eq!(world.state.roles().unwrap().len(), 2);
    let error = world.refused(by, |state, by| state.remove_role(by, change));
    assert_eq!(error, Error::not_found("holder of this role", person(STRANGER)));
}

#[test]
fn the_anonymous_principal_gets_no_role() {
    let mut world = World::new();
    let change = RoleChange { role: Role::Registrar, principal: Principal::anonymous() };
    let by = world.by(CONTROLLER);
    assert_eq!(world.refused(by, |state, by| state.add_role(by, change)), Error::Anonymous);
}

#[test]
fn quotas_that_would_stop_everything_are_refused() {
    let mut world = World::new();
    let quotas = world.state.limits().unwrap().quotas;
    let wrong = [
        Quotas { slice_instructions: 0, ..quotas },
        Quotas { slice_instructions: 40_000_000_000, ..quotas },
        Quotas { uploads_total: 1_000_000, ..quotas },
        Quotas { open_audits_total: 1_000_000, ..quotas },
        Quotas { audit_work: u64::MAX, ..quotas },
    ];
    for quotas in wrong {
        let by = world.by(CONTROLLER);
        let error = world.refused(by, |state, by| state.set_quotas(by, quotas));
        assert!(matches!(error, Error::OutOfRange { .. }), "{error}");
    }
}

#[test]
fn reasons_and_search_texts_are_bounded() {
    assert_eq!(check_reason("a wrong label in row 7"), Ok(()));
    let long = "x".repeat(REASON_BYTES as usize + 1);
    assert!(matches!(check_reason(&long), Err(Error::TooLarge { .. })));
    assert!(matches!(check_search(Some(&long)), Err(Error::TooLarge { .. })));
    for reason in ["", "  ", "line\nline"] {
        assert!(matches!(check_reason(reason), Err(Error::Invalid { .. })), "{reason:?}");
    }
}
