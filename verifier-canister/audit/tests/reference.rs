//! Every metric and interval against Fairlearn, AIF360, scikit-learn and statsmodels; see `reference/README.md`.

use std::collections::BTreeMap;

use audit::{
    Attribute, Counts, Fraction, Metric, Value,
    interval::{Interval, Term, interval},
    metrics::{Frame, Reason, Split},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    binary: Vec<Binary>,
    degenerate: Vec<Degenerate>,
    multiclass: Vec<Multiclass>,
    wilson: Vec<(u64, u64, String, String)>,
    newcombe: Vec<(u64, u64, u64, u64, String, String)>,
}

type Values = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Binary {
    sizes: Vec<usize>,
    groups: Vec<[u32; 4]>,
    overall: Values,
    between: Values,
    #[serde(default)]
    against_last: Values,
}

#[derive(Deserialize)]
struct Degenerate {
    groups: Vec<[u32; 4]>,
    metric: Metric,
    ours: Reason,
}

#[derive(Deserialize)]
struct Multiclass {
    matrix: Vec<Vec<u32>>,
    overall: Values,
    class_0: Values,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("reference/vectors.json")).unwrap()
}

fn frame(classes: usize, sizes: &[usize]) -> Frame {
    let names = |prefix: &str, count| (0..count).map(|index| format!("{prefix}{index}")).collect();
    let attribute = |(index, &size): (usize, &usize)| Attribute {
        name: format!("a{index}"),
        groups: names("g", size),
        reference: Some(0),
    };
    Frame {
        classes: names("c", classes),
        favourable: 1,
        attributes: sizes.iter().enumerate().map(attribute).collect(),
    }
}

fn binary_counts(frame: &Frame, groups: &[[u32; 4]]) -> Counts {
    let counters = groups.iter().flat_map(|&[tp, fp, tn, fn_]| [tn, fp, fn_, tp]).collect();
    Counts::of_frame(frame, counters).unwrap()
}

fn split<'a>(frame: &'a Frame, counts: &Counts) -> Split<'a> {
    let attributes: Vec<u8> = (0..frame.attributes.len() as u8).collect();
    Split::new(frame, counts, &attributes).unwrap()
}

fn parse(text: &str) -> Fraction {
    text.parse().unwrap()
}

fn check(values: &Values, split: &Split<'_>, class: u8, group: Option<usize>) {
    for (id, expected) in values {
        let metric: Metric = id.parse().unwrap();
        let expected = parse(expected);
        let tolerance = parse("0.000000000001");
        let close = match metric.estimate(split, class, group).value {
            Value::Exact(value) => (&value - &expected).abs() < tolerance,
            // A root lies between two numbers exactly when its square, sign kept, lies between theirs.
            Value::SignedRoot(square) => {
                let square_of = |limit: Fraction| &limit * &limit.abs();
                square_of(&expected - &tolerance) < square && square < square_of(&expected + &tolerance)
            }
            Value::Undefined(undefined) => panic!("{id}: {undefined}, expected {expected}"),
        };
        assert!(close, "{id}: expected {expected}");
    }
}

#[test]
fn two_classes_and_any_groups_agree_with_fairlearn_and_aif360() {
    let mut compared = 0;
    for case in vectors().binary {
        let frame = frame(2, &case.sizes);
        let counts = binary_counts(&frame, &case.groups);
        check(&case.overall, &Split::new(&frame, &counts, &[]).unwrap(), 1, None);
        let split = split(&frame, &counts);
        check(&case.between, &split, 1, None);
        check(&case.against_last, &split, 1, Some(split.len() - 1));
        compared += case.overall.len() + case.between.len() + case.against_last.len();
    }
    assert!(compared > 900, "{compared}");
}

