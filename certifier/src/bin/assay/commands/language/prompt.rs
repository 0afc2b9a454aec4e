use std::path::PathBuf;

use audit::{Digest, language::ItemSet};
use certifier::language::{Local, LocalFiles, read_items};
use clap::Args;
use serde_json::{Value, json};

use super::{asked::LocalArguments, no_answer, shares};
use crate::{
    commands::log::RuntimeArguments,
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
    #[command(flatten)]
    local: LocalArguments,
    #[command(flatten)]
    runtime: RuntimeArguments,
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
    let Some((files, facts)) = arguments.local.read("model")? else {
        let document = json!({ "item": arguments.row, "prompts": prompts });
        output.result(&document, || prompts.join("\n\n----\n\n"))?;
        return Ok(Exit::Ok);
    };
    let local = LocalFiles::load(files, &facts, &arguments.runtime.request())?;
    let seen: Vec<(Value, String)> =
        prompts.iter().map(|prompt| seen(&local, &set, arguments.row, prompt)).collect::<Result<_>>()?;
    let (documents, texts): (Vec<_>, Vec<_>) = seen.into_iter().unzip();
    output.result(&json!({ "item": arguments.row, "prompts": prompts, "local": documents }), || {
        texts.join("\n\n----\n\n")
    })?;
    Ok(Exit::Ok)
}

/// What a local model makes of a prompt: its whole text, its tokens, and what comes next.
fn seen(local: &Local, set: &ItemSet, row: u32, prompt: &str) -> Result<(Value, String)> {
    let (text, tokens) = (local.text(prompt), local.pieces(prompt)?);
    let answer = local.answer(set, row, prompt).map_err(no_answer)?;
    let shown = format!(
        "{text}\n\n{} tokens: {}\nprobabilities of the letters: {}",
        tokens.len(),
        tokens.join(" "),
        shares(&answer)
    );
    let document = json!({ "text": text, "tokens": tokens, "likelihoods": answer.likelihoods });
    Ok((document, shown))
}
