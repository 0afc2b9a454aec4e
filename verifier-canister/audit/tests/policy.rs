//! What policies are refused with which words, and what comes of them on given counts.

mod fixture;

use audit::{
    AuditError, Comparator, Counts, Policy, Schema, Value, Verdict,
    policy::{MAX_CRITERIA, MAX_POLICY, Outcome},
};

fn with(criterion: &str) -> String {
    format!(r#"{{"name": "test", "min_group_size": 10, "criteria": [{criterion}]}}"#)
}

fn refusal(schema: &Schema, criterion: &str) -> String {
    let policy =
        Policy::from_json(with(criterion).as_bytes()).unwrap_or_else(|error| panic!("{criterion}: {error}"));
    policy.check(schema).expect_err(criterion).to_string()
}

#[test]
fn a_criterion_that_does_not_fit_the_dataset_is_named_with_what_is_allowed() {
    let rest = r#""comparator": ">=", "threshold": "1""#;
    let cases = [
        (
            r#""metric": "aif360.disparate_impact""#,
            "criterion 1 (aif360.disparate_impact): it compares groups, so needs attributes; attributes: sex, region",
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["age"]"#,
            r#"criterion 1 (aif360.disparate_impact): there is no attribute "age"; there are: sex, region"#,
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["sex", "sex"]"#,
            r#"criterion 1 (aif360.disparate_impact): attribute "sex" appears twice"#,
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["a", "b", "c", "d", "e"]"#,
            "criterion 1 (aif360.disparate_impact): it names 5 attributes, at most 4 can be",
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["sex"], "group": ["other"]"#,
            r#"criterion 1 (aif360.disparate_impact): there is no group of sex "other"; there are: male, female"#,
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["sex"], "group": ["male"]"#,
            "criterion 1 (aif360.disparate_impact): it compares with the reference group, which group names; name \
             another",
        ),
        (
            r#""metric": "aif360.disparate_impact", "attributes": ["sex"], "group": ["female", "north"]"#,
            "criterion 1 (aif360.disparate_impact): group has 2 names for 1 attributes",
        ),
        (
            r#""metric": "fairlearn.recall_group_min", "attributes": ["sex"], "group": ["female"]"#,
            "criterion 1 (fairlearn.recall_group_min): it compares all groups with each other, so takes no group",
        ),
        (
            r#""metric": "recall", "attributes": ["sex"]"#,
            "criterion 1 (recall): it is a figure of one group, so needs that group; or leave out attributes",
        ),
        (
            r#""metric": "recall", "class": "accepted""#,
            r#"criterion 1 (recall): there is no class "accepted"; there are: reject, review, accept"#,
        ),
        (
            r#""metric": "macro.recall", "class": "accept""#,
            "criterion 1 (macro.recall): it is over all classes, so takes no class",
        ),
    ];
    for (criterion, expected) in cases {
        assert_eq!(refusal(&fixture::schema(), &format!("{{{criterion}, {rest}}}")), expected);
    }
    assert_eq!(
        refusal(&fixture::schema(), r#"{"metric": "recall", "comparator": "abs<=", "threshold": "-0.1"}"#),
        "criterion 1 (recall): no absolute value is at most -1/10"
    );
    let plain = Schema { attributes: vec![], ..fixture::schema() };
    assert_eq!(
        refusal(
            &plain,
            &format!(r#"{{"metric": "aif360.disparate_impact", "attributes": ["sex"], {rest}}}"#)
        ),
        r#"criterion 1 (aif360.disparate_impact): there is no attribute "sex"; there are: none"#
    );
}

#[test]
fn malformed_policies_are_refused() {
    let accuracy = r#"{"metric": "accuracy", "comparator": ">=", "threshold": "1/2"}"#;
    let json = |text: &str| Policy::from_json(text.as_bytes());
    assert!(json(&with(accuracy)).is_ok());
    let wrong = [
        "".to_owned(),
        "[]".into(),
        with(accuracy) + " x",
        with(accuracy).replace("\"name\": \"test\",", ""),
        with(accuracy).replace("{\"name\"", "{\"extra\": 1, \"name\""),
        with(accuracy).replace("{\"name\"", "{\"name\": \"twice\", \"name\""),
        with(&accuracy.replace("{", "{\"groups\": [],")),
        with(&accuracy.replace(">=", "=")),
        with(&accuracy.replace("\"accuracy\"", "\"Accuracy\"")),
        with(&accuracy.replace("\"1/2\"", "0.5")),
        with(&accuracy.replace("1/2", "1/0")),
        with(accuracy).replace("10", "-1"),
        with(accuracy).replace("10", "1.5"),
    ];
    for text in wrong {
        assert!(matches!(json(&text), Err(AuditError::Json { what: "policy", .. })), "{text}");
    }
    let out_of_range = [
        with(accuracy).replace("10", "0"),
        with(accuracy).replace("10", "1048577"),
        with(""),
        with(&[accuracy; MAX_CRITERIA as usize + 1].join(",")),
        with(&accuracy.replace("1/2", &format!("0.{:064}", 1))),
        with(accuracy) + &" ".repeat(MAX_POLICY),
    ];
    for text in out_of_range {
        assert!(matches!(json(&text), Err(AuditError::OutOfRange { .. })), "{text}");
    }
    assert!(matches!(json(&with(accuracy).replace("test", "")), Err(AuditError::TextLength { .. })));
    assert!(matches!(json(&with(accuracy).replace("test", "te\\nst")), Err(AuditError::NotText { .. })));
}

#[test]
fn the_digest_covers_the_meaning_not_the_spelling() {
    let spelled =
        |threshold| with(&format!(r#"{{"threshold":{threshold:?},"metric":"accuracy","comparator":">="}}"#));
    let digest = |text: String| Policy::from_json(text.as_bytes()).unwrap().digest().unwrap();
    assert_eq!(digest(spelled("4/5")), digest(spelled("0.80")));
    assert_ne!(digest(spelled("4/5")), digest(spelled("0.81")));
    let policy = fixture::policy();
    assert_eq!(Policy::from_json(&policy.to_json().unwrap()).unwrap(), policy);
}

/// Male: TP 30, FP 10, TN 40, FN 20. Female: TP 12, FP 4, TN 4, FN 0. Of the class `accept`; nothing is `review`.
fn outcomes(criteria: &str) -> Vec<Outcome> {
    let schema = Schema { attributes: fixture::schema().attributes[..1].to_vec(), ..fixture::schema() };
    let counters = vec![40, 0, 10, 0, 0, 0, 20, 0, 30, 4, 0, 4, 0, 0, 0, 0, 0, 12];
    let counts = Counts::from_counters(&schema, counters).unwrap();
    let policy = Policy::from_json(with(criteria).as_bytes()).unwrap();
    policy.check(&schema).unwrap();
    policy.evaluate(&schema.frame(), &counts).unwrap()
}

fn outcome(metric: &str, arguments: &str, comparator: &str, threshold: &str) -> Outcome {
    let criterion = format!(
        r#"{{"metric": "{metric}", {arguments} "comparator": "{comparator}", "threshold": "{threshold}"}}"#
    );
    outcomes(&criterion).remove(0)
}

#[test]
fn thresholds_are_compared_exactly() {
    use Verdict::{Fail, Pass};
    let cases = [
        ("accuracy", ">=", "43/60", Pass),
        ("accuracy", ">", "43/60", Fail),
        ("accuracy", "<=", "43/60", Pass),
        ("accuracy", "<", "43/60", Fail),
        ("accuracy", ">=", "0.716666666666666666", Pass),
        ("accuracy", "<=", "0.716666666666666666", Fail),
        ("accuracy", "abs<=", "0.72", Pass),
        ("accuracy", "abs<=", "0.7", Fail),
    ];
    for (metric, comparator, threshold, expected) in cases {
        assert_eq!(outcome(metric, "", comparator, threshold).verdict, expected, "{comparator} {threshold}");
    }
    let sex = r#""attributes": ["sex"],"#;
    let difference = outcome("aif360.statistical_parity_difference", sex, "abs<=", "0.4");
    assert_eq!(
        (difference.verdict, difference.estimate.value.to_decimal().unwrap().as_str()),
        (Pass, "0.400000")
    );
    assert_eq!(outcome("aif360.disparate_impact", sex, "<=", "1").verdict, Fail);
}

#[test]
fn an_undefined_value_decides_nothing() {
    let female = r#""attributes": ["sex"], "group": ["female"], "class": "review","#;
    for comparator in [">=", "<=", ">", "<", "abs<="] {
        let outcome = outcome("recall", female, comparator, "0");
        assert!(matches!(outcome.estimate.value, Value::Undefined(_)));
        assert_eq!(outcome.verdict, Verdict::Undefined);
    }
}

#[test]
fn a_small_group_decides_nothing_and_is_named() {
    let sex = r#""attributes": ["sex"],"#;
    let criterion = |minimum: &str| {
        let json = with(&format!(
            r#"{{"metric": "aif360.disparate_impact", {sex} "comparator": ">=", "threshold": "4/5"}},
               {{"metric": "accuracy", "comparator": ">=", "threshold": "1/2"}}"#
        ));
        Policy::from_json(json.replace("10", minimum).as_bytes()).unwrap()
    };
    let schema = fixture::schema();
    let sample = audit::draw_sample(&fixture::SEED, fixture::ROWS, fixture::SAMPLE_SIZE);
    let counts = fixture::verified(&sample).counts().clone();
    let outcomes = criterion("60").evaluate(&schema.frame(), &counts).unwrap();
    assert_eq!(outcomes[0].small_groups, [("all but sex=male".to_owned(), 58)]);
    assert_eq!(outcomes[0].verdict, Verdict::Undefined);
    assert!(matches!(outcomes[0].estimate.value, Value::Exact(_)), "the value is shown all the same");
    assert_eq!((outcomes[1].verdict, outcomes[1].small_groups.len()), (Verdict::Pass, 0));
    let outcomes = criterion("58").evaluate(&schema.frame(), &counts).unwrap();
    assert_eq!(outcomes[0].verdict, Verdict::Fail);
    let outcomes = criterion("1000").evaluate(&schema.frame(), &counts).unwrap();
    assert_eq!(outcomes[1].small_groups, [("all samples".to_owned(), 180)]);
}

#[test]
fn one_failure_fails_all_and_one_undefined_passes_nothing() {
    use Verdict::{Fail, Pass, Undefined};
    for (verdicts, expected) in [
        (&[Pass, Pass][..], Pass),
        (&[Pass, Undefined], Undefined),
        (&[Undefined, Fail, Pass], Fail),
        (&[Fail, Undefined], Fail),
    ] {
        assert_eq!(Verdict::of_all(verdicts.iter().copied()), expected);
    }
}

#[test]
fn comparator_signs_are_those_of_the_json() {
    for comparator in [
        Comparator::AtLeast,
        Comparator::AtMost,
        Comparator::MoreThan,
        Comparator::LessThan,
        Comparator::AbsAtMost,
    ] {
        assert_eq!(serde_json::to_value(comparator).unwrap(), comparator.sign());
    }
}