#[test]
fn the_vectors_cover_every_metric_that_a_tool_has() {
    let vectors = vectors();
    let mut covered: Vec<&String> = vectors.binary[0].overall.keys().collect();
    covered.extend(vectors.binary[0].between.keys());
    covered.extend(vectors.multiclass[0].overall.keys());
    let missing: Vec<String> =
        Metric::all().iter().map(Metric::to_string).filter(|id| !covered.contains(&id)).collect();
    // AIF360 has neither rate as a function of a group.
    assert_eq!(
        missing,
        [
            "aif360.f1_difference",
            "aif360.balanced_accuracy_difference",
            "aif360.f1_ratio",
            "aif360.balanced_accuracy_ratio"
        ]
    );
}

#[test]
fn several_classes_agree_with_scikit_learn() {
    for case in vectors().multiclass {
        let frame = frame(case.matrix.len(), &[]);
        let counts = Counts::of_frame(&frame, case.matrix.concat()).unwrap();
        let split = split(&frame, &counts);
        check(&case.overall, &split, 1, None);
        check(&case.class_0, &split, 0, None);
    }
}

#[test]
fn a_zero_denominator_is_undefined_where_tools_give_a_number() {
    for case in vectors().degenerate {
        let frame = frame(2, &[case.groups.len()]);
        let counts = binary_counts(&frame, &case.groups);
        let estimate = case.metric.estimate(&split(&frame, &counts), 1, None);
        let Value::Undefined(undefined) = &estimate.value else { panic!("{} {:?}", case.metric, estimate) };
        assert_eq!(undefined.reason, case.ours, "{}", case.metric);
        assert_eq!(undefined.group.is_none(), case.ours == Reason::LargestRateZero, "{}", case.metric);
        assert!(estimate.interval().is_none());
    }
}

/// Ours must contain theirs, but for the digits of z, and be wider by one unit of rounding at most.
fn check_interval(terms: &[Term], lower: &str, upper: &str) {
    let Interval { lower: our_lower, upper: our_upper, .. } = interval(terms, false).unwrap();
    let of_z = parse("0.0000001");
    let most = &parse("0.000001") + &of_z;
    let slack_below = &parse(lower) - &parse(&our_lower.to_string());
    let slack_above = &parse(&our_upper.to_string()) - &parse(upper);
    for slack in [slack_below, slack_above] {
        assert!(
            -&of_z <= slack && slack < most,
            "{terms:?}: {our_lower} {our_upper}, expected {lower} {upper}"
        );
    }
}

#[test]
fn wilson_intervals_agree_with_statsmodels() {
    for (successes, trials, lower, upper) in vectors().wilson {
        check_interval(&[Term::new(successes, trials).unwrap()], &lower, &upper);
    }
}

#[test]
fn newcombe_intervals_agree_with_statsmodels() {
    for (k1, n1, k2, n2, lower, upper) in vectors().newcombe {
        let terms = [Term::new(k1, n1).unwrap(), Term::new(k2, n2).unwrap().times(-1, 1)];
        check_interval(&terms, &lower, &upper);
    }
}

#[test]
fn compas_figures_as_published() {
    // ProPublica 2016: false positive rates 44.9 and 23.5 %, false negative rates 28.0 and 47.7 %.
    let frame = frame(2, &[2]);
    let counts = binary_counts(&frame, &[[505, 349, 1139, 461], [1369, 805, 990, 532]]);
    let split = split(&frame, &counts);
    let figures = [
        ("false_positive_rate", ["0.2345", "0.4485"]),
        ("false_negative_rate", ["0.4772", "0.2799"]),
        ("precision", ["0.5913", "0.6297"]),
        ("selection_rate", ["0.3480", "0.5882"]),
        ("base_rate", ["0.3936", "0.5143"]),
        ("accuracy", ["0.6699", "0.6383"]),
    ];
    for (id, expected) in figures {
        for (group, expected) in expected.into_iter().enumerate() {
            let estimate = id.parse::<Metric>().unwrap().estimate(&split, 1, Some(group));
            let Value::Exact(value) = estimate.value else { panic!("{id}") };
            assert_eq!(value.to_decimal(4), expected, "{id}");
        }
    }
}
