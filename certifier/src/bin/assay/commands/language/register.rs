use audit::{
    Dataset,
    language::{ItemSet, LanguageModel, LocalFacts},
    log::{CARD_FORMAT, Card},
};
use certifier::language::{LocalFiles, decision, is_unlikely, read_items};
use clap::Args;
use interface::ArtefactKind;

use super::{asked::AskedArguments, no_answer, shares};
use crate::{
    arguments::Global,
    commands::{log::RuntimeArguments, model::register},
    failure::{Exit, Failure, Result},
    output::Output,
};

#[derive(Args)]
pub struct RegisterArguments {
    #[command(flatten)]
    asked: AskedArguments,
    #[command(flatten)]
    runtime: RuntimeArguments,
    /// Register a local model also where its letters are very unlikely behind the first item
    #[arg(long, requires = "local")]
    anyway: bool,
    /// Name of the registered model; --model by default
    #[arg(long)]
    name: Option<String>,
}

/// Runs a model's first item, since what is registered cannot be changed afterwards.
fn tried(
    arguments: &RegisterArguments,
    files: LocalFiles,
    facts: LocalFacts,
    dataset: &Dataset,
    set: &ItemSet,
    output: Output,
) -> Result<LocalFacts> {
    let spinner = output.spinner("running the first item");
    let local = files.load(&facts, &arguments.runtime.request())?;
    let prompt = set.prompt(&dataset.digest(), 0, 0).unwrap_or_default();
    let answer = local.answer(set, 0, &prompt).map_err(no_answer)?;
    drop(spinner);
    if is_unlikely(&answer) && !arguments.anyway {
        return Err(Failure::new(
            format!(
                "behind item 0 the letters have probabilities {}: the model would say something else",
                shares(&answer)
            ),
            "look at `assay language prompt --local`: do --before, --after and the tokenizer suit the model? What is registered is \
             final; --anyway registers it as it is",
        ));
    }
    output.note(format!("behind item 0 the letters have probabilities {}", shares(&answer)));
    Ok(facts)
}

/// Registers who is asked what and how, not what will be answered.
pub async fn run(global: &Global, arguments: &RegisterArguments, output: Output) -> Result<Exit> {
    let (dataset, set) = read_items(arguments.asked.items())?;
    if arguments.asked.shuffle_seed(&dataset) != dataset.digest() {
        return Err(Failure::new(
            "an audit shuffles by the dataset's digest: another seed could be chosen for its answers",
            "leave --shuffle-seed out",
        ));
    }
    let model = match arguments.asked.local()? {
        Some((files, facts)) => LanguageModel::Local(tried(arguments, files, facts, &dataset, &set, output)?),
        None => LanguageModel::Endpoint(arguments.asked.endpoint()?),
    };
    let schema = dataset.schema();
    let card = Card {
        format: CARD_FORMAT.to_owned(),
        name: arguments.name.clone().unwrap_or_else(|| model.name().to_owned()),
        source: model.digest().map_err(anyhow::Error::from)?,
        encoding: schema.encoding(),
        classes: u8::try_from(schema.classes.len()).map_err(anyhow::Error::from)?,
        inputs: u32::try_from(schema.columns.len()).map_err(anyhow::Error::from)?,
        decision: decision(),
        language: Some(arguments.asked.facts(&dataset, &set, model)?),
    };
    output.note("what is registered cannot be changed: an owner has one card for a model and item set");
    register(global, ArtefactKind::LoggedModel, &card.to_json()?, &card.name, output).await?;
    Ok(Exit::Ok)
}
