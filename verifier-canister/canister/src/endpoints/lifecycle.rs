use ic_cdk::api;
use ic_stable_structures::DefaultMemoryImpl;
use interface::{CHUNK_BYTES, DID, Error, POLICY_BYTES};

use super::{STATE, context, log, schedule};
use crate::storage::State;

/// Update methods, and most bytes of an argument: what is larger would be refused after it was paid for.
const UPDATES: [(&str, u32); 18] = [
    ("begin_upload", SMALL),
    ("put_chunk", CHUNK_BYTES + SMALL),
    ("seal_upload", SMALL),
    ("abort_upload", SMALL),
    ("request_audit", POLICY_BYTES + SMALL),
    ("abandon_audit", SMALL),
    ("submit_proof", SMALL),
    ("submit_log", SMALL),
    ("submit_openings", SMALL),
    ("report_openings", SMALL),
    ("dispute_prediction", SMALL),
    ("add_key", SMALL),
    ("revoke_key", SMALL),
    ("revoke_certificate", SMALL),
    ("attest", SMALL),
    ("add_role", SMALL),
    ("remove_role", SMALL),
    ("set_quotas", SMALL),
];
/// Bytes of an argument without content of its own.
const SMALL: u32 = 8 << 10;
/// Methods that only controllers may call.
const FOR_CONTROLLERS: [&str; 3] = ["add_role", "remove_role", "set_quotas"];

#[ic_cdk::init]
fn init() {
    start();
}

/// Saves nothing, since all state is in stable memory already. A canister that runs may have calls under way: their
/// answers would come back to the new code with pointers of the old one. So it must be stopped first.
#[ic_cdk::pre_upgrade]
fn pre_upgrade() {
    if api::canister_status() != api::CanisterStatusCode::Stopped {
        api::trap("stop the canister before you upgrade it");
    }
}

#[ic_cdk::post_upgrade]
fn post_upgrade() {
    start();
}

/// Opens the state. A trap here undoes the installation, which is right when stable memory cannot be read.
fn start() {
    let open = || -> Result<State<DefaultMemoryImpl>, Error> {
        let mut state = State::open(DefaultMemoryImpl::default(), api::canister_self(), api::time())?;
        state.resume_all()?;
        // Here the limit is highest, and a query could not keep it.
        state.setup()?;
        state.refresh(&api::instruction_counter)?;
        Ok(state)
    };
    match open() {
        Ok(state) => {
            api::certified_data_set(state.tree().root());
            STATE.set(Some(state));
            schedule::resume();
            super::pages::resume();
            log(format!("{} started", crate::VERSION));
        }
        Err(cause) => api::trap(cause.to_string()),
    }
}

/// Saves cycles by dropping calls that would be refused anyway. One node runs this, and calls from canisters skip
/// it, so every method checks for itself.
#[ic_cdk::inspect_message]
fn inspect_message() {
    let context = context();
    let method = api::msg_method_name();
    let update = UPDATES.iter().find(|(name, _)| *name == method);
    let fits = update.is_some_and(|&(_, most)| api::msg_arg_data().len() <= most as usize);
    let forbidden = FOR_CONTROLLERS.contains(&method.as_str()) && !context.is_controller;
    if context.signed_in().is_ok() && fits && !forbidden {
        api::accept_message();
    }
}

/// Where Candid tools look for the interface.
#[ic_cdk::query(name = "__get_candid_interface_tmp_hack", hidden = true)]
fn candid_interface() -> String {
    DID.to_owned()
}
