//! Installs the clients of other people that the tests drive, below `target/clients`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use crate::command::{program, root, target};

/// What the tests need on this machine: a command that tells its version, and the least version.
const NODE: (&str, [u32; 2]) = ("node", [20, 0]);
const PYTHON: (&str, [u32; 2]) = ("python3", [3, 11]);

/// The files that say what is installed.
const LOCKED: [&str; 4] = ["package.json", "package-lock.json", ".npmrc", "requirements.txt"];

/// Where the clients are.
pub fn folder() -> PathBuf {
    target().join("clients")
}

/// Installs the clients, unless exactly these are installed already.
pub fn set_up() -> Result<()> {
    let (source, folder) = (root().join("tests/clients"), folder());
    let versions = [version(NODE)?, version(PYTHON)?];
    let mut wanted = versions.join("\n");
    for name in LOCKED {
        wanted += &fs::read_to_string(source.join(name)).with_context(|| format!("cannot read {name}"))?;
    }
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let (node, python) = (folder.join("node"), folder.join("python"));
    fs::create_dir_all(&node)?;
    for name in &LOCKED[..3] {
        fs::copy(source.join(name), node.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    program("npm").args(["ci", "--silent", "--prefix"]).arg(&node).run()?;
    program(PYTHON.0).args(["-m", "venv", "--clear"]).arg(&python).run()?;
    program(python.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--requirement",
        ])
        .arg(source.join("requirements.txt"))
        .run()?;
    Ok(fs::write(stamp, wanted)?)
}

/// The version that a program prints, if it is at least the one needed.
fn version((name, least): (&str, [u32; 2])) -> Result<String> {
    let needed = || format!("the client tests need {name} {}.{} or newer", least[0], least[1]);
    let output = Command::new(name).arg("--version").output().with_context(needed)?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = [parts.next().unwrap_or(0), parts.next().unwrap_or(0)];
    ensure!(found >= least, "{}, this one is {text:?}", needed());
    Ok(format!("{name} {text}"))
}
