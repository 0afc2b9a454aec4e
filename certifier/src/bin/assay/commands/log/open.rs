use std::path::PathBuf;

use audit::{Digest, log::MAX_OPENINGS};
use certifier::{
    log::{Places, open},
    private,
};
use clap::Args;
use serde_json::json;

use crate::{
    failure::{Exit, Result},
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
    private::write(&arguments.output, &serde_json::to_vec(&openings)?)?;
    let document =
        json!({ "file": arguments.output, "root": openings.root, "openings": openings.openings.len() });
    output.result(&document, || {
        format!("{}: {} openings\n", arguments.output.display(), openings.openings.len())
    })?;
    Ok(Exit::Ok)
}
