//! `assay language`: language models behind OpenAI-compatible endpoints, or in ONNX files, asked into prediction logs.

mod asked;
mod prompt;
mod register;
mod report;
mod run;

use audit::language::Answer;
use certifier::language::{LanguageRunError, NoAnswer};
use clap::Subcommand;

pub use asked::open_local;

use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
};

#[derive(Subcommand)]
pub enum LanguageCommand {
    /// Ask an endpoint or a local model every prompt of an item set and write every answer into a log
    #[command(after_help = "Examples:\n  \
        assay language run --items datasets/language/facts --model NAME \\\n      \
        --base-url http://127.0.0.1:8000/v1 --key-env '' -o facts.log\n  \
        assay language run --items datasets/language/german-sex --model NAME \\\n      \
        --base-url https://api.openai.com/v1 --audit-seed HEX --sample 200 \\\n      \
        --requests-per-minute 60 --max-requests 500 -o german.log\n  \
        assay language run --items datasets/language/german-sex --model credit-letters \\\n      \
        --local datasets/language/models/credit-letters/model.onnx -o letters.log\n\n\
        An endpoint answers in words; a local model, run by ONNX Runtime, chooses the option whose letter \
        is likelier. Interrupted, or out of budget, the same command goes on where it stopped: no answered \
        prompt is asked again. A call that gets no answer after all attempts counts as failed, an answer \
        that is no option as invalid; nothing is left out. Then `assay log sign`, `open` and `check` work \
        on the folder; with --audit, for a model that was registered, `assay log submit` hands it in.")]
    Run(Box<run::RunArguments>),
    /// Register a language model: where or in which files it is, how it is asked; you become its owner
    #[command(after_help = "Examples:\n  \
        assay language register --items datasets/language/facts --model NAME \\\n      \
        --base-url https://api.openai.com/v1 --identity me.pem\n  \
        assay language register --items datasets/language/german-sex --model credit-letters \\\n      \
        --local datasets/language/models/credit-letters/model.onnx --identity me.pem\n\n\
        Nothing is asked of an endpoint, a local model runs the first item, and no file leaves this computer. What was registered cannot change: an audit's \
        log must have been made with just these parameters or files, prompts and items, which must be a \
        registered dataset (`assay dataset add`). Nobody can have an endpoint say the same again, so its \
        certificate is `attested` at most; of a local model, an auditor who has the files runs what was \
        opened (`assay log confirm`).")]
    Register(Box<register::RegisterArguments>),
    /// Report coverage, format errors, accuracy, stereotype scores or change rates with 95 % intervals
    #[command(
        after_help = "Examples:\n  assay language report facts.log\n  assay language report statement.json --json"
    )]
    Report(report::ReportArguments),
    /// Show the prompts of an item, as a run would send them; with --local, what the model makes of them
    #[command(after_help = "Examples:\n  assay language prompt datasets/language/german-sex --row 3\n  \
        assay language prompt datasets/language/german-sex --row 3 \\\n      \
        --local datasets/language/models/credit-letters/model.onnx\n\n\
        With --local, the whole text is shown with its tokens and the probability of each letter: look whether --before and \
        --after suit the model before it is registered.")]
    Prompt(Box<prompt::PromptArguments>),
}

/// Why a local model has no answer, to whoever asked for one.
fn no_answer(none: NoAnswer) -> LanguageRunError {
    match none {
        NoAnswer::Text(cause) | NoAnswer::Model(cause) => cause.into(),
    }
}

/// The probabilities that a local model gives the letters, in the order shown.
fn shares(answer: &Answer) -> String {
    let share = |(letter, one): (char, &i64)| format!("{letter} {:.4}", (*one as f64 / 1e6).exp());
    let shares = ('A'..='Z').zip(&answer.likelihoods).map(share);
    shares.collect::<Vec<_>>().join(", ")
}

pub async fn run(global: &Global, command: LanguageCommand, output: Output) -> Result<Exit> {
    match command {
        LanguageCommand::Run(arguments) => run::run(global, &arguments, output).await,
        LanguageCommand::Register(arguments) => register::run(global, &arguments, output).await,
        LanguageCommand::Report(arguments) => report::run(&arguments, output),
        LanguageCommand::Prompt(arguments) => prompt::run(&arguments, output),
    }
}
