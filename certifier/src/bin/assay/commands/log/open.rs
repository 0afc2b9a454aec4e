use std::path::PathBuf;

use audit::{
    Digest,
    log::{MAX_OPENINGS, MAX_OPENINGS_FILE},
};
use certifier::{
    log::{Places, open},
    private,
};
use clap::Args;
use serde_json::json;

use crate::{
    failure::{Exit, Failure, Result},
    output::Output,
};

#[derive(Args)]
pub struct OpenArguments {
    /// Folder of a complete log
    folder: PathBuf,
    /// Rows of the dataset to open
    #[arg(long, value_name = "ROW", value_delimiter = ',', required_unless_present = "seed")]
    rows: Vec<u32>,
    /// Seed that draws what is opened: 64 hex digits
    #[arg(long, value_name = "HEX", requires = "count", conflicts_with = "rows")]
    seed: Option<Digest>,
    /// How many predictions the seed draws
    #[arg(long, requires = "seed", value_parser = clap::value_parser!(u32).range(1..=MAX_OPENINGS as i64))]
    count: Option<u32>,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

pub fn run(arguments: &OpenArguments, output: Output) -> Result<Exit> {
    let places = match (arguments.seed, arguments.count) {
        (Some(seed), Some(count)) => Places::Drawn { seed, count },
        _ => Places::Rows(arguments.rows.clone()),
    };
    let openings = open(&arguments.folder, &places)?;
    let json = serde_json::to_vec(&openings)?;
    // Transcripts of a language model can be long; nobody would read a longer file.
    if json.len() > MAX_OPENINGS_FILE {
        let what = format!("the openings would have {} bytes, more than {MAX_OPENINGS_FILE}", json.len());
        return Err(Failure::new(what, "open fewer at a time, with the same seed and a smaller --count"));
    }
    private::write(&arguments.output, &json)?;
    let document =
        json!({ "file": arguments.output, "root": openings.root, "openings": openings.openings.len() });
    output.result(&document, || {
        format!("{}: {} openings\n", arguments.output.display(), openings.openings.len())
    })?;
    Ok(Exit::Ok)
}
