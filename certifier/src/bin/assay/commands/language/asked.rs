use std::path::{Path, PathBuf};

use audit::{
    Dataset, Decimal, Digest,
    language::{EndpointFacts, ItemSet, LanguageFacts, TokenField},
    log::LogError,
};
use certifier::language::checked;
use clap::Args;

use crate::failure::Result;

/// What is asked, of whom and how: all that a registered language model fixes.
#[derive(Args)]
pub struct AskedArguments {
    /// Folder of an item set
    #[arg(long, value_name = "FOLDER")]
    items: PathBuf,
    /// What /chat/completions is appended to, e.g. http://127.0.0.1:8000/v1
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// The model's name at the endpoint
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Randomness of the answers; the endpoint's own with --no-temperature
    #[arg(long, default_value = "0", conflicts_with = "no_temperature")]
    temperature: Decimal,
    /// Send no temperature, for models that take none
    #[arg(long)]
    no_temperature: bool,
    /// Seed that the endpoint is sent
    #[arg(long)]
    seed: Option<u32>,
    /// Most tokens of an answer; one that is cut off counts as invalid
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_tokens: u32,
    /// Call that limit max_completion_tokens, as newer models of OpenAI want it
    #[arg(long)]
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

    /// Who is asked, and with which parameters.
    pub fn endpoint(&self) -> Result<EndpointFacts> {
        let facts = EndpointFacts {
            base_url: self.base_url.clone(),
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

    /// What a statement about a run says.
    pub fn facts(&self, dataset: &Dataset, set: &ItemSet) -> Result<LanguageFacts> {
        let facts = LanguageFacts::new(set, self.endpoint()?, self.shuffle_seed(dataset));
        Ok(facts.map_err(LogError::from)?)
    }
}
