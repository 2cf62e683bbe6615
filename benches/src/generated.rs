//! Crates that are written while the program runs, under the target directory: one with two hundred tools, to see what
//! checking it costs, and the counter, to see what a small program brings along. Each on this framework and on rmcp.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use crate::Result;
use crate::measure::cpu_of_children;
use crate::servers::{Peer, cargo, target_directory};

/// A crate on disk, and where it is built.
pub(crate) struct Generated {
    package: PathBuf,
    target: PathBuf,
}

impl Generated {
    /// A crate of `tools` tools, with three documented parameters each.
    pub(crate) fn wide(peer: Peer, tools: u32) -> Result<Self> {
        let source = match peer {
            Peer::Ours => wide_ours(tools),
            _ => wide_rmcp(tools),
        }?;
        Self::write("wide", peer, &source)
    }

    pub(crate) fn counter(peer: Peer) -> Result<Self> {
        Self::write("counter", peer, if peer == Peer::Ours { COUNTER_OURS } else { COUNTER_RMCP })
    }

    fn write(name: &str, peer: Peer, source: &str) -> Result<Self> {
        let (suffix, dependencies) = match peer {
            Peer::Ours => (
                "ours",
                format!("mcp-runtime = {{ path = '{}' }}\n", repository().join("mcp-runtime").display()),
            ),
            _ => ("rmcp", RMCP_DEPENDENCIES.to_owned()),
        };
        let directory = target_directory()?.join("benches-generated");
        let package = directory.join(format!("{name}-{suffix}"));
        fs::create_dir_all(package.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}-{suffix}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"time\"] }}\n\n\
             [profile.release]\nstrip = true\n\n[workspace]\n"
        );
        fs::write(package.join("Cargo.toml"), manifest)?;
        fs::write(package.join("src/main.rs"), source)?;
        // The versions that the servers were built with, for both.
        fs::copy(repository().join("Cargo.lock"), package.join("Cargo.lock"))?;
        Ok(Self { package, target: directory.join("target") })
    }

    /// Seconds of CPU that `cargo check` takes for this crate alone, without what an earlier check had saved.
    pub(crate) fn check(&self) -> Result<f64> {
        let now = SystemTime::now();
        fs::File::options().append(true).open(self.package.join("src/main.rs"))?.set_modified(now)?;
        let before = cpu_of_children()?;
        self.cargo("check", &[])?;
        Ok(cpu_of_children()? - before)
    }

    /// The packages in its tree, itself included: what `cargo tree -e normal,build --prefix none | sort -u` lists.
    pub(crate) fn packages(&self) -> Result<f64> {
        let tree = cargo("tree", &self.package, &self.target)
            .args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
            .stderr(Stdio::inherit())
            .output()?;
        if !tree.status.success() {
            return Err("cargo tree failed".into());
        }
        let text = String::from_utf8(tree.stdout)?;
        // A repeated package is listed again with a mark behind it.
        let mut packages: Vec<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        packages.sort_unstable();
        packages.dedup();
        Ok(packages.len() as f64)
    }

    /// Bytes of its release binary, stripped.
    pub(crate) fn binary(&self) -> Result<f64> {
        self.cargo("build", &["--release"])?;
        let name = self.package.file_name().ok_or("a package without a name")?;
        Ok(fs::metadata(self.target.join("release").join(name))?.len() as f64)
    }

    fn cargo(&self, verb: &str, arguments: &[&str]) -> Result<()> {
        let status = cargo(verb, &self.package, &self.target)
            .arg("--quiet")
            .args(arguments)
            .env("CARGO_INCREMENTAL", "0")
            .stdout(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("cargo {verb} failed for {}", self.package.display()).into())
        }
    }
}

fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

const RMCP_DEPENDENCIES: &str = "rmcp = { version = \"3.11\", features = [\"transport-io\"] }\n\
                                 serde = { version = \"1\", features = [\"derive\"] }\n";

fn wide_ours(tools: u32) -> Result<String> {
    let mut source = String::from("use mcp_runtime::prelude::*;\n\n");
    let mut names = String::new();
    for n in 0..tools {
        write!(
            source,
            "/// Look something up, way {n}.\n\
             #[tool]\n\
             async fn look_up_{n}(\n    \
                 /// What to look for.\n    query: String,\n    \
                 /// How many answers at most.\n    limit: Option<u32>,\n    \
                 /// Whether to look in the archive too.\n    archived: bool,\n\
             ) -> String {{\n    \
                 format!(\"{{query}} {{limit:?}} {{archived}}\")\n\
             }}\n\n"
        )?;
        write!(names, "look_up_{n}, ")?;
    }
    write!(
        source,
        "#[tokio::main]\nasync fn main() -> Result<(), ServerError> {{\n    \
             Server::new(\"wide\", \"0.0.0\").tools(tools![{names}]).serve(stdio()).await\n}}\n"
    )?;
    Ok(source)
}

