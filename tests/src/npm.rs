//! What comes from npm and is not ours: clients that drive our servers, and servers that our client drives.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::skipped;

/// The scripts with the packages that they import, installed once a machine; `None` where that cannot be.
///
/// Only the tests themselves are told where they may put things.
pub fn scripts(target: &str) -> Option<&'static Path> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(|| install(target).inspect_err(|why| skipped(why)).ok()).as_deref()
}

fn install(target: &str) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    // Node looks for packages beside the script that imports them.
    let folder = Path::new(target).join("clients");
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let lock = fs::read(source.join("package-lock.json")).map_err(told)?;
    fs::create_dir_all(&folder).map_err(told)?;
    for file in fs::read_dir(&source).map_err(told)? {
        let file = file.map_err(told)?;
        if file.path().is_file() {
            fs::copy(file.path(), folder.join(file.file_name())).map_err(told)?;
        }
    }
    // Written last, so that it is there only once all that it names is.
    let installed = folder.join("installed.json");
    if fs::read(&installed).is_ok_and(|there| there == lock) {
        return Ok(folder);
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("clients of others: npm cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("clients of others: npm ci ended with {status}"));
    }
    fs::write(installed, lock).map_err(told)?;
    Ok(folder)
}
