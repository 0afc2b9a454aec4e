//! From a dataset and a model to a certificate's bytes, and what a changed certificate is caught by.

mod fixture;

use audit::{
    AuditError, Certificate, Digest, Verdict, Verified,
    certificate::{Checked, Level, Logged, MAX_CERTIFICATE, Nanoseconds, Opened},
    certificate_body, draw_sample,
    log::{DecisionFacts, RuntimeFacts},
    recompute,
};
use serde_json::Value;

#[test]
fn a_body_is_canonical_parses_and_follows_from_its_counts() {
    let body = fixture::body();
    let value: Value = serde_json::from_slice(&body.json).unwrap();
    assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), body.json);
    let certificate = Certificate::parse(&body.json).unwrap();
    assert_eq!(certificate.to_json().unwrap(), body.json);
    recompute(&certificate).unwrap();
    assert_eq!(certificate.predicate.facts(), fixture::facts());
    assert_eq!(certificate.predicate.verdict, body.verdict);
}

#[test]
fn every_criterion_of_the_fixture_comes_out_as_it_must() {
    let certificate = Certificate::parse(&fixture::body().json).unwrap();
    let verdicts: Vec<Verdict> = certificate.predicate.criteria.iter().map(|record| record.verdict).collect();
    let undefined = |index: usize| certificate.predicate.criteria[index].value.undefined.clone().unwrap();
    use Verdict::{Fail, Pass, Undefined};
    assert_eq!(verdicts, [Pass, Pass, Fail, Pass, Undefined, Undefined, Pass]);
    assert_eq!(undefined(4).to_string(), "the dataset names no reference group (region)");
    let small = |record: &&audit::certificate::GroupRecord| record.small;
    let small: Vec<_> = certificate
        .predicate
        .groups
        .iter()
        .filter(small)
        .map(|record| (&record.group[..], record.size))
        .collect();
    assert_eq!(small[0], (&["islands".to_owned()][..], 0));
    assert!(small.iter().all(|(_, size)| *size < 20));
    assert_eq!(undefined(5).to_string(), "no sample (sex=male, region=islands)");
    assert_eq!(certificate.predicate.verdict, Fail);
}

/// What a certificate states rather than computes; nobody can tell from its bytes alone whether it is true.
const STATED: [&str; 44] = [
    "audit",
    "audits_of_model",
    "audits_of_owner",
    "canister",
    "certificate",
    "dataset.digest",
    "dataset.encoding",
    "dataset.group_rule",
    "dataset.manifest",
    "dataset.name",
    "dataset.rows",
    "dataset.sealed_at",
    "dataset.version",
    "issued_at",
    "log.content",
    "log.decision",
    "log.openings.checked.at",
    "log.openings.checked.by",
    "log.openings.checked.note",
    "log.openings.content",
    "log.openings.drawn_at",
    "log.openings.draws",
    "log.openings.seed",
    "log.openings.submitted_at",
    "log.root",
    "log.runtime",
    "log.signer",
    "log.statement",
    "log.submitted_at",
    "model.digest",
    "model.encoding",
    "model.layers",
    "model.name",
    "model.parameters",
    "model.registered_at",
    "model.source",
    "owner",
    "requested_at",
    "requester",
    "runtime",
    "sample.drawn_at",
    "sample.seed",
    "supersedes",
    "valid_until",
];

#[test]
fn any_changed_value_is_found_unless_it_is_stated() {
    let free = unnoticed(&fixture::body());
    // Subjects repeat digest and name, and coverage repeats rows: changing one side alone is found.
    // The model's encoding is the dataset's.
    for bound in [
        "model/digest",
        "model/name",
        "model/encoding",
        "dataset/digest",
        "dataset/name",
        "dataset/encoding",
        "dataset/rows",
    ] {
        assert!(!free.contains(&format!("/predicate/{bound}")), "{bound}");
    }
    // Of a log, the odds follow from its size and the number of openings, and the level from who checked them.
    let free = unnoticed(&logged(true).unwrap());
    for bound in ["level", "odds/0/detected", "odds/2/lies", "log/openings/count", "log/openings/rule"] {
        assert!(!free.contains(&format!("/predicate/{bound}")), "{bound}");
    }
}

