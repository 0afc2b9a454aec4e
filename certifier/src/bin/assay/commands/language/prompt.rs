use std::path::PathBuf;

use audit::Digest;
use certifier::language::read_items;
use clap::Args;
use serde_json::json;

use crate::{
    failure::{Exit, Failure, Result},
    output::Output,
};

#[derive(Args)]
pub struct PromptArguments {
    /// Folder of an item set
    items: PathBuf,
    /// Number of the item
    #[arg(long, default_value_t = 0)]
    row: u32,
    /// Seed that orders the options; the dataset's digest by default
    #[arg(long, value_name = "HEX")]
    shuffle_seed: Option<Digest>,
}

pub fn run(arguments: &PromptArguments, output: Output) -> Result<Exit> {
    let (dataset, set) = read_items(&arguments.items)?;
    let seed = arguments.shuffle_seed.unwrap_or_else(|| dataset.digest());
    let prompts: Vec<String> =
        (0..set.variants()).filter_map(|variant| set.prompt(&seed, arguments.row, variant)).collect();
    if prompts.is_empty() {
        let last = set.len() - 1;
        return Err(Failure::new(
            format!("there is no item {}", arguments.row),
            format!("items are 0 to {last}"),
        ));
    }
    let document = json!({ "item": arguments.row, "prompts": prompts });
    output.result(&document, || prompts.join("\n\n----\n\n"))?;
    Ok(Exit::Ok)
}
