//! Certificates of language models: what the answers add up to follows from their counters.

use audit::{
    Certificate, Column, Decimal, Digest, Policy, SAMPLE_RULE, Schema, Verified,
    certificate::{Checked, DatasetFacts, Logged, ModelFacts, Nanoseconds, Opened},
    certificate_body,
    language::{Kind, LanguageFacts, measures},
    log::{DecisionFacts, RuntimeFacts},
    recompute,
};

use crate::{
    figures::{STEREO, counted},
    fixture::{Parts, facts, local},
    golden::same,
};

/// Group, label, class, and how many items.
type Row = (u8, u8, u8, u32);

/// A golden body and what it is made of.
struct Case {
    name: &'static str,
    kind: Kind,
    classes: [&'static str; 5],
    groups: &'static [&'static str],
    rows: &'static [Row],
    /// Whether it is a local model, which an auditor ran again.
    is_local: bool,
}

/// Each kind with a group that nobody was asked about, or that gave no answer.
const CASES: [Case; 3] = [
    Case {
        name: "language-choice.json",
        kind: Kind::Choice,
        classes: ["A", "B", "C", "invalid", "failed"],
        groups: &["en", "de", "fr"],
        rows: &[(0, 0, 0, 3), (0, 1, 0, 1), (0, 0, 3, 4), (0, 1, 4, 2), (1, 1, 1, 1)],
        is_local: false,
    },
    Case {
        name: "language-context-association.json",
        kind: Kind::ContextAssociation,
        classes: STEREO,
        groups: &["gender", "race", "religion"],
        rows: &[
            (0, 0, 0, 6),
            (0, 0, 1, 2),
            (0, 0, 2, 2),
            (1, 0, 0, 1),
            (1, 0, 1, 3),
            (1, 0, 3, 1),
            (1, 0, 4, 1),
        ],
        is_local: false,
    },
    Case {
        name: "language-counterfactual.json",
        kind: Kind::Counterfactual,
        classes: ["unchanged good", "unchanged bad", "changed", "invalid", "failed"],
        groups: &["male", "female"],
        rows: &[(0, 0, 0, 5), (0, 1, 1, 3), (0, 0, 2, 2), (0, 0, 3, 7), (1, 0, 4, 4)],
        is_local: true,
    },
];
const POLICY: &str = r#"{"name": "readable answers", "min_group_size": 3, "criteria": [
    {"metric": "selection_rate", "class": "invalid", "comparator": "<=", "threshold": "0.05"},
    {"metric": "selection_rate", "class": "failed", "comparator": "<=", "threshold": "0.25"}]}"#;

