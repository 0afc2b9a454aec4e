use candid::candid_method;
use ic_cdk::{api, query, update};
use interface::{Error, Limits, Quotas, RoleChange, RoleHolder, Stats};

use super::{Arg, change, context, decode, log, read};

const PAGE_BYTES: u64 = 65_536;

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn add_role(request: Arg<RoleChange>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.add_role(&context(), request))?;
    log(format!("{} is {:?} now", request.principal, request.role));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn remove_role(request: Arg<RoleChange>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.remove_role(&context(), request))?;
    log(format!("{} is no longer {:?}", request.principal, request.role));
    Ok(())
}

#[update(decode_with = "decode", hidden = true)]
#[candid_method(update)]
fn set_quotas(request: Arg<Quotas>) -> Result<(), Error> {
    let request = request.0?;
    change(|state| state.set_quotas(&context(), request))?;
    log(format!("quotas are {request:?} now"));
    Ok(())
}

#[query(hidden = true)]
#[candid_method(query)]
fn roles() -> Result<Vec<RoleHolder>, Error> {
    read(|state| state.roles())
}

#[query(hidden = true)]
#[candid_method(query)]
fn limits() -> Result<Limits, Error> {
    read(|state| state.limits())
}

#[query(hidden = true)]
#[candid_method(query)]
fn stats() -> Result<Stats, Error> {
    read(|state| state.stats(crate::VERSION, api::stable_size().saturating_mul(PAGE_BYTES)))
}

#[query(hidden = true)]
#[candid_method(query)]
fn version() -> Result<String, Error> {
    Ok(crate::VERSION.to_owned())
}
