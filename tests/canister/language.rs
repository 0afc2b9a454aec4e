//! A language model behind an endpoint, audited by a log: attested, with transcripts of what was opened.
//!
//! One in files, which can be run again, is `local_model`.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use audit::{
    Certificate, Decimal, Digest,
    certificate::Level,
    language::{EndpointFacts, Kind, LanguageFacts, LanguageModel, ShuffleFacts, TokenField, measures},
    log::{CARD_FORMAT, Card, Openings, Rows, SubmissionHeader},
};
use axum::{Json, Router, routing::post};
use certifier::{
    client::ClientError,
    language::{Endpoint, EndpointOptions, Items, Job, Limits, Respondent, decision, read_items, run},
};
use interface::{ArtefactKind, AuditState};
use serde_json::{Value, json};
use tests::{OWNER, STRANGER, World, repository};

use crate::gateway;

const OPENED: u32 = 80;

/// An endpoint that answers everything with the first option.
async fn first_option() -> Result<String> {
    let answer = async || -> Json<Value> {
        let choice = json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "A" } });
        Json(
            json!({ "choices": [choice], "usage": { "prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10 } }),
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/v1/chat/completions", post(answer))).await
    });
    Ok(format!("http://{address}/v1"))
}

fn facts(base_url: &str) -> EndpointFacts {
    EndpointFacts {
        base_url: base_url.to_owned(),
        model: "first-option".to_owned(),
        temperature: Some(Decimal(0)),
        seed: None,
        max_tokens: 16,
        max_tokens_field: TokenField::MaxTokens,
    }
}

/// A page's text without tags, a blank between words.
fn words(html: &str) -> String {
    let text = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    text.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_held_to_what_it_was_registered_with() -> Result<()> {
    let world = World::start().await?;
    let items = repository("datasets/language/facts");
    let (dataset, set) = read_items(&items)?;
    world.register_dataset("language/facts").await?;
    let base_url = first_option().await?;
    let facts = facts(&base_url);
    let model = LanguageModel::Endpoint(facts.clone());
    let schema = dataset.schema();
    let card = Card {
        format: CARD_FORMAT.to_owned(),
        name: "first option".to_owned(),
        source: model.digest()?,
        encoding: schema.encoding(),
        classes: u8::try_from(schema.classes.len())?,
        inputs: 1,
        decision: decision(),
        language: Some(LanguageFacts::new(&set, model.clone(), dataset.digest())?),
    };
    let (client, bytes) = (world.client(OWNER)?, card.to_json()?);
    client.upload(ArtefactKind::LoggedModel, &bytes, &mut |_, _| ()).await?;
    world.add_key().await?;

    // Other items than those of the dataset, or an order that somebody chose.
    let asked = card.language.clone().context("a language model")?;
    let shuffle = ShuffleFacts { seed: Digest([1; 32]), ..asked.shuffle.clone() };
    let other = LanguageModel::Endpoint(EndpointFacts { model: "another".to_owned(), ..facts.clone() });
    for (what, language) in [
        ("items", LanguageFacts { items: Digest([1; 32]), model: other, ..asked.clone() }),
        ("shuffle seed", LanguageFacts { shuffle, ..asked }),
    ] {
        let source = language.model.digest()?;
        let bytes = Card { language: Some(language), source, ..card.clone() }.to_json()?;
        client.upload(ArtefactKind::LoggedModel, &bytes, &mut |_, _| ()).await?;
        let refused = world.request_log(Digest::of(&bytes), &dataset, 100, OPENED).await.unwrap_err();
        assert!(refused.to_string().contains(what), "{what}: {refused}");
    }

    // Asked with another temperature than was registered, and as it was.
    for (temperature, accepted) in [(Decimal(Decimal::ONE), false), (Decimal(0), true)] {
        let record = world.request_log(Digest::of(&bytes), &dataset, dataset.rows(), OPENED).await?;
        let (seed, rule) = (record.seed.context("a seed")?.into(), audit::SAMPLE_RULE.to_owned());
        let asked = EndpointFacts { temperature: Some(temperature), ..facts.clone() };
        let options = EndpointOptions {
            facts: asked,
            key: None,
            timeout: Duration::from_secs(10),
            insecure_http: false,
        };
        let job = Job {
            dataset: &dataset,
            set: &set,
            rows: Rows::Drawn { rule, seed, size: record.sample_size },
            model: Respondent::Endpoint(Arc::new(Endpoint::new(options)?), Limits::default()),
            shuffle_seed: dataset.digest(),
            retry_failed: false,
        };
        let folder = tempfile::tempdir()?;
        let ended = run(folder.path(), job, &mut |_| ()).await?;
        assert!(ended.root.is_some());
        let handed_in = world.hand_in_log(&record, folder.path()).await;
        if !accepted {
            let refused = handed_in.unwrap_err();
            assert!(refused.to_string().contains("another model"), "{refused}");
            continue;
        }
        let record = handed_in?;
        assert_eq!(record.state, AuditState::AwaitingOpenings { openings: OPENED });
        // Nobody is waited for who could not ask again.
        let (openings, record) = world.open(&record, folder.path()).await?;
        let certificate = world.certificate_of(record.id).await?;
        let stranger = world.client(STRANGER)?;
        let body = Certificate::parse(&stranger.certificate(certificate).await?.body)?;
        let predicate = &body.predicate;
        assert_eq!((predicate.level, predicate.odds.len()), (Level::Attested, 0));
        let log = predicate.log.as_ref().context("a log")?;
        assert_eq!(log.language.as_ref().context("a language model")?.model, model);
        // None is invalid or failed.
        let counts = audit::Counts::from_counters(schema, predicate.counters.clone())?;
        let decided = counts.matrix(&[]);
        let classes = schema.classes.len();
        assert_eq!(decided.iter().skip(classes - 2).step_by(classes).sum::<u64>(), 0);

        // The page that the gateway verifies shows what they add up to, as it follows from the counters.
        let found = measures(Kind::Choice, &schema.frame(), &counts)?;
        assert_eq!(predicate.language_measures()?, found);
        let page = gateway::page(&world, &format!("/certificate/{certificate}")).await?;
        assert!(page.headers.contains_key("ic-certificate"));
        let page = words(&page.text());
        for measure in &found {
            let group = measure.group.as_deref().unwrap_or("All");
            let (decimal, (of, all)) = measure.decimal().zip(measure.counted).context("it has a value")?;
            let row = format!("{group} {decimal} {of} of {all} ");
            assert!(page.contains(&row), "{}: {row}", measure.id);
        }
        let right = found.iter().filter(|measure| measure.id == "accuracy");
        assert_eq!(right.count(), 1 + schema.attributes.iter().map(|one| one.groups.len()).sum::<usize>());

        // What was opened is there to be read, and asks what template, item and shuffle give.
        let opened = log.openings.as_ref().context("openings")?.content;
        let bytes = stranger.download(ArtefactKind::Openings, opened, &mut |_, _| ()).await?;
        assert_eq!(bytes, openings);
        let content = stranger.download(ArtefactKind::Log, log.content, &mut |_, _| ()).await?;
        let signed = SubmissionHeader::parse(&content)?.signed;
        let openings = Openings::parse(&bytes)?;
        openings.verify(signed.statement())?;
        assert_eq!(openings.openings.len(), OPENED as usize);
        assert_eq!(Items::of(&items, signed.statement())?.check(&openings), []);
        let nothing_to_report =
            interface::ReportOpenings { audit: record.id, agrees: true, note: String::new() };
        let refused = world.client(tests::CONTROLLER)?.report_openings(nothing_to_report).await;
        assert!(matches!(refused.unwrap_err(), ClientError::Refused { .. }));
    }
    Ok(())
}
