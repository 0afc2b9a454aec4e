use std::{cell::Cell, time::Duration};

use candid::candid_method;
use ic_cdk::{api, query};
use ic_cdk_timers::TimerId;
use interface::{Error, HttpAnswer, HttpRequest};
use serde_bytes::ByteBuf;

use super::{Arg, change, decode, log, read};

thread_local! {
    static EXPIRY: Cell<Option<TimerId>> = const { Cell::new(None) };
    static PENDING: Cell<Option<TimerId>> = const { Cell::new(None) };
}

/// How often pages that wait are looked after, should the message after the last have failed.
const WATCHDOG: Duration = Duration::from_secs(30);

/// Making a page costs instructions: for a query nobody pays, and only a query has what the answer is verified by.
#[query(decode_with = "decode", hidden = true)]
#[candid_method(query)]
fn http_request(request: Arg<HttpRequest>) -> HttpAnswer {
    let certificate = api::data_certificate().ok_or_else(|| Error::not_allowed("a query"));
    let answer = certificate.and_then(|certificate| {
        let request = request.0?;
        read(|state| state.answer(&request, &certificate))
    });
    answer.unwrap_or_else(|cause| HttpAnswer {
        status_code: 400,
        headers: vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())],
        body: ByteBuf::from(cause.to_string()),
    })
}

/// Takes note of certificates that have expired, and wakes at the next one's end; goes on with pages that wait.
pub(super) fn resume() {
    let now = api::time();
    match change(|state| state.expire(now)) {
        Ok(next) => {
            let wake = |next: u64| {
                ic_cdk_timers::set_timer(Duration::from_nanos(next.saturating_sub(now)), async { resume() })
            };
            replace(&EXPIRY, next.map(wake));
        }
        Err(cause) => log(format!("pages are not up to date: {cause}")),
    }
}

/// Has the next message go on with pages that wait.
pub(super) fn go_on(pending: bool) {
    if pending {
        ic_cdk_timers::set_timer(Duration::ZERO, async { resume() });
        if PENDING.get().is_none() {
            PENDING.set(Some(ic_cdk_timers::set_timer_interval(WATCHDOG, || async { resume() })));
        }
    } else {
        replace(&PENDING, None);
    }
}

fn replace(timer: &'static std::thread::LocalKey<Cell<Option<TimerId>>>, new: Option<TimerId>) {
    if let Some(old) = timer.replace(new) {
        ic_cdk_timers::clear_timer(old);
    }
}
