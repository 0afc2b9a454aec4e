use serde::{Deserialize, Serialize};

use super::{
    FAILED, INVALID, ItemSet, LanguageError, MAX_AROUND, MAX_VARIANTS, Plan, SHUFFLE_RULE, TRANSCRIPT_FORMAT,
    answer::ANSWER_RULE, likelihood::LIKELIHOOD_RULE, manifest::Kind,
};
use crate::{AuditError, Decimal, Digest, Schema, canonical::to_canonical_json, codec};

/// How a language model was asked: part of a log's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LanguageFacts {
    /// What was asked.
    pub kind: Kind,
    /// Who was asked. The digest of this is the log's model.
    pub model: LanguageModel,
    /// Calls per item: one, or one per value of the varied field.
    pub calls: u8,
    /// SHA-256 of the items' file.
    pub items: Digest,
    /// The templates, in the order of their names.
    pub templates: Vec<TemplateFacts>,
    /// How options were ordered.
    pub shuffle: ShuffleFacts,
    /// [`ANSWER_RULE`] of an endpoint, [`LIKELIHOOD_RULE`] of a local model.
    pub answers: String,
    /// [`TRANSCRIPT_FORMAT`].
    pub transcripts: String,
}

/// A language model, and all that its answers depend on beside the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanguageModel {
    /// It answers in words, and nobody else can have it say the same again.
    Endpoint(EndpointFacts),
    /// It chooses by likelihood, and whoever has its files can run it again.
    Local(LocalFacts),
}

/// A causal language model in ONNX form, with what is put around a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalFacts {
    /// Its name, free text.
    pub name: String,
    /// SHA-256 of the ONNX file, which holds all weights.
    pub file: Digest,
    /// SHA-256 of the tokenizer's file.
    pub tokenizer: Digest,
    /// Text before the prompt, as a chat model wants it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// Text behind the prompt; the letter follows.
    pub after: String,
}

/// An endpoint as whoever asked it names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointFacts {
    /// What `/chat/completions` is appended to.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// Sent where it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Decimal>,
    /// Sent where it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// Most tokens of an answer.
    pub max_tokens: u32,
    /// The field that says so.
    pub max_tokens_field: TokenField,
}

/// What the limit of an answer's tokens is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenField {
    /// `max_tokens`, which nearly every server knows.
    MaxTokens,
    /// `max_completion_tokens`, which newer models of OpenAI want.
    MaxCompletionTokens,
}

/// A template by id and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateFacts {
    /// The id in its first line.
    pub id: String,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// How options were ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShuffleFacts {
    /// [`SHUFFLE_RULE`].
    pub rule: String,
    /// The seed.
    pub seed: Digest,
}

