//! What comes from the Python Package Index and is not ours: servers that our client drives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::skipped;

/// A Python server, with the interpreter that has the packages which it imports.
#[derive(Debug)]
pub struct Script {
    /// The interpreter.
    pub python: PathBuf,
    /// The script.
    pub path: PathBuf,
}

/// A server of `servers`, whose packages are installed once a machine; `None` where that cannot be.
///
/// Only the tests themselves are told where they may put things.
pub fn python_server(target: &str, name: &str) -> Option<Script> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = INSTALLED.get_or_init(|| install(target).inspect_err(|why| skipped(why)).ok()).clone()?;
    Some(Script { python, path: servers().join(name) })
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers")
}

fn install(target: &str) -> Result<PathBuf, String> {
    let requirements = servers().join("requirements.txt");
    let folder = Path::new(target).join("python");
    let wanted = fs::read(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let scripts = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let python = scripts.join(format!("python{}", std::env::consts::EXE_SUFFIX));
    // Written last, so that it is there only once all that it names is.
    let installed = folder.join("installed.txt");
    if fs::read(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(quiet).arg(&requirements))?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    // What it says is for people, and standard output is the harness's.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("servers of others: {program} ended with {status}: {command:?}")),
        Err(error) => Err(format!("servers of others: {program} cannot be started: {error}")),
    }
}