/// The fixture's counters as a log's, some of it opened and, if `checked`, run again.
fn logged(checked: bool) -> Result<audit::Body, AuditError> {
    let sample = draw_sample(&fixture::SEED, fixture::ROWS, fixture::SAMPLE_SIZE);
    let counts = fixture::verified(&sample).counts().clone();
    let verified = Verified::logged(counts, fixture::SAMPLE_SIZE, checked)?;
    certificate_body(&verified, &logged_facts(checked), &fixture::schema(), &fixture::policy())
}

fn logged_facts(checked: bool) -> audit::Facts {
    let facts = fixture::facts();
    let at = |offset: u64| Nanoseconds(facts.drawn_at.0 + offset);
    let digest = |byte| Digest([byte; 32]);
    let log = Logged {
        root: digest(1),
        statement: digest(2),
        content: digest(3),
        signer: digest(4),
        submitted_at: at(1),
        decision: DecisionFacts {
            output: "probabilities".into(),
            scores: Some("probabilities".into()),
            threshold: Some("0.5".parse().unwrap()),
            labels: vec!["1=accept".into()],
        },
        language: None,
        runtime: RuntimeFacts {
            name: "onnxruntime".into(),
            version: "1.32.0".into(),
            library: None,
            provider: "CPUExecutionProvider".into(),
            fallback: false,
            batch: 64,
            threads: None,
        },
        openings: Some(Opened {
            count: fixture::SAMPLE_SIZE / 2,
            rule: audit::SAMPLE_RULE.into(),
            seed: digest(5),
            drawn_at: at(2),
            draws: 3,
            content: digest(6),
            submitted_at: at(3),
            checked: checked.then(|| Checked {
                by: "rrkah-fqaaa-aaaaa-aaaaq-cai".into(),
                at: at(4),
                note: "CPU".into(),
            }),
        }),
    };
    audit::Facts { log: Some(log), ..facts }
}

#[test]
fn a_level_says_no_more_than_its_log() {
    let level = |body: audit::Body| {
        let certificate = Certificate::parse(&body.json).unwrap();
        recompute(&certificate).unwrap();
        (certificate.predicate.level, certificate.predicate.odds.len())
    };
    assert_eq!(level(logged(true).unwrap()), (Level::SpotChecked, 3));
    // What nobody ran again has no odds.
    assert_eq!(level(logged(false).unwrap()), (Level::Attested, 0));
    let sample = draw_sample(&fixture::SEED, fixture::ROWS, fixture::SAMPLE_SIZE);
    let replayed = fixture::verified(&sample);
    let logged =
        |checked| Verified::logged(replayed.counts().clone(), fixture::SAMPLE_SIZE, checked).unwrap();
    let body = |verified: &Verified, facts: &audit::Facts| {
        certificate_body(verified, facts, &fixture::schema(), &fixture::policy()).map(|_| ())
    };
    for (verified, facts) in [
        (&logged(true), logged_facts(false)),
        (&logged(false), logged_facts(true)),
        (&logged(true), fixture::facts()),
        (&replayed, logged_facts(true)),
        (&replayed, logged_facts(false)),
    ] {
        assert!(matches!(body(verified, &facts), Err(AuditError::Differs { path, .. }) if path == "log"));
    }
    // Too few openings, and a check by the owner.
    let different: [fn(&mut audit::Facts); 2] = [
        |facts| facts.log.as_mut().unwrap().openings.as_mut().unwrap().count = 3,
        |facts| facts.owner = "rrkah-fqaaa-aaaaa-aaaaq-cai".into(),
    ];
    for change in different {
        let mut facts = logged_facts(true);
        change(&mut facts);
        assert!(matches!(body(&logged(true), &facts), Err(AuditError::Differs { .. })));
    }
    type Change = fn(&mut Opened);
    let changes: [Change; 5] = [
        |opened| opened.count = 0,
        |opened| opened.count = fixture::SAMPLE_SIZE + 1,
        |opened| opened.drawn_at.0 -= 2,
        |opened| opened.submitted_at.0 -= 2,
        |opened| opened.checked.as_mut().unwrap().at.0 -= 2,
    ];
    for change in changes {
        let mut facts = logged_facts(true);
        change(facts.log.as_mut().unwrap().openings.as_mut().unwrap());
        assert!(matches!(body(&logged(true), &facts), Err(AuditError::OutOfRange { .. })));
    }
}

