//! The examples over HTTP, driven by clients of others from npm: the scripts in `clients/`, one for each era.

use std::process::{Command, Stdio};

use tests::{Listening, example, scripts};

/// Lets a client go through all that it does with an example.
fn drive(client: &str, name: &str) {
    let Some(program) = example(name) else { return };
    let Some(scripts) = scripts(env!("CARGO_TARGET_TMPDIR")) else { return };
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
