//! Fixtures as datasets.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod onnx;

use std::{fmt, fs, path::Path};

use audit::{Column, Dataset, Decimal, Engine, Schema, dataset::DatasetBuilder};
use import::{ImportError, Imported, Options, import};
use serde_json::Value;

/// A model's rows and ONNX Runtime's answers.
pub struct Fixture {
    offsets: Vec<Decimal>,
    scales: Vec<Decimal>,
    inputs: Vec<Vec<Decimal>>,
    /// Class index per row.
    pub labels: Vec<u8>,
    /// Scores per row, or empty.
    pub scores: Vec<Vec<f64>>,
    /// What the model's outputs are.
    pub kind: String,
}

/// Why a model did not decide like its fixture.
pub struct Failure {
    /// The importer says that it does not support the model.
    pub unsupported: bool,
    text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The JSON file beside a model.
pub fn json(folder: &str, name: &str) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder).join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Errors that say "not supported", not "broken".
pub fn is_unsupported(error: &ImportError) -> bool {
    matches!(
        error,
        ImportError::UnsupportedOperator { .. }
            | ImportError::UnsupportedUse { .. }
            | ImportError::UnsupportedOpset { .. }
            | ImportError::Inputs { .. }
            | ImportError::BadInput { .. }
    )
}

/// A schema with these columns and classes `class 0`, `class 1` and so on.
pub fn schema(offsets: &[Decimal], scales: &[Decimal], classes: usize) -> Schema {
    let column = |(at, (offset, scale)): (usize, (&Decimal, &Decimal))| Column {
        name: format!("x{at}"),
        offset: *offset,
        scale: *scale,
    };
    Schema {
        name: "fixture".to_owned(),
        version: "1".to_owned(),
        manifest: vec![],
        columns: offsets.iter().zip(scales).enumerate().map(column).collect(),
        classes: (0..classes).map(|class| format!("class {class}")).collect(),
        favourable: 0,
        attributes: vec![],
    }
}

/// A dataset of encoded rows.
pub fn dataset(schema: &Schema, rows: &[Vec<i16>], labels: &[u8]) -> Dataset {
    let mut builder = DatasetBuilder::new(schema.clone()).unwrap();
    rows.iter().zip(labels).for_each(|(row, &label)| builder.push(row, label, &[]).unwrap());
    builder.build().unwrap()
}

/// Every `.onnx` file of a folder of fixtures, by name.
pub fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    names.sort();
    let read =
        |path: &Path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap());
    names.iter().map(|path| read(path)).collect()
}

/// A schema with `count` plain columns and some rows, for models that must be refused.
pub fn columns(count: usize) -> (Schema, Dataset) {
    let schema = schema(&vec![Decimal(0); count], &vec![Decimal(4096 * Decimal::ONE); count], 2);
    let rows: Vec<Vec<i16>> = (0..32)
        .map(|row| (0..count as i32).map(|at| ((row * 977 + at * 3571) % 8192 - 4096) as i16).collect())
        .collect();
    let dataset = dataset(&schema, &rows, &[0; 32]);
    (schema, dataset)
}

impl Fixture {
    /// Reads the JSON file of a model.
    pub fn read(folder: &str, name: &str) -> Self {
        let json = json(folder, name);
        // Inputs are binary fractions that print exactly.
        let decimal = |value: &Value| -> Decimal {
            let number = value
                .as_str()
                .map(str::to_owned)
                .unwrap_or_else(|| format!("{:.9}", value.as_f64().unwrap()));
            number.parse().unwrap()
        };
        let decimals = |value: &Value| value.as_array().unwrap().iter().map(decimal).collect::<Vec<_>>();
        Self {
            offsets: decimals(&json["offsets"]),
            scales: decimals(&json["scales"]),
            inputs: json["inputs"].as_array().unwrap().iter().map(decimals).collect(),
            labels: json["labels"]
                .as_array()
                .unwrap()
                .iter()
                .map(|label| label.as_u64().unwrap() as u8)
                .collect(),
            scores: json["scores"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| match row.as_array() {
                    Some(scores) => scores.iter().map(|score| score.as_f64().unwrap()).collect(),
                    None => vec![row.as_f64().unwrap()],
                })
                .collect(),
            kind: json["kind"].as_str().unwrap().to_owned(),
        }
    }

    /// Rows in raw units.
    pub fn raw(&self) -> Vec<Vec<f64>> {
        let real = |value: &Decimal| value.0 as f64 / Decimal::ONE as f64;
        self.inputs.iter().map(|row| row.iter().map(real).collect()).collect()
    }

    /// Schema and rows.
    pub fn dataset(&self) -> (Schema, Dataset) {
        let classes = usize::from(*self.labels.iter().max().unwrap()).max(1) + 1;
        let schema = schema(&self.offsets, &self.scales, classes);
        let encode = |row: &Vec<Decimal>| {
            let entries = row.iter().zip(&schema.columns).map(|(value, column)| {
                let exact = value.encode(column.offset, column.scale);
                i16::try_from(exact).unwrap()
            });
            entries.collect()
        };
        let rows: Vec<Vec<i16>> = self.inputs.iter().map(encode).collect();
        let dataset = dataset(&schema, &rows, &self.labels);
        (schema, dataset)
    }

    /// Imports the model; labels that are no indices are mapped in the model's order.
    pub fn import(&self, onnx: &[u8], options: &Options) -> Result<Imported, ImportError> {
        let (schema, rows) = self.dataset();
        match import(onnx, &schema, &rows, options) {
            Err(ImportError::Classes { labels, .. }) if labels.len() == schema.classes.len() => {
                let labels = labels.into_iter().zip(schema.classes.clone()).collect();
                import(onnx, &schema, &rows, &Options { labels, ..options.clone() })
            }
            result => result,
        }
    }

    /// Imports the model and compares every decision.
    pub fn check(&self, onnx: &[u8], options: &Options) -> Result<(), Failure> {
        let imported = self.import(onnx, options);
        let imported = imported
            .map_err(|error| Failure { unsupported: is_unsupported(&error), text: error.to_string() })?;
        let wrong = |text: String| Failure { unsupported: false, text };
        let (_, dataset) = self.dataset();
        let mut engine = Engine::new(&imported.model);
        for (row, &label) in self.labels.iter().enumerate() {
            let class = engine.decide(dataset.row(row as u32).unwrap().features());
            let class = class.map_err(|error| wrong(format!("row {row}: {error}")))?;
            if class != label {
                return Err(wrong(format!(
                    "row {row}: class {class}, not {label}; {:?}",
                    imported.report.runtime
                )));
            }
        }
        if imported.report.equal_decisions != imported.report.rows {
            return Err(wrong(format!("the oracle differs: {:?}", imported.report)));
        }
        Ok(())
    }
}