/// Paths of values that can be changed without [`recompute`] noticing; all of them are [`STATED`].
fn unnoticed(body: &audit::Body) -> std::collections::BTreeSet<String> {
    let original: Value = serde_json::from_slice(&body.json).unwrap();
    let mut paths = Vec::new();
    leaves(&original, String::new(), &mut paths);
    // Tables repeat one shape: every leaf of the first group, of the others every 29th.
    let repeats =
        |path: &String| path.starts_with("/predicate/groups/") && !path.starts_with("/predicate/groups/0/");
    let mut index = 0;
    paths.retain(|path| {
        index += 1;
        !repeats(path) || index % 29 == 0
    });
    assert!(paths.len() > 300, "{}", paths.len());
    let mut free = std::collections::BTreeSet::new();
    for path in &paths {
        let mut changed = original.clone();
        let leaf = changed.pointer_mut(path).unwrap();
        *leaf = match leaf {
            Value::Bool(flag) => (!*flag).into(),
            Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            Value::String(text) => changed_text(text).into(),
            other => panic!("{path}: {other}"),
        };
        // The same change in a stated value and where it is repeated is a consistent statement.
        let bytes = serde_json_canonicalizer::to_vec(&changed).unwrap();
        let checked = Certificate::parse(&bytes).and_then(|certificate| recompute(&certificate));
        if checked.is_ok() {
            free.insert(path.clone());
        }
    }
    let stated = |path: &String| {
        let name = path.trim_start_matches("/predicate/").replace('/', ".");
        STATED.iter().any(|stated| name == *stated || name.starts_with(&format!("{stated}.")))
    };
    let surprises: Vec<_> = free.iter().filter(|path| !stated(path)).collect();
    assert!(surprises.is_empty(), "changed without notice: {surprises:?}");
    free
}

fn leaves(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| leaves(field, format!("{path}/{key}"), out))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, format!("{path}/{index}"), out));
        }
        _ => out.push(path),
    }
}

/// Another text of the same kind: the last letter or digit turned into its neighbour.
fn changed_text(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let Some(last) = characters.iter_mut().rev().find(|character| character.is_ascii_alphanumeric()) else {
        return if text == "<" { ">" } else { "<" }.to_owned();
    };
    *last = match *last {
        '9' => '8',
        'z' => 'y',
        other => char::from(other as u8 + 1),
    };
    characters.into_iter().collect()
}

#[test]
fn the_first_difference_is_named() {
    let mut changed = Certificate::parse(&fixture::body().json).unwrap();
    changed.predicate.verdict = Verdict::Pass;
    let error = recompute(&changed).unwrap_err();
    assert_eq!(
        error,
        AuditError::Differs {
            path: "predicate.verdict".into(),
            expected: "\"fail\"".into(),
            got: "\"pass\"".into()
        }
    );
    let mut shorter = Certificate::parse(&fixture::body().json).unwrap();
    shorter.predicate.groups.pop();
    let Err(AuditError::Differs { path, got, .. }) = recompute(&shorter) else { panic!("not found") };
    assert!(path.starts_with("predicate.groups["), "{path}");
    assert_eq!(got, "nothing");
}

