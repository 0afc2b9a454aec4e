use std::{cell::Cell, time::Duration};

use candid::candid_method;
use ic_cdk::{api, query};
use ic_cdk_timers::TimerId;
use interface::{HttpAnswer, HttpRequest};
use serde_bytes::ByteBuf;

use super::{Arg, change, decode, log, read};

thread_local! {
    static TIMER: Cell<Option<TimerId>> = const { Cell::new(None) };
}

#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn http_request(request: Arg<HttpRequest>) -> HttpAnswer {
    let certificate = api::data_certificate();
    let answer = request.0.and_then(|request| read(|state| state.answer(&request, certificate.as_deref())));
    answer.unwrap_or_else(|cause| HttpAnswer {
        status_code: 400,
        headers: vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())],
        body: ByteBuf::from(cause.to_string()),
    })
}

/// Goes on certifying pages while some are left, and wakes when the next certificate expires.
pub(super) fn resume() {
    let now = api::time();
    match change(|state| state.expire(now)) {
        Ok(Some(next)) => wake(Duration::from_nanos(next.saturating_sub(now))),
        Ok(None) => {}
        Err(cause) => log(format!("pages are not up to date: {cause}")),
    }
}

/// Has [`resume`] called by a message of its own.
pub(super) fn wake(after: Duration) {
    if let Some(earlier) = TIMER.take() {
        ic_cdk_timers::clear_timer(earlier);
    }
    TIMER.set(Some(ic_cdk_timers::set_timer(after, async { resume() })));
}
