use ic_cdk::api;
use ic_stable_structures::DefaultMemoryImpl;
use interface::{DID, Error, REQUEST_BYTES};

use super::{STATE, context, log, schedule};
use crate::storage::State;

/// Queries that are too dear to be called as updates for nothing.
const ONLY_QUERIES: [&str; 2] = ["verify_audit", "verify_inference"];
/// Methods that only controllers may call.
const FOR_CONTROLLERS: [&str; 3] = ["add_role", "remove_role", "set_quotas"];

#[ic_cdk::init]
fn init() {
    start();
}

/// All state is in stable memory already; a controller who stops the canister before upgrading it makes sure that
/// no answer to the old code is under way.
#[ic_cdk::post_upgrade]
fn post_upgrade() {
    start();
}

/// Opens the state. A trap here undoes the installation, which is right when stable memory cannot be read.
fn start() {
    let open = || -> Result<State<DefaultMemoryImpl>, Error> {
        let mut state = State::open(DefaultMemoryImpl::default())?;
        state.resume_all()?;
        // Here the limit is highest, and a query could not keep it.
        state.setup()?;
        Ok(state)
    };
    match open() {
        Ok(state) => {
            api::certified_data_set(state.tree().root());
            STATE.set(Some(state));
            schedule::resume();
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
    let too_large = || api::msg_arg_data().len() > REQUEST_BYTES as usize;
    let forbidden = FOR_CONTROLLERS.contains(&method.as_str()) && !context.is_controller
        || ONLY_QUERIES.contains(&method.as_str());
    if context.signed_in().is_ok() && !method.starts_with('<') && !forbidden && !too_large() {
        api::accept_message();
    }
}

/// Where Candid tools look for the interface.
#[ic_cdk::query(name = "__get_candid_interface_tmp_hack", hidden = true)]
fn candid_interface() -> String {
    DID.to_owned()
}
