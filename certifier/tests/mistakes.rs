//! One file per mistake: what the user does, and what `assay` says. `tests/mistakes/README.md` describes the form.
//!
//! `UPDATE=1 cargo test -p certifier --test mistakes` writes what is said now; read the difference before committing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use audit::Digest;

/// One mistake, as read from its file.
struct Case {
    path: PathBuf,
    setup: Vec<String>,
    command: Vec<String>,
    exit: i32,
    stderr: String,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let (setup, rest) =
            text.split_once("\n$ assay ").unwrap_or_else(|| panic!("{}: no command", path.display()));
        let mut lines = rest.lines();
        let command = lines.next().unwrap().split(' ').map(str::to_owned).collect();
        let exit = lines.next().and_then(|line| line.strip_prefix("exit ")?.parse().ok()).unwrap_or(-1);
        let stderr = lines.collect::<Vec<_>>().join("\n");
        Self {
            path: path.to_owned(),
            setup: setup.lines().map(str::to_owned).collect(),
            command,
            exit,
            stderr,
        }
    }

    fn write(&self, exit: i32, stderr: &str) {
        let setup = self.setup.join("\n");
        let text = format!("{setup}\n$ assay {}\nexit {exit}\n{stderr}\n", self.command.join(" "));
        fs::write(&self.path, text).unwrap();
    }

    /// Runs the case in a folder of its own and returns exit code and stderr.
    fn run(&self) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.path.with_file_name("base"), folder.path());
        let mut fix_digest = true;
        for line in &self.setup {
            match line.split_once(' ') {
                Some(("edit", rest)) => edit(folder.path(), rest),
                Some(("write", rest)) => write(folder.path(), rest),
                Some(("remove", name)) => fs::remove_file(folder.path().join(name)).unwrap(),
                Some(("stale", "digest")) => fix_digest = false,
                _ => assert!(line.starts_with('#') || line.is_empty(), "{}: {line:?}", self.path.display()),
            }
        }
        if fix_digest {
            set_digest(folder.path());
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
        command.args(&self.command).current_dir(folder.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ASSAY_")) {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{}: {stderr}", self.path.display());
        (output.status.code().unwrap(), stderr.trim_end().to_owned())
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (source, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if source.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// `FILE: OLD => NEW`, where OLD must appear; its first place is changed. `\n` and `\xNN` stand for bytes.
fn edit(folder: &Path, rest: &str) {
    let (name, change) = rest.split_once(": ").unwrap();
    let (old, new) = change.split_once(" => ").unwrap_or((change.trim_end_matches(" =>"), ""));
    let path = folder.join(name);
    let old = String::from_utf8(unescape(old)).unwrap();
    let text = String::from_utf8(fs::read(&path).unwrap()).unwrap();
    assert!(text.contains(&old), "{name} does not contain {old:?}");
    let (before, after) = text.split_once(&old).unwrap();
    fs::write(&path, [before.as_bytes(), &unescape(new), after.as_bytes()].concat()).unwrap();
}

/// `FILE: CONTENT`.
fn write(folder: &Path, rest: &str) {
    let (name, content) = rest.split_once(": ").unwrap_or((rest.trim_end_matches(':'), ""));
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, unescape(content)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        if let Some(after) = after.strip_prefix('n') {
            bytes.push(b'\n');
            rest = after;
        } else {
            let digits = after.strip_prefix('x').and_then(|digits| digits.get(..2)).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &after[3..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Puts the table's digest into the manifest, so that a case shows the mistake it is about.
fn set_digest(folder: &Path) {
    let (manifest, table) = (folder.join("small/croissant.json"), folder.join("small/data.csv"));
    let (Ok(text), Ok(table)) = (fs::read_to_string(&manifest), fs::read(table)) else { return };
    fs::write(manifest, text.replace("SHA256", &Digest::of(&table).to_string())).unwrap();
}

#[test]
fn every_mistake_has_a_clear_error_and_a_hint() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    cases.sort();
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let (update, mut wrong) = (std::env::var_os("UPDATE").is_some(), Vec::new());
    for path in &cases {
        let case = Case::read(path);
        let (exit, stderr) = case.run();
        let usage = exit == 2;
        assert_ne!(exit, 0, "{}: nothing went wrong", path.display());
        assert!(usage || stderr.contains("hint: "), "{}: no hint in\n{stderr}", path.display());
        if update {
            case.write(exit, &stderr);
        } else if (exit, stderr.as_str()) != (case.exit, case.stderr.as_str()) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            wrong.push(format!(
                "{name}: expected exit {}\n{}\ngot exit {exit}\n{stderr}\n",
                case.exit, case.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ\n\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