/// The body of a certificate as a canister makes it of a language model's log.
fn body(&Case { kind, classes, groups, rows, is_local, .. }: &Case) -> Vec<u8> {
    let (frame, counts) = counted(&classes, groups, rows);
    let schema = Schema {
        name: "items".into(),
        version: "1".into(),
        manifest: b"{}".to_vec(),
        columns: vec![Column { name: "item".into(), offset: Decimal(0), scale: Decimal(Decimal::ONE) }],
        classes: frame.classes,
        favourable: frame.favourable,
        attributes: frame.attributes,
    };
    let digest = |byte| Digest([byte; 32]);
    let at = |second: u64| Nanoseconds(1_790_000_000_000_000_000 + second * 1_000_000_000);
    let set = if kind == Kind::Counterfactual { Parts::counterfactual() } else { Parts::choice() };
    let set = set.set().unwrap();
    let language = LanguageFacts { kind, ..if is_local { local(&set) } else { facts(&set) } };
    let auditor = || Checked { by: "2vxsx-fae".into(), at: at(7), note: "on another computer".into() };
    let size = counts.total() as u32;
    let log = Logged {
        root: digest(1),
        statement: digest(2),
        content: digest(3),
        signer: digest(4),
        submitted_at: at(4),
        decision: DecisionFacts { output: "answer".into(), scores: None, threshold: None, labels: vec![] },
        runtime: RuntimeFacts {
            name: "assay".into(),
            version: "0.1.0".into(),
            library: None,
            provider: "http://127.0.0.1:8000/v1".into(),
            fallback: false,
            batch: 1,
            threads: None,
        },
        openings: Some(Opened {
            count: if is_local { 12 } else { 4 },
            rule: SAMPLE_RULE.into(),
            seed: digest(5),
            drawn_at: at(5),
            draws: 1,
            content: digest(6),
            submitted_at: at(6),
            checked: is_local.then(auditor),
        }),
        language: Some(language),
    };
    let facts = audit::Facts {
        certificate: 4,
        audit: 7,
        canister: "rrkah-fqaaa-aaaaa-aaaaq-cai".into(),
        runtime: "verifier 0.1.0".into(),
        owner: "aaaaa-aa".into(),
        requester: "2vxsx-fae".into(),
        model: ModelFacts {
            digest: digest(7),
            name: "rule".into(),
            source: Some(digest(8)),
            encoding: schema.encoding(),
            parameters: 0,
            layers: vec![],
            registered_at: at(1),
        },
        dataset: DatasetFacts { digest: digest(9), rows: 40, sealed_at: at(0) },
        seed: [10; 32],
        sample_size: size,
        requested_at: at(2),
        drawn_at: at(3),
        issued_at: at(7),
        valid_until: None,
        supersedes: None,
        audits_of_model: 1,
        audits_of_owner: 1,
        proofs: vec![],
        log: Some(log),
    };
    let verified = Verified::logged(counts, size, is_local).unwrap();
    let policy = Policy::from_json(POLICY.as_bytes()).unwrap();
    certificate_body(&verified, &facts, &schema, &policy).unwrap().json
}

#[test]
fn figures_follow_from_the_counters() {
    for case in CASES {
        let made = body(&case);
        let Case { name, kind, classes, groups, rows, .. } = case;
        same(name, &made);
        let certificate = Certificate::parse(&made).unwrap();
        recompute(&certificate).unwrap();
        let (frame, counts) = counted(&classes, groups, rows);
        let found = certificate.predicate.language_measures().unwrap();
        assert_eq!(found, measures(kind, &frame, &counts).unwrap(), "{name}");
        let last = format!("group={}", groups.last().unwrap());
        let of_last = found.iter().filter(|measure| measure.group.as_ref() == Some(&last));
        assert!(of_last.clone().any(|measure| measure.value.is_err()), "{name}: {of_last:?}");
    }
}

#[test]
fn other_models_have_none_and_other_counters_are_an_error() {
    let mut predicate = Certificate::parse(&body(&CASES[0])).unwrap().predicate;
    predicate.counters.pop();
    assert!(predicate.language_measures().is_err());
    predicate.log.as_mut().unwrap().language = None;
    assert_eq!(predicate.language_measures().unwrap(), []);
}

#[test]
fn a_figure_is_written_with_all_its_members() {
    let predicate = Certificate::parse(&body(&CASES[1])).unwrap().predicate;
    let found = predicate.language_measures().unwrap();
    let written = |id: &str, group: Option<&str>| {
        let measure = found.iter().find(|measure| measure.id == id && measure.group.as_deref() == group);
        serde_json::to_string(measure.unwrap()).unwrap()
    };
    // The interval was computed in floating point elsewhere.
    assert_eq!(
        written("stereoset.lms.letter_choice", None),
        r#"{"id":"stereoset.lms.letter_choice","group":null,"value":"6/7","decimal":"0.857143","undefined":null,"counted":[12,14],"interval":{"lower":"0.600586","upper":"0.959907","method":"wilson"}}"#
    );
    assert_eq!(
        written("stereoset.icat.letter_choice", Some("mean over group")),
        r#"{"id":"stereoset.icat.letter_choice","group":"mean over group","value":null,"decimal":null,"undefined":{"reason":"no_valid_answers","group":"group=religion"},"counted":null,"interval":null}"#
    );
}
