//! A measured value with its interval, as numbers and as a small picture.

use audit::certificate::Measured;
use maud::{Markup, html};

use crate::{
    measure::{limits, micros},
    text::{count, decimal, six_digits},
};

/// `0.8123`, or `undefined` with the reason: never 0, 1 or nothing.
pub(crate) fn value(measured: &Measured) -> Markup {
    match (micros(measured), &measured.undefined) {
        (Some(value), _) => html! { (decimal(value)) },
        (None, Some(undefined)) => html! { span class="undefined" title=(undefined) { "undefined" } },
        (None, None) => html! { "–" },
    }
}

/// All six digits that the certificate has, or why there is no value: for what is compared with a threshold.
pub(crate) fn exact_value(measured: &Measured) -> Markup {
    match (micros(measured), &measured.undefined) {
        (Some(value), _) => html! { (six_digits(value)) },
        (None, Some(undefined)) => html! { span class="undefined" { "undefined: " (undefined) } },
        (None, None) => html! { "–" },
    }
}

/// An interval as the certificate has it.
pub(crate) fn exact_interval(interval: Option<(i64, i64)>) -> Markup {
    match interval {
        Some((lower, upper)) => {
            html! { span class="interval" { (six_digits(lower)) " … " (six_digits(upper)) } }
        }
        None => html! { span class="interval none" { "–" } },
    }
}

/// `0.70 … 0.90`, rounded outward, or a dash.
pub(crate) fn interval(interval: Option<(i64, i64)>) -> Markup {
    match interval {
        Some((lower, upper)) => {
            html! { span class="interval" { (decimal(down(lower))) " … " (decimal(-down(-upper))) } }
        }
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

/// Down to the four digits that are shown.
fn down(micros: i64) -> i64 {
    micros.div_euclid(100) * 100
}
