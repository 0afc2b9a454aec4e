//! The table: header, digest, and every row through the manifest's rules.

use std::path::Path;

use audit::{Dataset, Digest, dataset::DatasetBuilder};
use csv::{ByteRecord, ReaderBuilder};

use super::{
    CellProblem, DatasetError, HeaderProblem, MAX_FIELD,
    manifest::Plan,
    rule::{Feature, Groups},
};

/// Columns listed by an error.
const MAX_LISTED: usize = 40;

/// Turns the table's bytes into a dataset; fails at the first value that does not fit.
pub(super) fn encode(
    path: &Path,
    table: &[u8],
    manifest_path: &Path,
    plan: Plan,
) -> Result<Dataset, DatasetError> {
    let got = Digest::of(table);
    if got != plan.digest {
        return Err(DatasetError::WrongDigest { path: path.to_owned(), expected: plan.digest, got });
    }
    let outside = |cause| DatasetError::Audit { path: manifest_path.to_owned(), cause };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(false).from_reader(table);
    let mut record = ByteRecord::new();
    let mut line = 1;
    let mut next = |record: &mut ByteRecord| {
        line = reader.position().line();
        let found = reader.read_byte_record(record).map_err(|cause| unreadable(path, line, &cause))?;
        Ok::<_, DatasetError>(found.then(|| record.position().map_or(line, csv::Position::line)))
    };
    let header = match next(&mut record)? {
        Some(_) => Header::read(path, &record)?,
        None => Header { names: Vec::new() },
    };
    let columns = Columns::find(path, &header, &plan)?;
    let mut builder = DatasetBuilder::new(plan.schema.clone()).map_err(outside)?;
    let (mut features, mut groups) = (Vec::new(), Vec::new());
    while let Some(line) = next(&mut record)? {
        let row = RowOf { path, header: &header, record: &record, line };
        features.clear();
        for (feature, column) in plan.features.iter().zip(&columns.features) {
            row.cell(*column, |value| feature.encode(value, &mut features))?;
        }
        groups.clear();
        for (rule, column) in plan.attributes.iter().zip(&columns.attributes) {
            groups.push(row.cell(*column, |value| rule.index(value))?);
        }
        let label = row.cell(columns.label, |value| label_index(&plan.label_values, value))?;
        builder.push(&features, label, &groups).map_err(outside)?;
    }
    builder.build().map_err(outside)
}

fn label_index(values: &[String], value: &str) -> Result<u8, CellProblem> {
    let index = values.iter().position(|listed| listed == value);
    index.and_then(|index| u8::try_from(index).ok()).ok_or_else(|| CellProblem::NotALabel {
        value: value.into(),
        listed: values.iter().take(MAX_LISTED).cloned().collect(),
    })
}

fn unreadable(path: &Path, line: u64, cause: &csv::Error) -> DatasetError {
    let (line, problem) = match cause.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(line, csv::Position::line);
            (line, format!("{len} fields, the header has {expected_len}"))
        }
        _ => (line, cause.to_string()),
    };
    DatasetError::Row { path: path.to_owned(), line, problem }
}

/// The names in the table's first line.
struct Header {
    names: Vec<String>,
}

impl Header {
    fn read(path: &Path, record: &ByteRecord) -> Result<Self, DatasetError> {
        let mut names: Vec<String> = Vec::with_capacity(record.len());
        for (index, field) in record.iter().enumerate() {
            // Spreadsheets put a byte order mark in front of UTF-8.
            let field = if index == 0 { field.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(field) } else { field };
            let name = String::from_utf8_lossy(field).into_owned();
            if names.contains(&name) {
                let problem = HeaderProblem::Twice(name);
                return Err(DatasetError::Header { path: path.to_owned(), problem });
            }
            names.push(name);
        }
        Ok(Self { names })
    }

    fn index(&self, path: &Path, column: &str) -> Result<usize, DatasetError> {
        self.names.iter().position(|name| name == column).ok_or_else(|| {
            let found = self.names.iter().take(MAX_LISTED).cloned().collect();
            let problem = HeaderProblem::Missing { column: column.into(), found };
            DatasetError::Header { path: path.to_owned(), problem }
        })
    }
}

/// Where the columns that the plan names stand in the table.
struct Columns {
    features: Vec<usize>,
    attributes: Vec<usize>,
    label: usize,
}

impl Columns {
    fn find(path: &Path, header: &Header, plan: &Plan) -> Result<Self, DatasetError> {
        let index = |column: &str| header.index(path, column);
        let of_feature = |feature: &Feature| index(&feature.column);
        let of_attribute = |groups: &Groups| index(&groups.column);
        Ok(Self {
            features: plan.features.iter().map(of_feature).collect::<Result<_, _>>()?,
            attributes: plan.attributes.iter().map(of_attribute).collect::<Result<_, _>>()?,
            label: index(&plan.label_column)?,
        })
    }
}

/// One record with what is needed to say where it is.
struct RowOf<'a> {
    path: &'a Path,
    header: &'a Header,
    record: &'a ByteRecord,
    line: u64,
}

impl RowOf<'_> {
    /// Applies `rule` to the value in `column`.
    fn cell<T>(
        &self,
        column: usize,
        rule: impl FnOnce(&str) -> Result<T, CellProblem>,
    ) -> Result<T, DatasetError> {
        let field = self.record.get(column).unwrap_or_default();
        let value = std::str::from_utf8(field).map_err(|_| DatasetError::Row {
            path: self.path.to_owned(),
            line: self.line,
            problem: format!("the value of {:?} is not UTF-8", self.header.names[column]),
        })?;
        let checked =
            if value.len() > MAX_FIELD { Err(CellProblem::TooLong(value.len())) } else { rule(value) };
        checked.map_err(|problem| DatasetError::Cell {
            path: self.path.to_owned(),
            line: self.line,
            column: self.header.names[column].clone(),
            problem: Box::new(problem),
        })
    }
}
