use std::fs;

use audit::Digest;

use super::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets").join(name)
}

/// The second value is printed by `datasets/encoding.py`'s rules, an independent implementation in Python: SHA-256
/// over all rows, each as features, label, groups.
fn check_rows(name: &str, rows: u32, columns: usize, records: &str) {
    let dataset = read(&folder(name)).unwrap();
    assert_eq!(dataset.rows(), rows);
    assert_eq!(dataset.schema().columns.len(), columns);
    let start = dataset.header().len as usize;
    assert_eq!(Digest::of(&dataset.bytes()[start..]).to_string(), records);
    assert_eq!(dataset.schema().manifest, fs::read(folder(name).join(MANIFEST_NAME)).unwrap());
}

#[test]
fn german_equals_the_python_encoding() {
    check_rows("german", 1000, 55, "579db971ac62ee44fe4d64bd87e1fabb251b2f6172edc48fc48ce06707ad53b7");
}

#[test]
fn compas_equals_the_python_encoding() {
    check_rows("compas", 6172, 7, "1c11efbba69d701bb7733f91c9be554860e5643801bda317c09932738be4f1e4");
}

#[test]
fn adult_equals_the_python_encoding() {
    check_rows("adult", 45_222, 32, "dc31494e1c017c46b3bb4a29cd5c4952c1c775a85832015827ee88630d0cf63e");
}

#[test]
fn favourable_class_and_reference_groups_come_from_the_manifest() {
    let dataset = read(&folder("german").join(MANIFEST_NAME)).unwrap();
    let schema = dataset.schema();
    assert_eq!(schema.classes[usize::from(schema.favourable)], "good");
    assert_eq!(schema.attributes[0].reference, Some(0));
    assert_eq!(schema.attributes[1].reference, Some(1));
    assert_eq!(schema.columns[0].name, "checking=A11");
    let first = dataset.row(0).unwrap();
    assert_eq!((first.label, first.groups), (1, &[0, 1][..]));
}

#[test]
fn an_oversized_manifest_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(MANIFEST_NAME), vec![b' '; (256 << 10) + 1]).unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(matches!(error, DatasetError::TooLarge { max: 262_144, .. }), "{error}");
}
