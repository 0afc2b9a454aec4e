//! Runs a model on rows, batch by batch, and writes every prediction down before the next batch.

use std::path::Path;

use audit::{
    Counts, Dataset, Digest,
    log::{Predictions, Record, Rows, Tree, output_digest, salt},
};

use super::{LogRunError, Named, Parameters, Source, folder::Folder, runner::Runner};

/// Id of the folder's form.
pub const FORMAT: &str = "assay log run 1";

/// What to run.
#[derive(Debug)]
pub struct Job<'a> {
    /// Name of the model.
    pub model_name: &'a str,
    /// The model.
    pub source: Source<'a>,
    /// The dataset.
    pub dataset: &'a Dataset,
    /// Its rows to run.
    pub rows: Rows,
    /// Rows of one call.
    pub batch: u32,
}

/// A complete log.
#[derive(Debug)]
pub struct Finished {
    /// What was run.
    pub parameters: Parameters,
    /// Root of the tree.
    pub root: Digest,
    /// Predictions in the log.
    pub size: u32,
    /// Predictions that were there when this run began.
    pub resumed_at: u32,
}

/// Runs a job in a folder, or what is left of it; `progress` is told predictions made and to be made.
pub fn run(folder: &Path, job: &Job, progress: &mut dyn FnMut(u64, u64)) -> Result<Finished, LogRunError> {
    let folder = Folder::new(folder);
    let schema = job.dataset.schema();
    let rows = job.rows.expand(job.dataset.rows())?;
    let mut runner = job.source.open(job.dataset)?;
    let parameters = parameters(job, &runner)?;
    folder.begin(&parameters)?;
    let secret = folder.secret()?;
    let width = runner.width();

    let mut appender = folder.appender()?;
    let done = appender.recover(4 * width as u64, job.batch, rows.len() as u32)?;
    let mut counts = Counts::new(schema);
    let mut count = |record: &Record| {
        let row = job.dataset.row(record.row).ok_or(LogRunError::NoRow(record.row))?;
        Ok::<_, LogRunError>(counts.record(row.groups, row.label, record.class)?)
    };
    let mut leaves = Vec::with_capacity(rows.len());
    for record in written(&folder, job.dataset, &rows, &secret, width)? {
        count(&record)?;
        leaves.push(record.leaf());
    }

    for batch in rows[done as usize..].chunks(job.batch as usize) {
        progress(leaves.len() as u64, rows.len() as u64);
        let predictions = runner.run(job.dataset, batch)?;
        let outputs: Vec<u8> = predictions.scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        let mut records = Vec::with_capacity(batch.len() * Record::LEN);
        for (at, (&row, &class)) in batch.iter().zip(&predictions.classes).enumerate() {
            let output = &outputs[4 * width * at..][..4 * width];
            let input = job.dataset.record(row).map(Digest::of).ok_or(LogRunError::NoRow(row))?;
            let output = output_digest(&salt(&secret, leaves.len() as u32), output);
            let record = Record { row, input, output, class };
            count(&record)?;
            leaves.push(record.leaf());
            records.extend_from_slice(&record.to_bytes());
        }
        appender.append(&records, &outputs)?;
    }
    progress(rows.len() as u64, rows.len() as u64);
    folder.write_counters(counts.counters())?;
    let size = leaves.len() as u32;
    Ok(Finished { parameters, root: Tree::new(leaves).root(), size, resumed_at: done })
}

/// The records of a folder; fails when one is not what this run would have written.
fn written(
    folder: &Folder,
    dataset: &Dataset,
    rows: &[u32],
    secret: &[u8; 32],
    width: usize,
) -> Result<Vec<Record>, LogRunError> {
    let (records, outputs) = (Record::parse_all(&folder.records()?)?, folder.outputs()?);
    for (index, (record, &row)) in records.iter().zip(rows).enumerate() {
        let output = outputs.get(4 * width * index..).and_then(|rest| rest.get(..4 * width));
        let output = output.map(|output| output_digest(&salt(secret, index as u32), output));
        let input = dataset.record(row).map(Digest::of);
        if record.row != row || Some(record.input) != input || Some(record.output) != output {
            return Err(LogRunError::Damaged { folder: folder.path().to_owned(), index: index as u32 });
        }
    }
    Ok(records)
}

fn parameters(job: &Job, runner: &Runner) -> Result<Parameters, LogRunError> {
    let schema = job.dataset.schema();
    Ok(Parameters {
        format: FORMAT.to_owned(),
        model: Named { name: job.model_name.to_owned(), digest: job.source.digest() },
        dataset: Named { name: schema.name.clone(), digest: job.dataset.digest() },
        dataset_rows: job.dataset.rows(),
        rows: job.rows.clone(),
        classes: schema.classes.clone(),
        favourable: schema.classes[usize::from(schema.favourable)].clone(),
        attributes: Predictions::attributes_of(schema),
        scores: runner.width() as u32,
        decision: runner.decision()?,
        runtime: runner.facts(job.batch),
        language: None,
    })
}
