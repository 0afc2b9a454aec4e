use std::path::{Path, PathBuf};

use audit::{Digest, Model, Schema};
use certifier::{dataset, private};
use clap::Args;
use prover::Witness;
use serde_json::json;

use super::{
    model::read_model_file,
    private::{OwnedArguments, prover_setup},
};
use crate::{
    failure::{Exit, Failure, Result},
    output::Output,
    table::Table,
};

/// Longest file with features that is read, in bytes.
const MAX_FEATURES: u64 = 64 << 20;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
        assay infer --model logistic.assay-model --dataset datasets/german --rows 0,17\n  \
        assay infer --model logistic.assay-model --features applicant.json --prove -o prediction.json\n\n\
        Rows come from a dataset folder, or as integer features from a JSON file: [[1, 2, …], …], one list \
        a row, in the order of the model's columns. A proof shows that the registered, private model makes \
        these classes and outputs for these features; whoever asked can have it bound to their --context. \
        Needs no network.")]
pub struct InferArguments {
    #[command(flatten)]
    owned: OwnedArguments,
    /// Dataset folder whose rows are read
    #[arg(long, value_name = "FOLDER", requires = "rows")]
    dataset: Option<PathBuf>,
    /// Rows of the dataset, from 0
    #[arg(long, value_name = "ROW", value_delimiter = ',', requires = "dataset")]
    rows: Vec<u32>,
    /// JSON file with integer features
    #[arg(long, value_name = "FILE", required_unless_present = "dataset", conflicts_with = "dataset")]
    features: Option<PathBuf>,
    /// Prove that the registered private model makes these predictions
    #[arg(long)]
    prove: bool,
    /// 32 bytes that the proof is bound to, as 64 hex digits, e.g. the SHA-256 of a request
    #[arg(long, value_name = "HEX", requires = "prove")]
    context: Option<Digest>,
    /// File for predictions and proof
    #[arg(long, short, value_name = "FILE", requires = "prove")]
    output: Option<PathBuf>,
}

pub fn run(arguments: InferArguments, output: Output) -> Result<Exit> {
    let (_, model) = read_model_file(&arguments.owned.model)?;
    let (features, classes) = match &arguments.dataset {
        Some(folder) => rows(folder, &arguments.rows, &model)?,
        None => (read_features(arguments.features.as_deref().unwrap_or(Path::new("")))?, None),
    };
    check(&features, &model)?;
    if !arguments.prove {
        let witness = Witness::new(&model, &features.concat()).map_err(private::PrivateError::from)?;
        let outputs: Vec<Vec<i16>> = {
            let units = model.layers.last().map_or(1, |layer| layer.units as usize);
            witness.outputs(&model).chunks_exact(units).map(<[i16]>::to_vec).collect()
        };
        let document = json!({ "classes": witness.decisions, "outputs": outputs });
        output
            .result(&document, || predictions_text(&witness.decisions, &outputs, classes.as_deref(), None))?;
        return Ok(Exit::Ok);
    }
    let setup = prover_setup()?;
    let owned = arguments.owned.read(&setup)?;
    let spinner = output.spinner("proving");
    let context = arguments.context.unwrap_or(Digest([0; 32]));
    let prediction = owned.prove_prediction(&setup, context, features)?;
    drop(spinner);
    match &arguments.output {
        Some(path) => {
            private::write(path, prediction.to_json().as_bytes())?;
            output.result(&json!({ "file": path, "prediction": prediction }), || {
                predictions_text(&prediction.classes, &prediction.outputs, classes.as_deref(), Some(path))
            })?;
        }
        None => output.result(&prediction, || prediction.to_json())?,
    }
    Ok(Exit::Ok)
}

type Rows = (Vec<Vec<i16>>, Option<Vec<String>>);

fn rows(folder: &Path, rows: &[u32], model: &Model) -> Result<Rows> {
    let dataset = dataset::read(folder)?;
    let schema: &Schema = dataset.schema();
    if schema.encoding() != model.encoding {
        return Err(Failure::new(
            format!("the model was made for features encoded otherwise than in {}", folder.display()),
            "pass the dataset that it was imported for, or one with the same columns",
        ));
    }
    let read = |&row: &u32| match dataset.row(row) {
        Some(row) => Ok(row.features().collect()),
        None => Err(Failure::new(
            format!("there is no row {row}"),
            format!("{} has rows 0 to {}", folder.display(), dataset.rows() - 1),
        )),
    };
    Ok((rows.iter().map(read).collect::<Result<_>>()?, Some(schema.classes.clone())))
}

fn read_features(path: &Path) -> Result<Vec<Vec<i16>>> {
    let bytes = private::read(path, MAX_FEATURES)?;
    serde_json::from_slice(&bytes).map_err(|cause| {
        Failure::new(
            format!("{} holds no features: {cause}", path.display()),
            "a list of rows, each a list of integers from -32767 to 32767: [[1, 2], [3, 4]]",
        )
    })
}

fn check(features: &[Vec<i16>], model: &Model) -> Result<()> {
    if features.is_empty() {
        return Err(Failure::new("there is no row", "name at least one"));
    }
    let inputs = model.inputs() as usize;
    for (index, row) in features.iter().enumerate() {
        if row.len() != inputs {
            return Err(Failure::new(
                format!("row {index} has {} features, the model reads {inputs}", row.len()),
                "give the features in the order of the model's columns; `assay dataset show` lists them",
            ));
        }
        if row.contains(&i16::MIN) {
            return Err(Failure::new(
                format!("row {index} has a feature of {}", i16::MIN),
                "features are from -32767 to 32767",
            ));
        }
    }
    Ok(())
}

/// Predictions as a table.
pub fn predictions_text(
    decided: &[u8],
    outputs: &[Vec<i16>],
    classes: Option<&[String]>,
    file: Option<&Path>,
) -> String {
    let mut table = Table::new(&[">row", "class", "outputs"]);
    for (index, (&class, outputs)) in decided.iter().zip(outputs).enumerate() {
        let name = classes.and_then(|classes| classes.get(usize::from(class)));
        let outputs: Vec<String> = outputs.iter().map(ToString::to_string).collect();
        table.row([
            index.to_string(),
            name.map_or_else(|| class.to_string(), |name| format!("{class} ({name})")),
            outputs.join(" "),
        ]);
    }
    table.render(0) + &file.map(|file| format!("{}\n", file.display())).unwrap_or_default()
}
