//! Bytes of every format as they were first published: they must stay readable, and be made again exactly.
//! `golden/README.md` says what each file protects. `ASSAY_WRITE_GOLDEN=1` writes the files.

mod fixture;

use audit::{Certificate, Dataset, Digest, Model, Policy, draw_sample, recompute};

use fixture::golden::same;

#[test]
fn dataset() {
    let made = fixture::dataset();
    same("dataset.bin", made.bytes());
    assert_eq!(Dataset::parse(made.bytes().to_vec()).unwrap(), made);
}

#[test]
fn model() {
    let made = fixture::model();
    same("model.bin", &made.to_bytes());
    assert_eq!(Model::parse(&made.to_bytes()).unwrap(), made);
}

#[test]
fn policy() {
    let made = fixture::policy().to_json().unwrap();
    same("policy.json", &made);
    assert_eq!(Policy::from_json(&made).unwrap(), fixture::policy());
}

#[test]
fn certificate() {
    let made = fixture::body().json;
    same("certificate.json", &made);
    recompute(&Certificate::parse(&made).unwrap()).unwrap();
}

#[test]
fn samples() {
    let draws =
        [([0; 32], 1000, 10), ([9; 32], fixture::ROWS, 12), ([0xff; 32], 1 << 20, 10), ([1; 32], 7, 7)];
    let lines = draws.map(|(seed, rows, size)| {
        let sample = draw_sample(&seed, rows, size).iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        format!("{} {rows} {size}: {sample}\n", Digest(seed))
    });
    same("samples.txt", lines.concat().as_bytes());
}

#[test]
fn digests() {
    let schema = fixture::schema();
    let lines = [
        ("dataset", fixture::dataset().digest()),
        ("encoding", schema.encoding()),
        ("group rule", schema.group_rule()),
        ("model", fixture::model().digest()),
        ("policy", fixture::policy().digest().unwrap()),
        ("certificate", Digest::of(&fixture::body().json)),
    ];
    let lines = lines.map(|(what, digest)| format!("{digest} {what}\n"));
    same("digests.txt", lines.concat().as_bytes());
}
