//! The examples over HTTP, driven by clients of others from npm: the scripts in `clients/`, one for each era.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tests::{Listening, example, skipped};

/// The scripts with the packages that they import, installed once a machine; `None` where that cannot be.
fn scripts() -> Option<&'static Path> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(|| install().inspect_err(|why| skipped(why)).ok()).as_deref()
}

fn install() -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    // Node looks for packages beside the script that imports them.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
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

/// Lets a client go through all that it does with an example.
fn drive(client: &str, name: &str) {
    let Some(program) = example(name) else { return };
    let Some(scripts) = scripts() else { return };
    let server = Listening::start(program);
    let output = Command::new("node")
        .arg(scripts.join(client))
        .args([name, server.url()])
        .stdin(Stdio::null())
        .output()
        .expect("node is there where npm is");
    let (steps, surprise) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{client} on {name} ended with {}\n{steps}{surprise}", output.status);
}

#[test]
fn the_counter_serves_a_client_that_initializes() {
    drive("legacy.mjs", "counter");
}

#[test]
fn the_counter_serves_a_stateless_client() {
    drive("modern.mjs", "counter");
}

#[test]
fn memorygraph_serves_a_client_that_initializes() {
    drive("legacy.mjs", "memorygraph");
}

#[test]
fn memorygraph_serves_a_stateless_client() {
    drive("modern.mjs", "memorygraph");
}

#[test]
fn everything_serves_a_client_that_initializes() {
    drive("legacy.mjs", "everything");
}

#[test]
fn everything_serves_a_stateless_client() {
    drive("modern.mjs", "everything");
}
