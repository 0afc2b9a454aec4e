//! A language model in files, audited by a log: an auditor who has them runs what was opened again.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use audit::{
    Certificate, Dataset, Digest,
    certificate::Level,
    draw_sample,
    language::{ItemSet, LanguageFacts, LanguageModel, LocalFacts},
    log::{CARD_FORMAT, Card, Openings, Rows, SubmissionHeader},
};
use certifier::language::{
    Asked, Decided, Items, Job, Local, LocalFiles, Reran, Respondent, decision, read_items, run,
};
use interface::{ArtefactKind, AuditRecord, AuditState, ReportOpenings, Role, RoleChange};
use runtime::Request;
use tests::{CONTROLLER, OWNER, STRANGER, World, principal, repository};

use crate::logs::count_again;

const ITEMS: &str = "datasets/language/german-sex";
const SAMPLE: u32 = 120;
const OPENED: u32 = 90;
const AFTER: &str = "\nAnswer: ";

fn files() -> Result<LocalFiles> {
    Ok(LocalFiles::read(&repository("datasets/language/models/credit-letters/model.onnx"), None)?)
}

fn facts(after: &str) -> Result<LocalFacts> {
    Ok(files()?.facts("credit letters", "", after))
}

fn local(after: &str) -> Result<Local> {
    Ok(files()?.load(&facts(after)?, &Request::default())?)
}

struct Scene {
    world: World,
    dataset: Dataset,
    set: ItemSet,
    card: Digest,
}

impl Scene {
    async fn new() -> Result<Self> {
        let world = World::start().await?;
        let (dataset, set) = read_items(&repository(ITEMS))?;
        world.register_dataset("language/german-sex").await?;
        let (schema, model) = (dataset.schema(), LanguageModel::Local(facts(AFTER)?));
        let card = Card {
            format: CARD_FORMAT.to_owned(),
            name: "credit letters".to_owned(),
            source: model.digest()?,
            encoding: schema.encoding(),
            classes: u8::try_from(schema.classes.len())?,
            inputs: 1,
            decision: decision(),
            language: Some(LanguageFacts::new(&set, model, dataset.digest())?),
        };
        let bytes = card.to_json()?;
        world.client(OWNER)?.upload(ArtefactKind::LoggedModel, &bytes, &mut |_, _| ()).await?;
        world.add_key().await?;
        let auditor = RoleChange { principal: principal(STRANGER), role: Role::Auditor };
        world.client(CONTROLLER)?.add_role(auditor).await?;
        Ok(Self { world, dataset, set, card: Digest::of(&bytes) })
    }

    /// Runs the model with this text behind prompts on an audit's sample, signs whatever `bend` makes of the folder, hands it in
    /// and opens what is drawn.
    async fn log(
        &self,
        after: &str,
        bend: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<(Openings, AuditRecord)> {
        let record = self.world.request_log(self.card, &self.dataset, SAMPLE, OPENED).await?;
        let (seed, rule) = (record.seed.context("a seed")?.into(), audit::SAMPLE_RULE.to_owned());
        let job = Job {
            dataset: &self.dataset,
            set: &self.set,
            rows: Rows::Drawn { rule, seed, size: record.sample_size },
            model: Respondent::Local(Box::new(local(after)?)),
            shuffle_seed: self.dataset.digest(),
            retry_failed: false,
        };
        let folder = tempfile::tempdir()?;
        assert!(run(folder.path(), job, &mut |_| ()).await?.root.is_some());
        bend(folder.path())?;
        let record = self.world.hand_in_log(&record, folder.path()).await?;
        let (openings, record) = self.world.open(&record, folder.path()).await?;
        assert_eq!(record.state, AuditState::AwaitingAuditor { openings: OPENED });
        Ok((Openings::parse(&openings)?, record))
    }

    /// What an auditor finds who has the files.
    async fn found(&self, record: &AuditRecord, openings: &Openings) -> Result<Reran> {
        let log = record.log.as_ref().and_then(|log| log.submitted.as_ref()).context("a log")?;
        let content = log.content.into();
        let client = self.world.client(STRANGER)?;
        let bytes = client.download(ArtefactKind::Log, content, &mut |_, _| ()).await?;
        let signed = SubmissionHeader::parse(&bytes)?.signed;
        let items = Items::of(&repository(ITEMS), signed.statement())?;
        assert_eq!(items.check(openings), []);
        Ok(items.asked().rerun(&local(AFTER)?, openings, 1e-3)?)
    }

    async fn report(&self, record: &AuditRecord, agrees: bool) -> Result<AuditRecord> {
        let note = "ran it".to_owned();
        let report = ReportOpenings { audit: record.id, agrees, note };
        self.world.client(STRANGER)?.report_openings(report).await?;
        self.world.ended(record.id).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_files_can_confirm_what_was_opened() -> Result<()> {
    let scene = Scene::new().await?;
    let (openings, record) = scene.log(AFTER, |_| Ok(())).await?;
    assert_eq!(scene.found(&record, &openings).await?.differences, []);
    scene.report(&record, true).await?;
    let certificate = scene.world.certificate_of(record.id).await?;
    let client = scene.world.client(STRANGER)?;
    let predicate = Certificate::parse(&client.certificate(certificate).await?.body)?.predicate;
    assert_eq!(predicate.level, Level::SpotChecked);
    assert!(!predicate.odds.is_empty());
    let log = predicate.log.as_ref().context("a log")?;
    let language = log.language.as_ref().context("a language model")?;
    assert_eq!(language.model, LanguageModel::Local(facts(AFTER)?));

    // Everything, not only what was opened.
    let rows = draw_sample(&predicate.sample.seed.0, scene.dataset.rows(), SAMPLE);
    let asked = Asked { set: &scene.set, facts: language, classes: scene.dataset.schema().classes.len() };
    // Whatever the log says: 255 is no class.
    let items: Vec<_> = rows.into_iter().map(|row| Decided { row, class: 255 }).collect();
    let mut decided = asked.decide(&local(AFTER)?, &items, 1e-4, &mut |_, _| ())?;
    let again = count_again(&scene.world, certificate, Some(decided.clone())).await?;
    assert!(again.is_equal());
    decided[7] ^= 1;
    let again = count_again(&scene.world, certificate, Some(decided)).await?;
    assert_eq!(again.logged.context("a log")?.wrong.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_made_otherwise_than_it_says_is_found_out() -> Result<()> {
    const OTHER: &str = "\nIt is the other one, not ";
    let scene = Scene::new().await?;
    let (stated, done) = (facts(AFTER)?, facts(OTHER)?);
    let (openings, record) = scene
        .log(OTHER, |folder| {
            let path = folder.join("run.json");
            let text = fs::read_to_string(&path)?;
            let json = |text: &str| serde_json::to_string(text);
            let digest = |facts: &LocalFacts| LanguageModel::Local(facts.clone()).digest();
            let text = text.replace(&json(&done.after)?, &json(&stated.after)?);
            Ok(fs::write(path, text.replace(&digest(&done)?.to_string(), &digest(&stated)?.to_string()))?)
        })
        .await?;
    let Reran { differences, largest, .. } = scene.found(&record, &openings).await?;
    let classes = differences.iter().filter(|one| one.class != one.logged).count();
    assert!(classes > 0 && largest > 0.1, "{classes} classes, likelihoods by {largest}");
    let record = scene.report(&record, false).await?;
    assert!(matches!(record.state, AuditState::Refused { .. }), "{:?}", record.state);
    Ok(())
}
