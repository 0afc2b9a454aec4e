use std::path::PathBuf;

use audit::log::Signed;
use certifier::{identity, log::sign, private};
use clap::Args;
use serde_json::json;

use crate::{
    arguments::Global,
    failure::{Exit, Failure, Result},
    output::Output,
    time::now_ns,
};

#[derive(Args)]
pub struct SignArguments {
    /// Folder of a complete log
    folder: PathBuf,
    /// File to write; statement.json in the folder by default
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(global: &Global, arguments: &SignArguments, output: Output) -> Result<Exit> {
    let key = global.identity.as_ref().ok_or_else(|| {
        Failure::new("no key was named", "pass --identity FILE; `assay identity new FILE` makes one")
    })?;
    let envelope = sign(&arguments.folder, identity::load(key)?.as_ref(), now_ns())?;
    let path = arguments.output.clone().unwrap_or_else(|| arguments.folder.join("statement.json"));
    if path.exists() {
        output.note(format!(
            "{} is replaced: a statement that was published before stays as it was",
            path.display()
        ));
    }
    private::write(&path, &envelope)?;
    let signed = Signed::verify(&envelope)?;
    let log = &signed.statement().predicate.log;
    let document = json!({ "file": path, "statement": signed.digest(), "root": log.root, "size": log.size });
    output.result(&document, || format!("{}\nstatement {}\n", path.display(), signed.digest()))?;
    Ok(Exit::Ok)
}
