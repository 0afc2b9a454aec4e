//! `assay language`: language models behind OpenAI-compatible endpoints, asked into prediction logs.

mod prompt;
mod report;
mod run;

use clap::Subcommand;

use crate::{
    failure::{Exit, Result},
    output::Output,
};

#[derive(Subcommand)]
pub enum LanguageCommand {
    /// Ask an endpoint every prompt of an item set and write every answer into a log
    #[command(after_help = "Examples:\n  \
        assay language run --items datasets/language/facts --model NAME \\\n      \
        --base-url http://127.0.0.1:8000/v1 --key-env '' -o facts.log\n  \
        assay language run --items datasets/language/german-sex --model NAME \\\n      \
        --base-url https://api.openai.com/v1 --audit-seed HEX --sample 200 \\\n      \
        --requests-per-minute 60 --max-requests 500 -o german.log\n\n\
        Interrupted, or out of budget, the same command goes on where it stopped: no answered prompt is\n\
        asked again. A call that gets no answer after all attempts counts as failed, an answer that is no\n\
        option as invalid; nothing is left out. Then `assay log sign`, `open` and `check` work on the folder.")]
    Run(Box<run::RunArguments>),
    /// Report coverage, format errors, accuracy, stereotype scores or change rates with 95 % intervals
    #[command(
        after_help = "Examples:\n  assay language report facts.log\n  assay language report statement.json --json"
    )]
    Report(report::ReportArguments),
    /// Show the prompts of an item, as a run would send them
    #[command(after_help = "Example:\n  assay language prompt datasets/language/german-sex --row 3")]
    Prompt(prompt::PromptArguments),
}

pub async fn run(command: LanguageCommand, output: Output) -> Result<Exit> {
    match command {
        LanguageCommand::Run(arguments) => run::run(&arguments, output).await,
        LanguageCommand::Report(arguments) => report::run(&arguments, output),
        LanguageCommand::Prompt(arguments) => prompt::run(&arguments, output),
    }
}
