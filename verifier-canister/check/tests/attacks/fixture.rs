//! `mistakes/base` holds an exported certificate and the root key it leads to; `UPDATE=1` writes them anew.

use std::{fs, path::PathBuf};

use check::check;
use interface::export::CertificateFile;

use crate::network::{ROOT, World, der, key, trust};

fn base(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../certifier/tests/mistakes/base").join(name)
}

#[test]
fn the_fixture_is_authentic() {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(base("certificate.json"), World::honest().file().to_json()).unwrap();
        fs::write(base("root.key"), hex::encode(der(&key(ROOT))) + "\n").unwrap();
    }
    let file = CertificateFile::from_json(&fs::read(base("certificate.json")).unwrap()).unwrap();
    assert!(check(&file, &trust()).authentic.is_some());
}