fn wide_rmcp(tools: u32) -> Result<String> {
    let mut source = String::from(
        "use rmcp::{ServiceExt, handler::server::wrapper::Parameters, schemars, tool, tool_router, transport::stdio};\n\n",
    );
    let mut methods = String::new();
    for n in 0..tools {
        write!(
            source,
            "#[derive(serde::Deserialize, schemars::JsonSchema)]\n\
             struct LookUp{n} {{\n    \
                 /// What to look for.\n    query: String,\n    \
                 /// How many answers at most.\n    limit: Option<u32>,\n    \
                 /// Whether to look in the archive too.\n    archived: bool,\n\
             }}\n\n"
        )?;
        write!(
            methods,
            "    /// Look something up, way {n}.\n    \
                 #[tool]\n    \
                 async fn look_up_{n}(&self, Parameters(LookUp{n} {{ query, limit, archived }}): Parameters<LookUp{n}>) -> String {{\n        \
                     format!(\"{{query}} {{limit:?}} {{archived}}\")\n    \
                 }}\n\n"
        )?;
    }
    write!(
        source,
        "#[derive(Clone)]\nstruct Wide;\n\n#[tool_router(server_handler)]\nimpl Wide {{\n{methods}}}\n\n\
         #[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
             Wide.serve(stdio()).await?.waiting().await?;\n    Ok(())\n}}\n"
    )?;
    Ok(source)
}

/// rmcp's counter example, as far as it is about tools.
const COUNTER_RMCP: &str = r#"use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rmcp::{ServiceExt, handler::server::wrapper::Parameters, schemars, tool, tool_router, transport::stdio};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Sum {
    /// The first term.
    a: i64,
    /// The second term.
    b: i64,
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicI64>);

#[tool_router(server_handler)]
impl Counter {
    /// Increment the counter by 1.
    #[tool]
    fn increment(&self) -> String {
        (self.0.fetch_add(1, Ordering::Relaxed) + 1).to_string()
    }

    /// Decrement the counter by 1.
    #[tool]
    fn decrement(&self) -> String {
        (self.0.fetch_sub(1, Ordering::Relaxed) - 1).to_string()
    }

    /// Get the current value of the counter.
    #[tool]
    fn get_value(&self) -> String {
        self.0.load(Ordering::Relaxed).to_string()
    }

    /// Add two numbers.
    #[tool]
    fn sum(&self, Parameters(Sum { a, b }): Parameters<Sum>) -> String {
        (a + b).to_string()
    }

    /// Take a long time.
    #[tool]
    async fn long_task(&self) -> String {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        "done".to_owned()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Counter::default().serve(stdio()).await?.waiting().await?;
    Ok(())
}
"#;

/// The same here, with the long task as a task.
const COUNTER_OURS: &str = r#"use std::sync::atomic::{AtomicI64, Ordering};

use mcp_runtime::prelude::*;

#[derive(Default)]
struct Counter {
    value: AtomicI64,
}

/// Increment the counter by 1.
#[tool]
async fn increment(counter: State<Counter>) -> i64 {
    counter.value.fetch_add(1, Ordering::Relaxed) + 1
}

/// Decrement the counter by 1.
#[tool]
async fn decrement(counter: State<Counter>) -> i64 {
    counter.value.fetch_sub(1, Ordering::Relaxed) - 1
}

/// Get the current value of the counter.
#[tool]
async fn get_value(counter: State<Counter>) -> i64 {
    counter.value.load(Ordering::Relaxed)
}

/// Add two numbers.
#[tool]
async fn sum(
    /// The first term.
    a: i64,
    /// The second term.
    b: i64,
) -> i64 {
    a + b
}

/// Take a long time.
#[tool(task)]
async fn long_task() -> String {
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    "done".to_owned()
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    Server::new("counter", env!("CARGO_PKG_VERSION"))
        .state(Counter::default())
        .tools(tools![increment, decrement, get_value, sum, long_task])
        .serve(stdio())
        .await
}
"#;
