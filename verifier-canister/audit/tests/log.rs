//! Prediction logs: known trees, golden bytes, and what is refused.

mod fixture;

use audit::{
    Counts, Dataset, Digest, SAMPLE_RULE,
    certificate::Nanoseconds,
    draw_sample,
    dsse::{Envelope, Signature, pre_authentication},
    log::{
        CARD_FORMAT, Card, DecisionFacts, Draw, Entry, Frontier, LOG_RULE, LogError, LogFacts,
        OPENINGS_FORMAT, Opening, Openings, Predictions, Record, Rows, RuntimeFacts, SUBMISSION_MAGIC,
        Signed, Statement, SubmissionHeader, Tally, Tree, output_digest, salt, submission, tree,
    },
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use sha2::Sha256;

const SECRET: [u8; 32] = [3; 32];
const KEY: [u8; 32] = [5; 32];

/// A log of the fixture's dataset with one score per prediction.
struct Log {
    dataset: Dataset,
    records: Vec<u8>,
    outputs: Vec<[u8; 4]>,
    statement: Statement,
}

impl Log {
    fn new() -> Self {
        let dataset = fixture::dataset();
        let rows = Rows::Drawn { rule: SAMPLE_RULE.to_owned(), seed: Digest([1; 32]), size: 100 };
        let mut counts = Counts::new(dataset.schema());
        let (mut records, mut outputs) = (Vec::new(), Vec::new());
        for (index, row) in rows.expand(dataset.rows()).unwrap().into_iter().enumerate() {
            let output = (row as f32 / 7.0).to_le_bytes();
            let record = Record {
                row,
                input: Digest::of(dataset.record(row).unwrap()),
                output: output_digest(&salt(&SECRET, index as u32), &output),
                class: (row % 3) as u8,
            };
            let labelled = dataset.row(row).unwrap();
            counts.record(labelled.groups, labelled.label, record.class).unwrap();
            records.extend(record.to_bytes());
            outputs.push(output);
        }
        let leaves = records.chunks(Record::LEN).map(tree::leaf).collect();
        let schema = dataset.schema();
        let predicate = Predictions {
            log: LogFacts { rule: LOG_RULE.to_owned(), root: Tree::new(leaves).root(), size: 100, scores: 1 },
            rows,
            dataset_rows: dataset.rows(),
            classes: schema.classes.clone(),
            favourable: "accept".to_owned(),
            attributes: Predictions::attributes_of(schema),
            counters: counts.counters().to_vec(),
            decision: DecisionFacts {
                output: "score".to_owned(),
                scores: Some("score".to_owned()),
                threshold: Some("0.5".parse().unwrap()),
                labels: vec![],
            },
            runtime: RuntimeFacts {
                name: "onnxruntime".to_owned(),
                version: "1.32.0".to_owned(),
                library: Some(Digest([8; 32])),
                provider: "CPUExecutionProvider".to_owned(),
                fallback: false,
                batch: 64,
                threads: None,
            },
            language: None,
            signer: Digest(SigningKey::from_bytes(&KEY).verifying_key().to_bytes()),
            created_at: Nanoseconds(1_790_000_000_000_000_000),
        };
        let model = ("forest", Digest([9; 32]));
        let statement = Statement::new(model, ("loans", dataset.digest()), predicate).unwrap();
        Self { dataset, records, outputs, statement }
    }

    fn open(&self, indices: &[u32], draw: Option<Draw>) -> Openings {
        let records = Record::parse_all(&self.records).unwrap();
        let tree = Tree::new(records.iter().map(|record| record.leaf()).collect());
        let opening = |&index: &u32| {
            let record = records[index as usize];
            Opening {
                index,
                row: record.row,
                input: record.input,
                class: record.class,
                salt: salt(&SECRET, index),
                output: self.outputs[index as usize].to_vec(),
                path: tree.path(index).unwrap(),
            }
        };
        let openings = indices.iter().map(opening).collect();
        Openings { format: OPENINGS_FORMAT.to_owned(), root: tree.root(), draw, openings }
    }
}

/// An envelope with a good signature, whatever the statement says.
fn envelope(json: &[u8]) -> Vec<u8> {
    let signature = SigningKey::from_bytes(&KEY).sign(&pre_authentication(json)).to_bytes();
    serde_json::to_vec(&Envelope::new(json, Signature::new("key".to_owned(), &signature))).unwrap()
}

/// The test tree of Certificate Transparency (RFC 6962 implementations, `merkle_tree_test`).
#[test]
fn known_trees() {
    let leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<Digest> = leaves.iter().map(|leaf| tree::leaf(&hex::decode(leaf).unwrap())).collect();
    for (size, root) in (1..).zip(roots) {
        assert_eq!(Tree::new(leaves[..size].to_vec()).root().to_string(), root, "{size} leaves");
    }
    let path = Tree::new(leaves).path(0).unwrap().iter().map(Digest::to_string).collect::<Vec<_>>();
    assert_eq!(
        path,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Tree::new(vec![]).root().to_string(), empty);
    assert_eq!(Tree::new(vec![]).path(0), None);
}

#[test]
fn roots_and_paths_equal_an_independent_implementation() {
    let mut other = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut leaves = Vec::new();
    for size in 1..=70_u32 {
        let leaf = size.to_be_bytes().to_vec();
        leaves.push(tree::leaf(&leaf));
        other.push(leaf);
        let tree = Tree::new(leaves.clone());
        assert_eq!(tree.root().0[..], other.root().as_bytes()[..]);
        for index in 0..size {
            let path = tree.path(index).unwrap();
            let bytes = path.iter().flat_map(|digest| digest.0).collect::<Vec<_>>();
            assert_eq!(bytes, other.prove_inclusion(index as usize).as_bytes(), "{index} of {size}");
            assert!(tree::is_included(leaves[index as usize], index, size, &path, tree.root()));
        }
        assert_eq!(tree.path(size), None);
        assert_eq!(frontier(&leaves).root(), Some(tree.root()));
    }
}

fn frontier(leaves: &[Digest]) -> Frontier {
    leaves.iter().fold(Frontier::default(), |mut frontier, leaf| {
        frontier.push(*leaf);
        frontier
    })
}

proptest! {
    #[test]
    fn no_other_path_leads_to_the_root(size in 1_u32..200, at in any::<u32>(), to in any::<u32>(), cut in 0_usize..9) {
        let leaves: Vec<Digest> = (0..size).map(|leaf| tree::leaf(&leaf.to_le_bytes())).collect();
        let tree = Tree::new(leaves.clone());
        let (index, other) = (at % size, to % (2 * size));
        let (leaf, path) = (leaves[index as usize], tree.path(index).unwrap());
        prop_assert!(other == index || !tree::is_included(leaf, other, size, &path, tree.root()));
        prop_assert!(cut >= path.len() || !tree::is_included(leaf, index, size, &path[..cut], tree.root()));
        let longer = [path.as_slice(), &[leaf]].concat();
        prop_assert!(!tree::is_included(leaf, index, size, &longer, tree.root()));
        for place in 0..path.len() {
            let mut changed = path.clone();
            changed[place].0[0] ^= 1;
            prop_assert!(!tree::is_included(leaf, index, size, &changed, tree.root()));
        }
    }

    /// A tree that is stopped and gone on with anywhere has the same root.
    #[test]
    fn a_frontier_goes_on_where_it_was(size in 1_u32..2000, at in any::<u32>()) {
        let leaves: Vec<Digest> = (0..size).map(|leaf| tree::leaf(&leaf.to_le_bytes())).collect();
        let done = (at % (size + 1)) as usize;
        let first = frontier(&leaves[..done]);
        prop_assert!(first.roots().len() <= 11);
        prop_assert_eq!(Frontier::resume(done as u32 ^ 1, first.roots().to_vec()), None);
        let mut resumed = Frontier::resume(done as u32, first.roots().to_vec()).unwrap();
        leaves[done..].iter().for_each(|leaf| resumed.push(*leaf));
        prop_assert_eq!(resumed.root(), Some(Tree::new(leaves.clone()).root()));
    }

    /// Nothing panics on any bytes.
    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), index in any::<u32>(), size in any::<u32>()) {
        let _ = Record::parse_all(&bytes);
        let _ = Signed::verify(&bytes);
        let _ = Openings::parse(&bytes);
        let _ = SubmissionHeader::parse(&[SUBMISSION_MAGIC.as_slice(), &bytes].concat());
        let _ = Entry::parse(&bytes);
        let _ = Card::parse(&bytes);
        let path: Vec<Digest> = bytes.as_chunks().0.iter().map(|digest| Digest(*digest)).collect();
        prop_assert!(!tree::is_included(Digest([1; 32]), index, size, &path, Digest([2; 32])));
    }
}

