//! `mistakes/base` holds a proved prediction of a private model; `UPDATE=1` makes model, secret, package and prediction
//! anew, which a change of the proof's format needs.

use std::{fs, path::PathBuf};

use audit::{Digest, Model};
use candid::Principal;
use certifier::private::{self, Owned};
use prover::{ModelSecret, ProverSetup};

fn base(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes/base").join(name)
}

#[test]
fn the_fixture_is_verified() {
    let setup = ProverSetup::new().unwrap();
    let model = Model::parse(&fs::read(base("tiny.assay-model")).unwrap()).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        let seed = [7; 32];
        let text = format!("assay model secret 1\n{}\n", "07".repeat(32));
        fs::write(base("tiny.assay-secret"), text).unwrap();
        let secret = ModelSecret::new(seed);
        let package = private::package(&setup, &model, &secret, Principal::anonymous()).unwrap();
        private::write(&base("tiny.assay-package"), &package).unwrap();
        let owned = Owned::new(&setup, model.clone(), secret, &package).unwrap();
        let rows = vec![vec![-2250, -3900, 4096, 0], vec![750, -1500, 4096, 0]];
        let prediction = owned.prove_prediction(&setup, Digest([0; 32]), rows).unwrap();
        private::write(&base("prediction.json"), prediction.to_json().as_bytes()).unwrap();
    }
    let package = fs::read(base("tiny.assay-package")).unwrap();
    let prediction = private::read_prediction(&base("prediction.json")).unwrap();
    prediction.verify(&setup.verifier, &package).unwrap();
    assert_eq!(prediction.classes, [0, 1]);
}
