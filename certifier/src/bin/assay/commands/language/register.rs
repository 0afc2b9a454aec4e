use audit::log::{CARD_FORMAT, Card};
use certifier::language::{decision, read_items};
use clap::Args;
use interface::ArtefactKind;

use super::asked::AskedArguments;
use crate::{
    arguments::Global,
    commands::model::register,
    failure::{Exit, Result},
    output::Output,
};

#[derive(Args)]
pub struct RegisterArguments {
    #[command(flatten)]
    asked: AskedArguments,
    /// Name of the registered model; --model by default
    #[arg(long)]
    name: Option<String>,
}

/// Registers who is asked what and how, not what will be answered.
pub async fn run(global: &Global, arguments: &RegisterArguments, output: Output) -> Result<Exit> {
    let (dataset, set) = read_items(arguments.asked.items())?;
    let (schema, model) = (dataset.schema(), arguments.asked.model()?);
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
    register(global, ArtefactKind::LoggedModel, &card.to_json()?, &card.name, output).await?;
    Ok(Exit::Ok)
}
