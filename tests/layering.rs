//! Dependencies run one way: what decides never depends on what convinces.

use std::{collections::BTreeMap, path::Path, process::Command};

/// For each crate, the crates of this workspace that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("audit", &[]),
    ("verifier", &["audit"]),
    ("interface", &["audit"]),
    ("check", &["audit", "interface", "verifier"]),
    ("pages", &["audit", "interface"]),
    ("canister", &["audit", "interface", "pages", "verifier"]),
    ("import", &["audit"]),
    ("prover", &["audit", "verifier"]),
    ("localnet", &[]),
    ("web", &["audit", "check", "interface", "verifier"]),
    ("runtime", &["audit", "import"]),
    (
        "certifier",
        &["audit", "check", "import", "interface", "localnet", "pages", "prover", "runtime", "verifier"],
    ),
    (
        "tests",
        &["audit", "certifier", "check", "import", "interface", "localnet", "prover", "runtime", "verifier"],
    ),
    ("xtask", &[]),
];

/// For each outside crate that marks a role, the only crates that may name it outside of their tests.
const RESERVED: &[(&str, &[&str])] = &[
    ("ic-cdk", &["canister"]),
    ("ic-cdk-timers", &["canister"]),
    ("ic-stable-structures", &["canister"]),
    ("ic-agent", &["certifier", "tests"]),
    ("wasmtime", &["localnet"]),
    ("ic-response-verification", &["localnet"]),
    ("halo2_proofs", &["verifier", "prover"]),
    ("tract-onnx", &["import"]),
    ("ort", &["runtime"]),
    ("anyhow", &["certifier", "tests", "xtask"]),
];

#[test]
fn dependencies_run_one_way() {
    let crates = workspace();
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    for (name, dependencies) in &crates {
        let allowed = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in ALLOWED"));
        for (dependency, _) in dependencies.iter().filter(|(name, _)| crates.contains_key(name)) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
        for (reserved, users) in RESERVED {
            let uses =
                dependencies.iter().any(|(dependency, for_tests)| dependency == reserved && !for_tests);
            assert!(!uses || users.contains(&name.as_str()), "{name} must not depend on {reserved}");
        }
    }
    assert_eq!(crates.len(), ALLOWED.len(), "a crate of ALLOWED has gone");
}

#[test]
fn the_deciding_side_stays_in_its_folder() {
    for (name, folder) in [
        ("audit", "verifier-canister/audit"),
        ("verifier", "verifier-canister/verifier"),
        ("interface", "verifier-canister/interface"),
        ("check", "verifier-canister/check"),
        ("pages", "verifier-canister/pages"),
        ("canister", "verifier-canister/canister"),
    ] {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("Cargo.toml");
        assert!(manifest.is_file(), "{name} must lie in {folder}");
    }
}

/// Each workspace crate with its dependencies, and whether only its tests need them.
fn workspace() -> BTreeMap<String, Vec<(String, bool)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a name is text").to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages are a list")
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies are a list");
            (
                text(&package["name"]),
                dependencies.iter().map(|found| (text(&found["name"]), found["kind"] == "dev")).collect(),
            )
        })
        .collect()
}
