//! Prediction logs in a test's world.

use std::path::Path;

use anyhow::{Context as _, Result};
use audit::{
    Dataset, Digest,
    log::{CARD_FORMAT, Card, Rows},
};
use certifier::log::{Job, Places, Source, decision, open, public_key, run, sign, submission};
use interface::{
    AddKey, ArtefactKind, AuditId, AuditRecord, AuditRequest, AuditState, LogRequest, SubmitLog,
    SubmitOpenings, key_message,
};
use runtime::{Choice, Options, Request};

use crate::{OWNER, World, audit_request, person};

/// The runtime that needs no library.
pub fn embedded() -> Request {
    Request { choice: Choice::Embedded, ..Request::default() }
}

/// An ONNX file as the model of a log.
pub fn onnx(bytes: &[u8]) -> Source<'_> {
    Source::Onnx { bytes, request: embedded(), options: Options::default() }
}

impl World {
    /// Registers the key with which the owner signs.
    pub async fn add_key(&self) -> Result<Digest> {
        let (client, identity) = (self.client(OWNER)?, person(OWNER));
        let key = public_key(identity.as_ref())?;
        let signed = identity.sign_arbitrary(&key_message(self.canister, client.caller()));
        let signature = signed.map_err(anyhow::Error::msg)?.signature.context("no signature")?;
        client.add_key(AddKey { key: key.into(), signature }).await?;
        Ok(key)
    }

    /// Registers a model that stays with its owner.
    pub async fn register_logged(&self, name: &str, onnx: &[u8], dataset: &Dataset) -> Result<Digest> {
        let schema = dataset.schema();
        let card = Card {
            format: CARD_FORMAT.to_owned(),
            name: name.to_owned(),
            source: Digest::of(onnx),
            encoding: schema.encoding(),
            classes: schema.classes.len() as u8,
            inputs: schema.columns.len() as u32,
            decision: decision(&self::onnx(onnx), dataset)?,
            language: None,
        };
        let bytes = card.to_json()?;
        self.client(OWNER)?.upload(ArtefactKind::LoggedModel, &bytes, &mut |_, _| ()).await?;
        Ok(Digest::of(&bytes))
    }

    /// Requests an audit by a log and waits until its sample is drawn.
    pub async fn request_log(
        &self,
        model: Digest,
        dataset: &Dataset,
        size: u32,
        openings: u32,
    ) -> Result<AuditRecord> {
        let request =
            AuditRequest { log: Some(LogRequest { openings }), ..audit_request(model, dataset, Some(size)) };
        let id = self.client(OWNER)?.request_audit(request).await?;
        self.until(id, |record| matches!(record.state, AuditState::AwaitingLog { .. })).await
    }

    /// Runs a model on an audit's sample and hands the log in, as one of `model`, whatever ran; returns the record once
    /// the log is counted.
    pub async fn log(
        &self,
        record: &AuditRecord,
        dataset: &Dataset,
        source: Source<'_>,
        model: Digest,
        folder: &Path,
    ) -> Result<AuditRecord> {
        let seed = record.seed.context("nothing was drawn")?.into();
        let rule = audit::SAMPLE_RULE.to_owned();
        let rows = Rows::Drawn { rule, seed, size: record.sample_size };
        let job = Job { model_name: "model", source, dataset, rows, batch: 256 };
        let ran = run(folder, &job, &mut |_, _| ())?.parameters.model.digest;
        let parameters = folder.join("run.json");
        let text = std::fs::read_to_string(&parameters)?;
        std::fs::write(&parameters, text.replace(&ran.to_string(), &model.to_string()))?;
        self.hand_in_log(record, folder).await
    }

    /// Signs a complete log and hands it in; returns the record once it is counted.
    pub async fn hand_in_log(&self, record: &AuditRecord, folder: &Path) -> Result<AuditRecord> {
        let envelope = sign(folder, person(OWNER).as_ref(), 1_790_000_000_000_000_000)?;
        let bytes = submission(folder, &envelope)?;
        let client = self.client(OWNER)?;
        client.put(ArtefactKind::Log, &bytes, &mut |_, _| ()).await?;
        client.submit_log(SubmitLog { audit: record.id, log: Digest::of(&bytes).into() }).await?;
        self.ended_or_opening(record.id).await
    }

    async fn ended_or_opening(&self, audit: AuditId) -> Result<AuditRecord> {
        self.until(audit, |record| {
            !matches!(record.state, AuditState::Running { .. } | AuditState::Counted { .. })
        })
        .await
    }

    /// Opens what was drawn; returns the bytes that were handed in, and the record after that.
    pub async fn open(&self, record: &AuditRecord, folder: &Path) -> Result<(Vec<u8>, AuditRecord)> {
        let log = record.log.as_ref().context("no log")?;
        let seed = log.seed.context("nothing was drawn to be opened")?.into();
        let openings = open(folder, &Places::Drawn { seed, count: log.openings })?;
        let bytes = serde_json::to_vec(&openings)?;
        let client = self.client(OWNER)?;
        client.put(ArtefactKind::Openings, &bytes, &mut |_, _| ()).await?;
        let request = SubmitOpenings { audit: record.id, openings: Digest::of(&bytes).into() };
        client.submit_openings(request).await?;
        let record = self.ended_or_opening(record.id).await?;
        Ok((bytes, record))
    }
}
