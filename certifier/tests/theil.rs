//! Theil indices against AIF360; see `verifier-canister/audit/tests/reference/README.md`.

use audit::Confusion;
use certifier::report::{Undefined, theil, theil_between};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    /// TP, FP, TN, FN of each group.
    groups: Vec<[u64; 4]>,
    overall: String,
    between: String,
}

fn close(ours: Result<f64, Undefined>, theirs: &str) {
    match ours {
        Ok(ours) => {
            assert!((ours - theirs.parse::<f64>().unwrap()).abs() < 1e-12, "{ours}, expected {theirs}")
        }
        Err(undefined) => assert_eq!((undefined, theirs), (Undefined::NothingGiven, "nan")),
    }
}

#[test]
fn theil_indices_agree_with_aif360() {
    let vectors = include_str!("../../verifier-canister/audit/tests/reference/theil.json");
    let cases: Vec<Case> = serde_json::from_str(vectors).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let of = |&[tp, fp, tn, fn_]: &[u64; 4]| Confusion { tp, fp, tn, fn_ };
        let groups: Vec<Confusion> = case.groups.iter().map(of).collect();
        let all = groups.iter().fold(Confusion::default(), |all, group| all + *group);
        close(theil(all), &case.overall);
        close(theil_between(&groups), &case.between);
    }
}

#[test]
fn without_samples_there_is_no_index() {
    let some = Confusion { tp: 3, fp: 1, tn: 2, fn_: 1 };
    assert_eq!(theil(Confusion::default()), Err(Undefined::NoSample(None)));
    assert_eq!(theil_between(&[some, Confusion::default()]), Err(Undefined::NoSample(None)));
    assert_eq!(theil_between(&[]), Err(Undefined::NoSample(None)));
}
