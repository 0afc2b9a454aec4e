//! Charts as inline SVG, drawn in whole numbers: no number is rounded twice, and the same page has the same bytes.

use maud::{Markup, html};

use crate::text::decimal;

/// Width of the drawing area, in SVG units; a millionth of the axis is far below one.
const WIDTH: i64 = 1000;
const MARGIN: i64 = 12;

/// The stretch of values that an axis shows, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    from: i64,
    to: i64,
}

impl Axis {
    /// 0 to 1: rates.
    pub(crate) const UNIT: Self = Self { from: 0, to: 1_000_000 };

    /// The smallest of the usual axes that holds all values.
    pub(crate) fn holding(values: impl IntoIterator<Item = i64>) -> Self {
        values.into_iter().fold(Self::UNIT, |axis, value| Self {
            from: if value < axis.from { round_down(value) } else { axis.from },
            to: if value > axis.to { round_down(value) + 1_000_000 } else { axis.to },
        })
    }

    fn x(self, value: i64) -> i64 {
        let clamped = value.clamp(self.from, self.to);
        MARGIN + (clamped - self.from) * WIDTH / (self.to - self.from)
    }
}

fn round_down(value: i64) -> i64 {
    value.div_euclid(1_000_000) * 1_000_000
}

/// One line of a chart.
pub(crate) struct Line {
    /// The value, if it is defined.
    pub(crate) value: Option<i64>,
    /// Its interval.
    pub(crate) interval: Option<(i64, i64)>,
}

/// Where a value must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// The threshold.
    pub(crate) from: Option<i64>,
    /// The other end.
    pub(crate) to: Option<i64>,
}

/// A value, its interval and what is allowed, on one line. `text` says the same in words.
pub(crate) fn gauge(axis: Axis, line: &Line, allowed: Option<Allowed>, text: &str) -> Markup {
    let height = 28;
    let middle = height / 2;
    html! {
        svg class="gauge" viewBox=(format!("0 0 {} {height}", WIDTH + 2 * MARGIN)) preserveAspectRatio="none"
            role="img" aria-label=(text) {
            @if let Some(allowed) = allowed {
                @let (from, to) = (axis.x(allowed.from.unwrap_or(i64::MIN)), axis.x(allowed.to.unwrap_or(i64::MAX)));
                rect class="allowed" x=(from) y="2" width=((to - from).max(2)) height=(height - 4) {}
                @for threshold in [allowed.from, allowed.to].into_iter().flatten() {
                    line class="threshold" x1=(axis.x(threshold)) x2=(axis.x(threshold)) y1="0" y2=(height) {}
                }
            }
            line class="axis" x1=(MARGIN) x2=(WIDTH + MARGIN) y1=(middle) y2=(middle) {}
            @if axis.from < 0 {
                line class="zero" x1=(axis.x(0)) x2=(axis.x(0)) y1="6" y2=(height - 6) {}
            }
            @if let Some((lower, upper)) = line.interval {
                rect class="band" x=(axis.x(lower)) y=(middle - 5)
                    width=((axis.x(upper) - axis.x(lower)).max(2)) height="10" {}
            }
            @if let Some(value) = line.value {
                rect class="dot" x=(axis.x(value) - 4) y=(middle - 9) width="8" height="18" rx="3" {}
            }
        }
    }
}

/// Values over time: one column of `points` after another, each with its interval.
pub(crate) fn history(points: &[Line], title: &str) -> Markup {
    let height = 120;
    let values = points
        .iter()
        .flat_map(|point| [point.value, point.interval.map(|one| one.0), point.interval.map(|one| one.1)]);
    let axis = Axis::holding(values.flatten());
    let y = |value: i64| height - 10 - (axis.x(value) - MARGIN) * (height - 20) / WIDTH;
    let step = WIDTH / (points.len() as i64 + 1);
    let x = |index: usize| MARGIN + step * (index as i64 + 1);
    let dots: Vec<(i64, i64)> =
        points.iter().enumerate().filter_map(|(i, point)| Some((x(i), y(point.value?)))).collect();
    let path = dots.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ");
    html! {
        figure class="history" {
            figcaption { (title) }
            svg viewBox=(format!("0 0 {} {height}", WIDTH + 2 * MARGIN)) role="img"
                aria-label=(format!("{title}, oldest first: {}", words(points))) {
                line class="axis" x1=(MARGIN) x2=(WIDTH + MARGIN) y1=(y(axis.from)) y2=(y(axis.from)) {}
                line class="axis faint" x1=(MARGIN) x2=(WIDTH + MARGIN) y1=(y(axis.to)) y2=(y(axis.to)) {}
                text class="tick below" x=(MARGIN) y=(y(axis.to) + 5) { (axis.to / 1_000_000) }
                text class="tick" x=(MARGIN) y=(y(axis.from) - 6) { (axis.from / 1_000_000) }
                polyline class="trend" points=(path) {}
                @for (index, point) in points.iter().enumerate() {
                    @if let Some((lower, upper)) = point.interval {
                        line class="whisker" x1=(x(index)) x2=(x(index)) y1=(y(lower)) y2=(y(upper)) {}
                    }
                    @match point.value {
                        Some(value) => circle class="dot" cx=(x(index)) cy=(y(value)) r="6" {
                            title { (decimal(value)) }
                        },
                        None => text class="tick" x=(x(index)) y=(height / 2) { "undefined" },
                    }
                }
            }
        }
    }
}

fn words(points: &[Line]) -> String {
    let words = points.iter().map(|point| point.value.map_or_else(|| "undefined".to_owned(), decimal));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_values() {
        assert_eq!(Axis::holding([0, 400_000, 1_000_000]), Axis::UNIT);
        assert_eq!(Axis::holding([-1, 999_999]), Axis { from: -1_000_000, to: 1_000_000 });
        assert_eq!(Axis::holding([1_250_000]), Axis { from: 0, to: 2_000_000 });
        assert_eq!(Axis::holding([-1_250_000]), Axis { from: -2_000_000, to: 1_000_000 });
    }

    #[test]
    fn values_outside_of_an_axis_stay_at_its_ends() {
        assert_eq!(Axis::UNIT.x(i64::MIN), MARGIN);
        assert_eq!(Axis::UNIT.x(i64::MAX), WIDTH + MARGIN);
    }
}
