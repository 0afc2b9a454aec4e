//! Runs other programs, shows what is run, and turns a failure into an error that names it.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// A command that is printed when it runs.
pub struct Shown(Command);

/// `cargo` of the running toolchain, in the workspace's root.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Shown {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    Shown(command)
}

/// One of the workspace's programs, built first.
///
/// Always with the same selection, that of `cargo test --workspace`: naming a test brings the features of the
/// development dependencies in. Another selection has other features, and each would build the node's
/// WebAssembly engine, minutes of work, once more.
pub fn built(name: &str) -> Result<Shown> {
    cargo(["build", "--quiet", "--locked", "--workspace", "--bins", "--test", "layering"]).run()?;
    let path = target().join("debug").join(name).with_extension(env::consts::EXE_EXTENSION);
    Ok(program(path))
}

/// Another program, in the workspace's root.
pub fn program(name: impl AsRef<OsStr>) -> Shown {
    let mut command = Command::new(name);
    command.current_dir(root());
    Shown(command)
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// The build folder.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

impl Shown {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it; fails when it does.
    pub fn run(mut self) -> Result<()> {
        let text = self.text();
        eprintln!("$ {text}");
        let status = self.0.status().with_context(|| format!("cannot start `{text}`"))?;
        if !status.success() {
            bail!("`{text}` failed: {status}");
        }
        Ok(())
    }

    fn text(&self) -> String {
        let name = Path::new(self.0.get_program()).file_name().unwrap_or_default().to_string_lossy();
        self.0.get_args().fold(name.into_owned(), |text, argument| text + " " + &argument.to_string_lossy())
    }
}