impl LanguageModel {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoint(endpoint) => &endpoint.model,
            Self::Local(local) => &local.name,
        }
    }

    /// The files, if it has some that can be run again.
    pub fn local(&self) -> Option<&LocalFacts> {
        match self {
            Self::Endpoint(_) => None,
            Self::Local(local) => Some(local),
        }
    }

    /// Id of the rule that makes options of what it says.
    pub fn answers(&self) -> &'static str {
        match self {
            Self::Endpoint(_) => ANSWER_RULE,
            Self::Local(_) => LIKELIHOOD_RULE,
        }
    }

    /// SHA-256 of the canonical JSON: what a log calls its model's digest.
    pub fn digest(&self) -> Result<Digest, AuditError> {
        Ok(Digest::of(&to_canonical_json("language model", self)?))
    }

    /// What makes it this model, without the parameters that it is asked with.
    pub fn identity(&self) -> Digest {
        match self {
            Self::Endpoint(endpoint) => {
                Digest::of_parts(&[endpoint.base_url.as_bytes(), b" ", endpoint.model.as_bytes()])
            }
            Self::Local(local) => local.file,
        }
    }

    fn check(&self) -> Result<(), LanguageError> {
        codec::check_text("model name", self.name())?;
        match self {
            Self::Endpoint(EndpointFacts { base_url, .. }) => {
                codec::check_text("base URL", base_url)?;
                if !is_base_url(base_url) {
                    let name = base_url.split('@').next_back().unwrap_or_default().to_owned();
                    return Err(AuditError::Unknown { what: "form of base URL", name }.into());
                }
            }
            Self::Local(LocalFacts { before, after, .. }) => {
                for (what, text) in [("text before a prompt", before), ("text behind a prompt", after)] {
                    codec::in_range(what, 0, MAX_AROUND as i64, text.len() as i64)?;
                    // Whoever reads a certificate must see it, as it is.
                    codec::check_shown(what, &text.replace(['\n', '\t'], " "))?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a URL is written as `https://host[:port][/path]` with nothing that could be left out or written otherwise: one
/// endpoint has one spelling, and no name or key is published.
pub fn is_base_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    // The colon of a port, not those of an address in brackets.
    let (name, port) = match host.rfind(':').filter(|&at| !host[at..].contains(']')) {
        Some(at) => (&host[..at], &host[at..]),
        None => (host, ""),
    };
    let number =
        port.strip_prefix(':').map(|digits| digits.parse().map(|port: u16| port.to_string() == digits));
    let segment = |segment: &str| !matches!(segment, "" | "." | "..");
    let plain = |character: char| character.is_ascii_graphic() && !"@?#%\\\"'<>`^{|}".contains(character);
    url.chars().all(plain)
        && !name.is_empty()
        && !name.ends_with('.')
        && !name.contains(|character: char| character.is_ascii_uppercase())
        && port != usual
        && number.is_none_or(|number| number == Ok(true))
        && path.is_none_or(|path| path.split('/').all(segment))
}

impl LanguageFacts {
    /// What a run over this item set says.
    pub fn new(set: &ItemSet, model: LanguageModel, seed: Digest) -> Result<Self, LanguageError> {
        let facts = Self {
            kind: set.plan().kind,
            calls: set.plan().calls(),
            answers: model.answers().to_owned(),
            model,
            items: set.plan().items.digest,
            templates: set.template_facts(),
            shuffle: ShuffleFacts { rule: SHUFFLE_RULE.to_owned(), seed },
            transcripts: TRANSCRIPT_FORMAT.to_owned(),
        };
        facts.check()?;
        Ok(facts)
    }

    /// Fails unless this version knows the rules and the texts are in bounds.
    pub fn check(&self) -> Result<(), LanguageError> {
        let rules = [
            ("shuffle rule", SHUFFLE_RULE, &self.shuffle.rule),
            ("answer rule", self.model.answers(), &self.answers),
            ("transcript format", TRANSCRIPT_FORMAT, &self.transcripts),
        ];
        for (what, expected, got) in rules {
            same(what, expected, got)?;
        }
        let (least, most) = if self.kind == Kind::Counterfactual { (2, MAX_VARIANTS as i64) } else { (1, 1) };
        codec::in_range("calls per item", least, most, self.calls.into())?;
        self.model.check()?;
        self.templates.iter().try_for_each(|template| codec::check_text("template id", &template.id))?;
        Ok(())
    }

    /// Fails unless what is asked is what the dataset's manifest names, in an order that nobody chose: the dataset's
    /// digest is the shuffle's seed.
    pub fn check_dataset(&self, schema: &Schema, dataset: Digest) -> Result<(), LanguageError> {
        let plan = Plan::of(schema)?;
        if self.kind != plan.kind {
            return Err(LanguageError::Dataset("its manifest names another kind of items"));
        }
        same("calls per item", plan.calls(), self.calls)?;
        same("items", plan.items.digest, self.items)?;
        let list =
            |digests: Vec<Digest>| digests.iter().map(Digest::to_string).collect::<Vec<_>>().join(", ");
        let expected = plan.templates.values().map(|template| template.digest).collect();
        let got = self.templates.iter().map(|template| template.digest).collect();
        same("templates", list(expected), list(got))?;
        same("shuffle seed", dataset, self.shuffle.seed)
    }

    /// Fails unless a statement with these classes can be about such items.
    pub fn check_classes(&self, classes: &[String]) -> Result<(), LanguageError> {
        let last =
            classes.last_chunk().is_some_and(|[invalid, failed]| invalid == INVALID && failed == FAILED);
        if !last || self.kind.options(classes.len()).is_none() {
            return Err(LanguageError::Dataset(
                "the classes are not those of its kind, with invalid and failed last",
            ));
        }
        Ok(())
    }

    /// Fails unless the statement is about this item set.
    pub fn check_set(&self, set: &ItemSet) -> Result<(), LanguageError> {
        let expected = Self::new(set, self.model.clone(), self.shuffle.seed)?;
        same("items", expected.items, self.items)?;
        let list = |facts: &Self| {
            let ids = facts.templates.iter().map(|template| format!("{} {}", template.id, template.digest));
            ids.collect::<Vec<_>>().join(", ")
        };
        same("templates", list(&expected), list(self))?;
        if expected != *self {
            return Err(LanguageError::Manifest("the statement is about another kind of items"));
        }
        Ok(())
    }
}

fn same(what: &'static str, expected: impl ToString, got: impl ToString) -> Result<(), LanguageError> {
    let (expected, got) = (expected.to_string(), got.to_string());
    if expected == got {
        return Ok(());
    }
    Err(LanguageError::Facts { what, expected, got: got.chars().take(codec::MAX_TEXT).collect() })
}
