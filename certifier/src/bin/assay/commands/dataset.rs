use std::path::{Path, PathBuf};

use audit::{Dataset, Digest};
use certifier::{client::Outcome, dataset};
use clap::Subcommand;
use interface::{ArtefactKind, DatasetRecord, DatasetsRequest};
use serde_json::json;

use super::reference;
use crate::{
    arguments::Global,
    failure::{Exit, Result},
    output::Output,
    session, show,
    table::Table,
    time::utc,
};

#[derive(Subcommand)]
pub enum DatasetCommand {
    /// Encode a dataset folder, upload it and seal it (registrars only)
    #[command(after_help = "Example:\n  \
        assay dataset add datasets/german\n\n\
        A folder holds croissant.json and the table that its assay:audit block names; docs/datasets.md \
        specifies both. An interrupted upload goes on where it stopped when the command is run again.")]
    Add {
        /// Folder, or the manifest in it
        folder: PathBuf,
    },
    /// List registered datasets
    List {
        /// Only with this in name or version
        text: Option<String>,
    },
    /// Show a dataset folder (offline), or a registered dataset by digest or name
    Show {
        /// Folder, digest or name
        dataset: String,
        /// Print the Croissant manifest instead
        #[arg(long)]
        manifest: bool,
    },
}

pub async fn run(global: &Global, command: DatasetCommand, output: Output) -> Result<Exit> {
    match command {
        DatasetCommand::Add { folder } => add(global, &folder, output).await?,
        DatasetCommand::List { text } => list(global, text, output).await?,
        DatasetCommand::Show { dataset, manifest } => show(global, &dataset, manifest, output).await?,
    }
    Ok(Exit::Ok)
}

async fn add(global: &Global, folder: &Path, output: Output) -> Result<()> {
    let dataset = dataset::read(folder)?;
    let client = session::client(global, output).await?;
    let bar = output.bar("uploading dataset", true);
    let mut progress = |done, total| bar.set(done, total);
    let outcome = client.upload(ArtefactKind::Dataset, dataset.bytes(), &mut progress).await?;
    drop(bar);
    let digest = dataset.digest();
    match outcome {
        Outcome::Registered => output.note(format!("registered {} rows", dataset.rows())),
        Outcome::AlreadyThere => output.note("registered before; nothing was sent"),
    }
    let document = json!({
        "digest": digest,
        "rows": dataset.rows(),
        "bytes": dataset.bytes().len(),
        "registered": outcome == Outcome::Registered,
    });
    output.result(&document, || digest.to_string())
}

async fn list(global: &Global, text: Option<String>, output: Output) -> Result<()> {
    let client = session::client(global, output).await?;
    let mut records: Vec<DatasetRecord> = Vec::new();
    let mut after = None;
    loop {
        let request = DatasetsRequest { text: text.clone(), after, ..Default::default() };
        let page = client.datasets(request).await?;
        records.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    output.result(&records.iter().map(show::dataset_record).collect::<Vec<_>>(), || {
        let mut table = Table::new(&["digest", "name", "version", ">rows", ">columns", "registered"]);
        for record in &records {
            table.row([
                record.digest.to_string(),
                record.name.clone(),
                record.version.clone(),
                record.rows.to_string(),
                record.columns.to_string(),
                utc(record.registered_at_ns),
            ]);
        }
        table.render(0)
    })
}

async fn show(global: &Global, named: &str, manifest: bool, output: Output) -> Result<()> {
    if Path::new(named).exists() {
        return show_dataset(&dataset::read(Path::new(named))?, manifest, output);
    }
    let client = session::client(global, output).await?;
    let record = reference::dataset(&client, named).await?;
    let bar = output.bar("downloading dataset", true);
    let digest = Digest::from(record.digest);
    let bytes =
        client.download(ArtefactKind::Dataset, digest, &mut |done, total| bar.set(done, total)).await?;
    drop(bar);
    let dataset = Dataset::parse(bytes).map_err(anyhow::Error::from)?;
    show_dataset(&dataset, manifest, output)
}

fn show_dataset(dataset: &Dataset, manifest: bool, output: Output) -> Result<()> {
    if manifest {
        let document: serde_json::Value = serde_json::from_slice(&dataset.schema().manifest)?;
        return output.result(&document, || String::from_utf8_lossy(&dataset.schema().manifest).into_owned());
    }
    output.result(&show::dataset(dataset), || show::dataset_text(dataset))
}
