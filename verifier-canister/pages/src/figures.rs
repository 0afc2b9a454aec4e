//! A measured value with its interval, as numbers and as a small picture.

use audit::certificate::Measured;
use maud::{Markup, html};

use crate::{
    measure::{limits, micros},
    text::{count, decimal},
};

/// `0.8123`, or `undefined` with the reason: never 0, 1 or nothing.
pub(crate) fn value(measured: &Measured) -> Markup {
    match (micros(measured), &measured.undefined) {
        (Some(value), _) => html! { (decimal(value)) },
        (None, Some(undefined)) => html! { span class="undefined" title=(undefined) { "undefined" } },
        (None, None) => html! { "–" },
    }
}

/// As [`value`], with the reason spelled out.
pub(crate) fn value_with_reason(measured: &Measured) -> Markup {
    match &measured.undefined {
        Some(undefined) => html! { span class="undefined" { "undefined: " (undefined) } },
        None => value(measured),
    }
}

/// `0.70 … 0.90`, or a dash.
pub(crate) fn interval(interval: Option<(i64, i64)>) -> Markup {
    match interval {
        Some((lower, upper)) => html! { span class="interval" { (decimal(lower)) " … " (decimal(upper)) } },
        None => html! { span class="interval none" { "–" } },
    }
}

/// The interval of a measured value.
pub(crate) fn interval_of(measured: &Measured) -> Option<(i64, i64)> {
    measured.interval.map(limits)
}

/// What a proportion was counted from.
pub(crate) fn counted(measured: &Measured) -> Option<String> {
    measured.counted.map(|[successes, trials]| format!("{} of {}", count(successes), count(trials)))
}
