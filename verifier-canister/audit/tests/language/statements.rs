//! Statements about language models: what they must say about each other's parts.

use audit::{
    Counts, Decimal, Digest,
    certificate::Nanoseconds,
    language::{
        Call, EndpointFacts, FAILED, Kind, LanguageFacts, LanguageModel, MAX_TRANSCRIPT, Parsed, Transcript,
        likelihood::LIKELIHOOD_RULE,
    },
    log::{
        DecisionFacts, LOG_RULE, LogError, LogFacts, OPENINGS_FORMAT, Opening, Openings, Predictions, Record,
        Rows, RuntimeFacts, Statement, Tree, output_digest,
    },
};

use crate::fixture::{Parts, facts};

/// A log of both items with these outputs, and its openings.
fn log(
    output: &[u8],
    bend: impl FnOnce(&mut Predictions, &mut Digest),
) -> Result<(Statement, Openings), LogError> {
    let parts = Parts::choice();
    let (dataset, set) = (parts.dataset(), parts.set().unwrap());
    let mut counts = Counts::new(dataset.schema());
    let records: Vec<Record> = (0..2)
        .map(|row| {
            let found = dataset.row(row).unwrap();
            counts.record(found.groups, found.label, 4).unwrap();
            let input = Digest::of(dataset.record(row).unwrap());
            Record { row, input, output: output_digest(&[1; 16], output), class: 4 }
        })
        .collect();
    let tree = Tree::new(records.iter().map(|record| record.leaf()).collect());
    let language = facts(&set);
    let mut model = language.model.digest().unwrap();
    let mut predicate = Predictions {
        log: LogFacts { rule: LOG_RULE.to_owned(), root: tree.root(), size: 2, scores: 0 },
        rows: Rows::All {},
        dataset_rows: 2,
        classes: dataset.schema().classes.clone(),
        favourable: "A".to_owned(),
        attributes: Predictions::attributes_of(dataset.schema()),
        counters: counts.counters().to_vec(),
        decision: DecisionFacts {
            output: "answer".to_owned(),
            scores: None,
            threshold: None,
            labels: vec![],
        },
        runtime: RuntimeFacts {
            name: "chat completions".to_owned(),
            version: "1".to_owned(),
            library: None,
            provider: "http://127.0.0.1:8000/v1".to_owned(),
            fallback: false,
            batch: 1,
            threads: None,
        },
        language: Some(language),
        signer: Digest([2; 32]),
        created_at: Nanoseconds(1),
    };
    bend(&mut predicate, &mut model);
    let statement = Statement::new(("rule", model), ("test", dataset.digest()), predicate)?;
    let opening = |index: u32| Opening {
        index,
        row: index,
        input: records[index as usize].input,
        class: 4,
        salt: [1; 16],
        output: output.to_vec(),
        path: tree.path(index).unwrap(),
    };
    let openings = vec![opening(0), opening(1)];
    Ok((statement, Openings { format: OPENINGS_FORMAT.to_owned(), root: tree.root(), draw: None, openings }))
}

/// A transcript of item 0 without an answer, which is class 4.
fn unanswered(item: u32, class: u8, prompt: usize) -> Vec<u8> {
    let call = Call {
        prompt: "x".repeat(prompt),
        answer: None,
        errors: vec!["no connection".to_owned()],
        parsed: Parsed::Failed,
    };
    let transcript = Transcript::new(Kind::Choice, 5, item, vec![call]);
    audit::canonical::to_canonical_json("test", &Transcript { class, ..transcript }).unwrap()
}

#[test]
fn outputs_are_transcripts_of_their_records() {
    for (output, fits) in [
        (unanswered(0, 4, 1), true),
        (unanswered(0, 4, 4000), true),
        (unanswered(1, 4, 1), false),
        // Its outcomes give class 4.
        (unanswered(0, 0, 1), false),
        (unanswered(0, 4, MAX_TRANSCRIPT), false),
        (vec![b'x'], false),
        (vec![], false),
    ] {
        let (statement, mut openings) = log(&output, |_, _| ()).unwrap();
        openings.openings.truncate(1);
        assert_eq!(openings.verify(&statement).is_ok(), fits, "{}", String::from_utf8_lossy(&output));
    }
}

fn endpoint(facts: &mut LanguageFacts) -> &mut EndpointFacts {
    let LanguageModel::Endpoint(endpoint) = &mut facts.model else { panic!("an endpoint") };
    endpoint
}

#[test]
fn a_statement_that_contradicts_itself_is_refused() {
    let refused = |bend: &dyn Fn(&mut Predictions, &mut Digest)| log(b"x", bend).unwrap_err().to_string();
    let language = |bend: fn(&mut LanguageFacts)| {
        refused(&move |predicate: &mut Predictions, _: &mut Digest| {
            bend(predicate.language.as_mut().unwrap())
        })
    };
    assert!(refused(&|_, model| model.0[0] ^= 1).contains("digest is not that of the language model"));
    assert!(refused(&|predicate, _| predicate.log.scores = 1).contains("transcripts, not scores"));
    assert!(
        refused(&|predicate, _| predicate.classes[4] = format!("{FAILED}?"))
            .contains("invalid and failed last")
    );
    // Whoever changes a parameter names another model.
    assert!(language(|facts| endpoint(facts).temperature = Some(Decimal(1))).contains("language model"));
    assert!(language(|facts| endpoint(facts).model = "other".into()).contains("language model"));
    assert!(language(|facts| endpoint(facts).model = String::new()).contains("model name"));
    assert!(language(|facts| facts.answers = LIKELIHOOD_RULE.into()).contains("answer rule"));
    assert!(language(|facts| facts.shuffle.rule = "none".into()).contains("shuffle rule"));
    assert!(language(|facts| facts.transcripts = "assay transcript 2".into()).contains("transcript format"));
    assert!(language(|facts| facts.templates[0].id = "a\nb".into()).contains("template id"));
}
