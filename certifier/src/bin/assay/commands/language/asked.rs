use std::path::{Path, PathBuf};

use audit::{
    Dataset, Decimal, Digest,
    codec::check_shown,
    language::{EndpointFacts, ItemSet, LanguageFacts, LanguageModel, LocalFacts, MAX_AROUND, TokenField},
    log::LogError,
};
use certifier::language::{Local, LocalFiles, checked};
use clap::{ArgGroup, Args};

use crate::{
    commands::log::RuntimeArguments,
    failure::{Failure, Result},
};

/// Behind a prompt, where nothing else is said.
const AFTER: &str = "\\nAnswer: ";

/// Heading of options that only an endpoint has.
pub const ENDPOINT: &str = "Options of endpoints";
/// Heading of those that only a local model has.
const LOCAL: &str = "Options of local models";

/// What is asked, of whom and how: all that a registered language model fixes.
#[derive(Args)]
#[command(group = ArgGroup::new("asked").required(true).args(["base_url", "local"]))]
pub struct AskedArguments {
    /// Folder of an item set
    #[arg(long, value_name = "FOLDER")]
    items: PathBuf,
    /// What /chat/completions is appended to, e.g. http://127.0.0.1:8000/v1
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The model's name at the endpoint; of a local model any name
    #[arg(long, value_name = "NAME")]
    model: String,
    #[command(flatten)]
    local: LocalArguments,
    /// Randomness of the answers; the endpoint's own with --no-temperature
    #[arg(long, default_value = "0", conflicts_with_all = ["no_temperature", "local"], help_heading = ENDPOINT)]
    temperature: Decimal,
    /// Send no temperature, for models that take none
    #[arg(long, conflicts_with = "local", help_heading = ENDPOINT)]
    no_temperature: bool,
    /// Seed that the endpoint is sent
    #[arg(long, requires = "base_url", help_heading = ENDPOINT)]
    seed: Option<u32>,
    /// Most tokens of an answer; one that is cut off counts as invalid
    #[arg(long, default_value_t = 256, conflicts_with = "local", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = ENDPOINT)]
    max_tokens: u32,
    /// Call that limit max_completion_tokens, as newer models of OpenAI want it
    #[arg(long, conflicts_with = "local", help_heading = ENDPOINT)]
    max_completion_tokens: bool,
    /// Seed that orders the options of every item; the dataset's digest by default
    #[arg(long, value_name = "HEX")]
    shuffle_seed: Option<Digest>,
}

impl AskedArguments {
    /// The item set's folder.
    pub fn items(&self) -> &Path {
        &self.items
    }

    /// The files of a local model, if one is meant, with what is said about it.
    pub fn local(&self) -> Result<Option<(LocalFiles, LocalFacts)>> {
        self.local.read(&self.model)
    }

    /// The endpoint, and with which parameters it is asked.
    pub fn endpoint(&self) -> Result<EndpointFacts> {
        let facts = EndpointFacts {
            base_url: self.base_url.clone().unwrap_or_default(),
            model: self.model.clone(),
            temperature: (!self.no_temperature).then_some(self.temperature),
            seed: self.seed,
            max_tokens: self.max_tokens,
            max_tokens_field: match self.max_completion_tokens {
                true => TokenField::MaxCompletionTokens,
                false => TokenField::MaxTokens,
            },
        };
        Ok(checked(facts)?.0)
    }

    /// What orders the options.
    pub fn shuffle_seed(&self, dataset: &Dataset) -> Digest {
        self.shuffle_seed.unwrap_or_else(|| dataset.digest())
    }

    /// Who is asked.
    pub fn model(&self) -> Result<LanguageModel> {
        Ok(match self.local()? {
            Some((_, facts)) => LanguageModel::Local(facts),
            None => LanguageModel::Endpoint(self.endpoint()?),
        })
    }

    /// What a statement about a run of this model says.
    pub fn facts(&self, dataset: &Dataset, set: &ItemSet, model: LanguageModel) -> Result<LanguageFacts> {
        let facts = LanguageFacts::new(set, model, self.shuffle_seed(dataset));
        Ok(facts.map_err(LogError::from)?)
    }
}

/// A language model in files.
#[derive(Args)]
pub struct LocalArguments {
    /// ONNX file of a local language model, which is asked in the place of an endpoint
    #[arg(long, value_name = "FILE")]
    local: Option<PathBuf>,
    /// Its tokenizer.json; beside the ONNX file or one folder above by default
    #[arg(long, value_name = "FILE", requires = "local", help_heading = LOCAL)]
    tokenizer: Option<PathBuf>,
    /// Text before every prompt, as a chat model wants it; \n is a line break
    #[arg(long, value_name = "TEXT", requires = "local", default_value = "", hide_default_value = true, value_parser = unescaped, help_heading = LOCAL)]
    before: String,
    /// Text behind every prompt, which the letter follows; \n is a line break
    #[arg(long, value_name = "TEXT", requires = "local", default_value = AFTER, value_parser = unescaped, help_heading = LOCAL)]
    after: String,
}

impl LocalArguments {
    /// The files, if any are named, with what is said about them.
    pub fn read(&self, name: &str) -> Result<Option<(LocalFiles, LocalFacts)>> {
        let Some(file) = &self.local else { return Ok(None) };
        let files = LocalFiles::read(file, self.tokenizer.as_deref())?;
        let facts = files.facts(name, &self.before, &self.after);
        Ok(Some((files, facts)))
    }
}

/// The model that a log is of, from files that its owner gave.
pub fn open_local(
    facts: &LanguageFacts,
    file: &Path,
    tokenizer: Option<&Path>,
    runtime: &RuntimeArguments,
) -> Result<Local> {
    let local = facts.model.local().ok_or_else(|| {
        Failure::new(
            "the log is of a language model behind an endpoint; there is no file to run again",
            "leave --model out; with the item set, opened transcripts are checked",
        )
    })?;
    Ok(LocalFiles::read(file, tokenizer)?.load(local, &runtime.request())?)
}

/// `\n`, `\t` and `\\`, which few shells let anybody type.
fn unescaped(text: &str) -> std::result::Result<String, String> {
    let mut characters = text.chars();
    let mut found = String::new();
    while let Some(character) = characters.next() {
        found.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('\\') => '\\',
                _ => return Err("behind a \\ must be n, t or another \\".to_owned()),
            },
            other => other,
        });
    }
    if found.len() > MAX_AROUND {
        return Err(format!("it has {} bytes, at most {MAX_AROUND} are allowed", found.len()));
    }
    check_shown("text", &found.replace(['\n', '\t'], " "))
        .map_err(|_| "a control character, or one that cannot be seen, must not be in it".to_owned())?;
    Ok(found)
}
