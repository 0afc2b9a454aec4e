//! What becomes of an upload when it is sealed: the deciding crates parse and check every byte first.

use audit::{AuditError, DatasetHeader, Digest, Row, dataset::MAX_HEADER, log::Card};
use ic_stable_structures::Memory;
use interface::{ArtefactKind, DigestBytes, Error, LayerSummary, UploadKey};
use verifier::LayerShape;

use crate::{
    guards::{Context, check_quota},
    proofs::refused,
    rows::RowReader,
    storage::{
        Content, State,
        records::{Dataset, Model},
    },
};

impl<M: Memory> State<M> {
    /// Registers what was uploaded, if its digest is the announced one and `audit` accepts it.
    ///
    /// On an error the upload stays as it was, so that wrong chunks can be put again.
    pub fn seal_upload(&mut self, context: &Context, key: UploadKey) -> Result<(), Error> {
        let caller = self.may_upload(context, key.kind)?;
        let (id, upload) = self.own_upload(context, key.kind, key.digest)?;
        self.not_registered(key.kind, key.digest)?;
        let content = upload.complete()?;
        let got = self.digest_of(&content)?.into();
        if got != key.digest {
            return Err(Error::DigestMismatch { expected: key.digest, got });
        }
        match key.kind {
            ArtefactKind::Dataset => {
                let dataset = self.check_dataset(context, content)?;
                self.put_dataset(key.digest, &dataset)?;
            }
            ArtefactKind::Proof | ArtefactKind::Log | ArtefactKind::Openings => {
                return Err(Error::WrongState {
                    what: key.kind.to_string(),
                    state: "not for sealing".to_owned(),
                    needed: "handed in for the audit that awaits it".to_owned(),
                });
            }
            ArtefactKind::Model | ArtefactKind::PrivateModel | ArtefactKind::LoggedModel => {
                let models = self.account(caller)?.models;
                check_quota("models", self.quotas.get()?.models.into(), models.into(), 1)?;
                let model = match key.kind {
                    ArtefactKind::Model => self.check_model(context, content)?,
                    ArtefactKind::LoggedModel => self.check_card(context, key.digest, content)?,
                    _ => self.private_record(context, content)?,
                };
                // Read now: a verification is charged to the account too.
                let mut account = self.account(caller)?;
                account.models += 1;
                self.accounts.put(caller, &account)?;
                if let Some(commitment) = model.commitment {
                    self.commitments.put(commitment.0, &key.digest)?;
                }
                self.put_model(key.digest, &model)?;
            }
        }
        self.uploads.remove(&id);
        Ok(())
    }

    fn check_dataset(&self, context: &Context, content: Content) -> Result<Dataset, Error> {
        let invalid = |cause: AuditError| Error::invalid("dataset", &cause);
        let mut prefix = vec![0; content.size.min(MAX_HEADER as u64) as usize];
        self.blocks.read(&content, 0, &mut prefix)?;
        let header = DatasetHeader::parse(&prefix).map_err(invalid)?;
        header.check_len(content.size).map_err(invalid)?;
        let mut rows = RowReader::new(&self.blocks, &content, &header);
        rows.all(|_, record| Row::parse(&header.schema, record).map(|_| ()).map_err(invalid))?;
        Ok(Dataset {
            owner: context.caller,
            name: header.schema.name.clone(),
            version: header.schema.version.clone(),
            manifest: Digest::of(&header.schema.manifest).into(),
            encoding: header.schema.encoding().into(),
            rows: header.rows,
            columns: header.schema.columns.len() as u32,
            header_bytes: header.len,
            registered_at_ns: context.now_ns,
            content,
        })
    }

    fn check_model(&self, context: &Context, content: Content) -> Result<Model, Error> {
        let bytes = self.blocks.read_all(&content)?;
        let model = audit::Model::parse(&bytes).map_err(|cause| Error::invalid("model", &cause))?;
        Ok(Model {
            owner: context.caller,
            name: model.name.clone(),
            source: model.source.into(),
            encoding: model.encoding.into(),
            classes: model.classes,
            inputs: model.inputs(),
            parameters: model.parameters(),
            layers: LayerSummary::of(&model),
            registered_at_ns: context.now_ns,
            audits: 0,
            content,
            commitment: None,
            logged: false,
            draws: 0,
        })
    }

    /// One card for an owner, a file and an encoding, or a language model and an item set: another name, threshold or
    /// parameter would begin its count of audits anew.
    fn check_card(
        &mut self,
        context: &Context,
        digest: DigestBytes,
        content: Content,
    ) -> Result<Model, Error> {
        let bytes = self.blocks.read_all(&content)?;
        let card = Card::parse(&bytes).map_err(|cause| refused("logged model", cause))?;
        let same = match &card.language {
            None => [&card.source.0[..], &card.encoding.0].concat(),
            // Another limit of tokens or text around prompts does not make it another model, another item set does: the
            // shuffle's seed is its digest.
            Some(language) => [language.model.identity().0, language.shuffle.seed.0].concat(),
        };
        let same = Digest::of_parts(&[context.caller.as_slice(), &same]);
        if let Some(model) = self.cards.get(&same.0)? {
            return Err(Error::WrongState {
                what: match card.language {
                    None => "your card for this file and encoding".to_owned(),
                    Some(_) => "your card for this language model and item set".to_owned(),
                },
                state: format!("registered as {model}"),
                needed: "new".to_owned(),
            });
        }
        self.cards.put(same.0, &digest)?;
        Ok(Model {
            owner: context.caller,
            name: card.name,
            source: card.source.into(),
            encoding: card.encoding.into(),
            classes: card.classes,
            inputs: card.inputs,
            parameters: 0,
            layers: Vec::new(),
            registered_at_ns: context.now_ns,
            audits: 0,
            content,
            commitment: None,
            logged: true,
            draws: 0,
        })
    }

    fn private_record(&mut self, context: &Context, content: Content) -> Result<Model, Error> {
        let bytes = self.blocks.read_all(&content)?;
        let (architecture, commitment) = self.check_private_model(context, &bytes)?;
        let summary = |layer: &LayerShape| {
            let LayerShape { inputs, units, shift, activation } = *layer;
            LayerSummary::new(inputs, units, shift, activation, &architecture.tables)
        };
        Ok(Model {
            owner: context.caller,
            name: architecture.name.clone(),
            source: DigestBytes([0; 32]),
            encoding: architecture.encoding.into(),
            classes: architecture.classes,
            inputs: architecture.inputs(),
            parameters: architecture.parameters(),
            layers: architecture.layers.iter().map(summary).collect(),
            registered_at_ns: context.now_ns,
            audits: 0,
            content,
            commitment: Some(commitment),
            logged: false,
            draws: 0,
        })
    }
}
