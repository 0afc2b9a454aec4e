//! Installs the clients of other people that the tests drive, below `target/clients`, and finds a browser.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

use crate::command::{Shown, program, root, target};

/// What the tests need on this machine: a command that tells its version, and the least version.
const NODE: (&str, [u32; 2]) = ("node", [20, 19]);
const PYTHON: (&str, [u32; 2]) = ("python3", [3, 11]);

/// What a browser may be called.
const BROWSERS: [&str; 2] = ["chromium", "google-chrome"];

/// The files that say what is installed.
const LOCKED: [&str; 4] = ["package.json", "package-lock.json", ".npmrc", "requirements.txt"];

/// Where the clients are.
fn folder() -> PathBuf {
    target().join("clients")
}

/// Installs everything and tells a command where it is.
pub fn told(command: Shown) -> Result<Shown> {
    set_up()?;
    let command = command.env("ASSAY_CLIENTS", folder());
    Ok(match browser()? {
        Some(browser) => command.env("ASSAY_BROWSER", browser),
        None => command,
    })
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

/// The browser that pages are tested in: `ASSAY_BROWSER`, or one that is found or, on Debian by root, installed. There may
/// be none, except where `CI` is set.
pub fn browser() -> Result<Option<PathBuf>> {
    if let Some(named) = env::var_os("ASSAY_BROWSER") {
        let named = PathBuf::from(named);
        ensure!(named.is_file(), "ASSAY_BROWSER names {}, which is no file", named.display());
        return Ok(Some(named));
    }
    if found().is_none() && is_root() && on_path("apt-get").is_some() {
        let install = || program("apt-get").args(["install", "-y", "--no-install-recommends", BROWSERS[0]]);
        let install = || install().env("DEBIAN_FRONTEND", "noninteractive").run();
        // A fresh container has no lists of packages.
        install().or_else(|_| program("apt-get").arg("update").run().and_then(|()| install()))?;
    }
    let browser = found();
    let missing = "there is no Chromium; install the package `chromium`, or name a browser in ASSAY_BROWSER";
    ensure!(browser.is_some() || env::var_os("CI").is_none(), "{missing}");
    if browser.is_none() {
        eprintln!("{missing}: the pages are not tested");
    }
    Ok(browser)
}

fn found() -> Option<PathBuf> {
    BROWSERS.iter().find_map(|name| on_path(name))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
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