/// What is handed in, counted again, is the statement's; with any entry changed it is not.
#[test]
fn a_log_that_is_handed_in_adds_up_or_does_not() {
    let log = Log::new();
    let records = Record::parse_all(&log.records).unwrap();
    let json = log.statement.to_json().unwrap();
    let bytes = submission(&envelope(&json), &records);
    let header = SubmissionHeader::parse(&bytes).unwrap();
    assert_eq!(header.signed.statement(), &log.statement);
    header.check_len(bytes.len() as u64).unwrap();
    assert!(header.check_len(bytes.len() as u64 - 1).is_err());
    assert!(header.check_len(bytes.len() as u64 + 33).is_err());
    for cut in [0, 7, 11, 12, 100, header.len as usize - 1] {
        assert!(SubmissionHeader::parse(&bytes[..cut]).is_err(), "{cut}");
    }
    let tally = |bytes: &[u8]| {
        let mut tally = Tally::new(log.dataset.schema());
        for (index, record) in (0..).zip(&records) {
            let (row, bytes_of_row) =
                (log.dataset.row(record.row).unwrap(), log.dataset.record(record.row).unwrap());
            let entry = Entry::parse(&bytes[header.entry_offset(index) as usize..][..Entry::LEN])?;
            tally.add(record.row, row, bytes_of_row, entry)?;
        }
        tally.check(header.signed.statement())
    };
    tally(&bytes).unwrap();
    for at in header.len as usize..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(tally(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn a_card_has_one_form() {
    let card = Card {
        format: CARD_FORMAT.to_owned(),
        name: "forest".to_owned(),
        source: Digest([8; 32]),
        encoding: Digest([7; 32]),
        classes: 2,
        inputs: 3,
        decision: DecisionFacts::of_integer_model(),
        language: None,
    };
    let json = card.to_json().unwrap();
    assert_eq!(Card::parse(&json).unwrap(), card);
    let text = String::from_utf8(json).unwrap();
    for (from, to) in [
        ("model 1", "model 2"),
        ("forest", ""),
        ("\"output\":\"class\"", "\"output\":\"\""),
        ("\"classes\":2", "\"classes\":1"),
        ("\"inputs\":3", "\"inputs\":0"),
        ("\"inputs\":3", "\"inputs\": 3"),
        ("\"inputs\":3", "\"inputs\":3,\"more\":1"),
    ] {
        assert!(Card::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn golden_bytes_stay_readable() {
    let log = Log::new();
    let draw = Draw { rule: SAMPLE_RULE.to_owned(), seed: Digest([4; 32]) };
    let openings = log.open(&draw_sample(&draw.seed.0, 100, 3), Some(draw));
    let files = [
        ("log-records.bin", log.records.clone()),
        ("log-statement.json", envelope(&log.statement.to_json().unwrap())),
        ("log-openings.json", serde_json::to_vec(&openings).unwrap()),
    ];
    for (name, made) in files {
        fixture::golden::same(name, &made);
    }
}

#[test]
fn an_honest_log_is_accepted() {
    let log = Log::new();
    let signed = Signed::verify(&envelope(&log.statement.to_json().unwrap())).unwrap();
    assert_eq!(signed.statement(), &log.statement);
    assert_eq!(signed.check_records(&log.records).unwrap().len(), 100);
    let all = log.open(&(0..100).collect::<Vec<_>>(), None);
    let read = Openings::parse(&serde_json::to_vec(&all).unwrap()).unwrap();
    read.verify(signed.statement()).unwrap();
    read.check_inputs(&log.dataset).unwrap();
}

#[test]
fn a_forged_signature_or_statement_is_refused() {
    let log = Log::new();
    let json = log.statement.to_json().unwrap();
    let mut other = envelope(&json);
    // Inside the signature's base64.
    let at = other.len() - 20;
    other[at] = if other[at] == b'A' { b'B' } else { b'A' };
    assert_eq!(Signed::verify(&other), Err(LogError::Signature));

    let edit = |from: &str, to: &str| {
        let text = String::from_utf8(json.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        Signed::verify(&envelope(text.replacen(from, to, 1).as_bytes()))
    };
    assert!(matches!(edit("Statement/v1", "Statement/v2"), Err(LogError::Kind { what: "_type", .. })));
    assert!(matches!(edit("predictions/v1", "predictions/v2"), Err(LogError::Kind { .. })));
    assert!(matches!(edit("assay log 1", "assay log 2"), Err(LogError::Kind { what: "log rule", .. })));
    assert!(matches!(edit("assay sample 1", "assay sample 9"), Err(LogError::Kind { .. })));
    assert!(matches!(
        edit("\"favourable\":\"accept\"", "\"favourable\":\"x\""),
        Err(LogError::Inconsistent(_))
    ));
    assert!(matches!(edit("\"reference\":\"male\"", "\"reference\":\"x\""), Err(LogError::Inconsistent(_))));
    assert!(matches!(edit("model/forest", "data/forest"), Err(LogError::Inconsistent(_))));
    for (from, to) in [
        ("\"size\":100}", "\"size\":101}"),
        ("\"counters\":[", "\"counters\":[1"),
        ("\"scores\":1,", "\"scores\":65,"),
        ("\"signer\":\"", "\"signer\": \""),
        ("\"dataset_rows\":240", "\"dataset_rows\":99"),
        ("\"batch\":64", "\"batch\":64,\"more\":1"),
    ] {
        assert!(edit(from, to).is_err(), "{from}");
    }
    // Signed by another key than it names.
    let mut statement = log.statement.clone();
    statement.predicate.signer = Digest(SigningKey::from_bytes(&[6; 32]).verifying_key().to_bytes());
    assert_eq!(Signed::verify(&envelope(&statement.to_json().unwrap())), Err(LogError::Signature));
}

#[test]
fn records_that_the_statement_is_not_about_are_refused() {
    let log = Log::new();
    let signed = Signed::verify(&envelope(&log.statement.to_json().unwrap())).unwrap();
    let mut changed = log.records.clone();
    changed[Record::LEN + 68] ^= 1;
    assert!(matches!(signed.check_records(&changed), Err(LogError::OtherLog { .. })));
    assert!(signed.check_records(&log.records[1..]).is_err());

    // A signer whose counters do not follow from the records.
    let mut lied = log.statement.clone();
    let counters = &mut lied.predicate.counters;
    let full = counters.iter().position(|&count| count > 0).unwrap();
    counters[full] -= 1;
    counters[if full % 3 == 0 { full + 1 } else { full - 1 }] += 1;
    let signed = Signed::verify(&envelope(&lied.to_json().unwrap())).unwrap();
    assert!(matches!(signed.check_records(&log.records), Err(LogError::Inconsistent(_))));
    // One whose log has other rows than it says.
    let mut lied = log.statement.clone();
    lied.predicate.rows = Rows::Listed { rows: (0..100).collect() };
    let signed = Signed::verify(&envelope(&lied.to_json().unwrap())).unwrap();
    assert!(matches!(signed.check_records(&log.records), Err(LogError::Inconsistent(_))));
}

#[test]
fn openings_that_are_not_in_the_log_are_refused() {
    let log = Log::new();
    let refuse = |change: &dyn Fn(&mut Openings)| {
        let mut openings = log.open(&[3, 17, 99], None);
        change(&mut openings);
        openings.verify(&log.statement).unwrap_err()
    };
    let not_in_log = LogError::NotInLog { index: 17 };
    assert_eq!(refuse(&|openings| openings.openings[1].class ^= 1), not_in_log);
    assert_eq!(refuse(&|openings| openings.openings[1].output[0] ^= 1), not_in_log);
    assert_eq!(refuse(&|openings| openings.openings[1].salt[0] ^= 1), not_in_log);
    assert_eq!(refuse(&|openings| openings.openings[1].row += 1), not_in_log);
    assert_eq!(refuse(&|openings| openings.openings[1].path.truncate(2)), not_in_log);
    assert!(matches!(refuse(&|openings| openings.openings[1].index = 18), LogError::NotInLog { index: 18 }));
    assert!(matches!(
        refuse(&|openings| openings.openings[0].output.push(0)),
        LogError::OtherOutput { index: 3 }
    ));
    assert!(matches!(refuse(&|openings| openings.openings.swap(0, 1)), LogError::OtherPlaces(_)));
    assert!(matches!(refuse(&|openings| openings.root.0[0] ^= 1), LogError::OtherLog { .. }));
    let drawn = Some(Draw { rule: SAMPLE_RULE.to_owned(), seed: Digest([4; 32]) });
    assert!(matches!(refuse(&|openings| openings.draw = drawn.clone()), LogError::OtherPlaces(_)));

    // A record about something else than the row it names: committed to, so only the dataset tells.
    let mut openings = log.open(&[3], None);
    openings.openings[0].input = Digest([0; 32]);
    assert!(matches!(openings.check_inputs(&log.dataset), Err(LogError::OtherInput { index: 3, .. })));
    let text = serde_json::to_string(&log.open(&[3], None)).unwrap();
    assert!(Openings::parse(text.replace("openings 1", "openings 2").as_bytes()).is_err());
    assert!(Openings::parse(text.replace("\"salt\":\"", "\"salt\":\"00").as_bytes()).is_err());
}