#[test]
fn an_omitted_caveat_is_found() {
    let mut changed = Certificate::parse(&fixture::body().json).unwrap();
    changed.predicate.caveats.remove(1);
    assert!(
        matches!(recompute(&changed), Err(AuditError::Differs { path, .. }) if path == "predicate.caveats[1]")
    );
}

#[test]
fn an_unknown_group_or_class_in_a_certificate_is_refused() {
    let original = Certificate::parse(&fixture::body().json).unwrap();
    let mut changed = original.clone();
    changed.predicate.favourable = "approve".into();
    assert!(matches!(recompute(&changed), Err(AuditError::Unknown { what: "favourable class", .. })));
    let mut changed = original;
    changed.predicate.attributes[0].reference = Some("other".into());
    assert!(matches!(recompute(&changed), Err(AuditError::Unknown { what: "reference group", .. })));
}

#[test]
fn another_spelling_is_refused() {
    let json = fixture::body().json;
    let pretty = serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&json).unwrap()).unwrap();
    assert_eq!(Certificate::parse(&pretty), Err(AuditError::NotCanonical { what: "certificate" }));
    let mut trailing = json.clone();
    trailing.push(b' ');
    assert!(Certificate::parse(&trailing).is_err());
    assert!(Certificate::parse(&json[..json.len() - 1]).is_err());
    let twice = [b"{\"_type\":\"x\",".as_slice(), &json[1..]].concat();
    assert!(matches!(Certificate::parse(&twice), Err(AuditError::Json { .. })));
    let unknown = [b"{\"Extra\":1,".as_slice(), &json[1..]].concat();
    assert!(matches!(Certificate::parse(&unknown), Err(AuditError::Json { .. })));
    assert!(matches!(
        Certificate::parse(&vec![b' '; MAX_CERTIFICATE + 1]),
        Err(AuditError::OutOfRange { .. })
    ));
}

#[test]
fn facts_that_contradict_the_counts_or_themselves_are_refused() {
    let sample = draw_sample(&fixture::SEED, fixture::ROWS, fixture::SAMPLE_SIZE);
    let verified = fixture::verified(&sample);
    let body = |change: fn(&mut audit::Facts)| {
        let mut facts = fixture::facts();
        change(&mut facts);
        certificate_body(&verified, &facts, &fixture::schema(), &fixture::policy()).map(|_| ())
    };
    assert_eq!(body(|_| ()), Ok(()));
    assert!(matches!(body(|facts| facts.sample_size -= 1), Err(AuditError::Mismatch { .. })));
    let out_of_range: [fn(&mut audit::Facts); 5] = [
        |facts| facts.dataset.rows = fixture::SAMPLE_SIZE - 1,
        |facts| facts.requested_at.0 = facts.model.registered_at.0 - 1,
        |facts| facts.drawn_at.0 = facts.requested_at.0 - 1,
        |facts| facts.issued_at.0 = facts.drawn_at.0 - 1,
        |facts| facts.valid_until = Some(facts.drawn_at),
    ];
    for change in out_of_range {
        assert!(matches!(body(change), Err(AuditError::OutOfRange { .. })));
    }
    assert!(matches!(body(|facts| facts.canister.clear()), Err(AuditError::TextLength { .. })));
    assert!(matches!(body(|facts| facts.runtime = "x".repeat(129)), Err(AuditError::TextLength { .. })));
    let other = |facts: &mut audit::Facts| facts.model.encoding = facts.model.digest;
    assert!(matches!(body(other), Err(AuditError::WrongEncoding { .. })));
    assert!(matches!(body(|facts| facts.owner = "a\nb".into()), Err(AuditError::NotText { .. })));
    assert!(matches!(body(|facts| facts.certificate = 1 << 53), Err(AuditError::Json { .. })));
}
