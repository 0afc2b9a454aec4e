//! Tables of groups, intersections and comparisons of a certificate.

use audit::{
    Metric,
    certificate::{GroupRecord, Predicate},
    metrics::Rate,
};
use maud::{Markup, html};

use crate::{
    chart::{Axis, Line, gauge},
    figures::{counted, interval, interval_of, value},
    measure::{find, micros},
    shell::wide,
    text::{count, decimal, over},
};

/// The rates in the tables; the statement has all of them.
const SHOWN: [(Rate, &str); 5] = [
    (Rate::SelectionRate, "Favourable"),
    (Rate::Recall, "Recall"),
    (Rate::FalsePositiveRate, "False positives"),
    (Rate::Precision, "Precision"),
    (Rate::Accuracy, "Accuracy"),
];

/// Most groups, and most tables of comparisons, on a page: an answer to a query holds 3 MiB. The statement has all.
const MAX_GROUPS: usize = 400;
const MAX_COMPARISONS: usize = 40;

/// All samples, each attribute's groups, and intersections folded away.
pub(crate) fn groups(predicate: &Predicate) -> Markup {
    let of = |attributes: usize| {
        predicate.groups.iter().filter(move |group| group.attributes.len() == attributes).collect::<Vec<_>>()
    };
    let (whole, intersections): (Vec<_>, Vec<_>) =
        (of(0), predicate.groups.iter().filter(|group| group.attributes.len() > 1).collect());
    html! {
        section aria-labelledby="groups" {
            h2 id="groups" { "By group" }
            p class="hint" {
                "The bar is the 95 % interval of the share of favourable decisions (Wilson). Hover over a rate to see what it "
                "was counted from; a rate that would divide by nothing is undefined, not 0."
            }
            (table("All samples", &whole, predicate))
            @for attribute in &predicate.attributes {
                @let own: Vec<_> = of(1).into_iter().filter(|group| group.attributes == [attribute.name.clone()]).collect();
                h3 { "By " (attribute.name) }
                (table(&format!("Groups of {}", attribute.name), &own, predicate))
            }
            @if !intersections.is_empty() {
                details {
                    summary { "Intersections: " (intersections.len()) " groups" }
                    @let shown = intersections.get(..MAX_GROUPS).unwrap_or(&intersections);
                    (table("Intersections", shown, predicate))
                    @if shown.len() < intersections.len() {
                        p class="hint" { "The first " (shown.len()) "; the statement has them all." }
                    }
                }
            }
        }
    }
}

fn table(label: &str, groups: &[&GroupRecord], predicate: &Predicate) -> Markup {
    let several_classes = groups.iter().any(|group| group.class != predicate.favourable);
    html! {
        (wide(label, html! {
            table {
                thead { tr {
                    th scope="col" { "Group" }
                    @if several_classes { th scope="col" { "Class" } }
                    th scope="col" class="number" { "Samples" }
                    th scope="col" class="number" { abbr title="True positives" { "TP" } }
                    th scope="col" class="number" { abbr title="False positives" { "FP" } }
                    th scope="col" class="number" { abbr title="True negatives" { "TN" } }
                    th scope="col" class="number" { abbr title="False negatives" { "FN" } }
                    @for (_, name) in SHOWN { th scope="col" class="number" { (name) } }
                    th scope="col" class="picture" { "Favourable, with interval" }
                } }
                tbody {
                    @for group in groups { (row(group, several_classes, predicate.policy.min_group_size)) }
                }
            }
        }))
    }
}

fn row(group: &GroupRecord, several_classes: bool, smallest: u32) -> Markup {
    let selected = find(&group.metrics, Metric::Rate(Rate::SelectionRate));
    html! {
        tr {
            th scope="row" {
                // One attribute is named by the heading.
                @match group.group.as_slice() { [one] => (one), several => (over(&group.attributes, several)) }
                @if group.small {
                    " " span class="tag small" title={ "Fewer than " (smallest) " samples: the policy decides nothing by it" } { "small" }
                }
            }
            @if several_classes { td { (group.class) } }
            td class="number" { (count(group.size)) }
            @for number in [group.true_positives, group.false_positives, group.true_negatives, group.false_negatives] {
                td class="number" { (count(number)) }
            }
            @for (rate, _) in SHOWN {
                @let measured = find(&group.metrics, Metric::Rate(rate));
                td class="number" title=[measured.and_then(counted)] { @if let Some(measured) = measured { (value(measured)) } }
            }
            td class="picture" {
                @if let Some(measured) = selected {
                    @let line = Line { value: micros(measured), interval: interval_of(measured) };
                    @let text = line.value.map_or_else(|| "undefined".to_owned(), decimal);
                    (gauge(Axis::UNIT, &line, None, &text))
                }
            }
        }
    }
}

/// The usual comparisons of each attribute, folded away.
pub(crate) fn all(predicate: &Predicate) -> Markup {
    html! {
        section aria-labelledby="comparisons" {
            h2 id="comparisons" { "Between groups" }
            @for record in predicate.comparisons.iter().take(MAX_COMPARISONS) {
                details open[record.attributes.len() == 1 && predicate.attributes.len() == 1] {
                    summary { (over(&record.attributes, &[])) }
                    (wide(&format!("Comparisons by {}", over(&record.attributes, &[])), html! {
                        table {
                            thead { tr {
                                th scope="col" { "Metric" } th scope="col" class="number" { "Value" }
                                th scope="col" { "95 % interval" } th scope="col" class="picture" { "Picture" }
                            } }
                            tbody {
                                @for metric in &record.metrics {
                                    @let line = Line { value: micros(&metric.value), interval: interval_of(&metric.value) };
                                    @let ends = line.interval.into_iter().flat_map(|(lower, upper)| [lower, upper]);
                                    @let axis = Axis::holding(ends.chain(line.value));
                                    @let text = line.value.map_or_else(|| "undefined".to_owned(), decimal);
                                    tr {
                                        th scope="row" { code { (metric.metric) } }
                                        td class="number" { (value(&metric.value)) }
                                        td { (interval(line.interval)) }
                                        td class="picture" { (gauge(axis, &line, None, &text)) }
                                    }
                                }
                            }
                        }
                    }))
                }
            }
            @if predicate.comparisons.len() > MAX_COMPARISONS {
                p class="hint" { "The first " (MAX_COMPARISONS) "; the statement has them all." }
            }
        }
    }
}
