//! The peers: builds their servers, and knows how each is started.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::driver::Door;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Peer {
    /// This framework.
    Ours,
    /// The same with its tasks in a file.
    OursDurable,
    /// rmcp as it is documented.
    Rmcp,
    /// rmcp with its router kept, and its faster pipes or plain JSON without sessions.
    RmcpTuned,
    /// A loop on tokio's standard streams, with serde.
    BareTokio,
    /// A loop on std's blocking streams, with serde.
    BareSync,
    /// A handler of axum's, with serde.
    BareAxum,
}

impl Peer {
    /// What the peer is called when something is said of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::OursDurable => "ours durable",
            Peer::Rmcp => "rmcp",
            Peer::RmcpTuned => "rmcp tuned",
            Peer::BareTokio => "bare tokio",
            Peer::BareSync => "bare sync",
            Peer::BareAxum => "bare axum",
        }
    }

    /// The program and the feature that it is built with; `None` where a peer has no such server.
    fn program(self, door: &Door) -> Option<(&'static str, &'static str)> {
        match (self, door) {
            (Peer::Ours, Door::Pipes) => Some(("ours_server", "ours")),
            (Peer::OursDurable, Door::Pipes) => Some(("ours_durable", "ours-durable")),
            (Peer::Ours, Door::Http(_)) => Some(("ours_http", "ours-http")),
            (Peer::Rmcp | Peer::RmcpTuned, Door::Pipes) => Some(("rmcp_server", "rmcp")),
            (Peer::Rmcp | Peer::RmcpTuned, Door::Http(_)) => Some(("rmcp_http", "rmcp-http")),
            (Peer::BareTokio, Door::Pipes) => Some(("bare_tokio", "bare")),
            (Peer::BareSync, Door::Pipes) => Some(("bare_sync", "bare")),
            (Peer::BareAxum, Door::Http(_)) => Some(("bare_axum", "bare-http")),
            (Peer::OursDurable | Peer::BareTokio | Peer::BareSync, Door::Http(_))
            | (Peer::BareAxum, Door::Pipes) => None,
        }
    }
}

/// Which tools a server offers.
#[derive(Clone, Copy)]
pub(crate) enum Tools {
    /// `add`, `echo` and `tell`.
    Plain,
    /// `add` and 99 others.
    Hundred,
    /// `finish` and `wait`, as tasks; on this framework also `work` and `large`.
    Tasks,
}

/// Which way a server is asked to be reached.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Over {
    Pipes,
    Http,
}

/// How a server is started, and where it will be.
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    pub(crate) door: Door,
}

impl Launch {
    /// With one more argument.
    pub(crate) fn with(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// The same, run by a program that watches it.
    pub(crate) fn under(&self, watcher: &[&str]) -> Command {
        let mut command = Command::new(watcher[0]);
        command.args(&watcher[1..]).arg(&self.program).args(&self.arguments);
        command
    }
}

/// The servers, each built when it is first wanted.
pub(crate) struct Servers {
    target: PathBuf,
    /// Whether those that were wanted do build.
    built: RefCell<HashMap<&'static str, bool>>,
}

impl Servers {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { target: target_directory()?, built: RefCell::default() })
    }

    pub(crate) fn launch(&self, peer: Peer, tools: Tools, over: Over) -> Result<Launch> {
        let door = match over {
            Over::Pipes => Door::Pipes,
            // A port that nobody has just now, and that the server is told to take.
            Over::Http => Door::Http(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string()),
        };
        let (program, feature) = peer.program(&door).ok_or("there is no such server")?;
        if !*self.built.borrow_mut().entry(program).or_insert_with(|| self.build(program, feature)) {
            return Err(format!("{program} does not build").into());
        }
        let tools = match tools {
            Tools::Plain => "plain",
            Tools::Hundred => "hundred",
            Tools::Tasks => "tasks",
        };
        let mut arguments = vec![tools.to_owned()];
        if let Door::Http(address) = &door {
            arguments.push(address.clone());
        }
        if peer == Peer::RmcpTuned {
            arguments.push("tuned".to_owned());
        }
        Ok(Launch { program: self.target.join("release").join(program), arguments, door })
    }

    /// Builds a server in release mode, with only its own dependencies.
    fn build(&self, program: &str, feature: &str) -> bool {
        eprintln!("building {program}");
        let mut command = cargo("build", Path::new(env!("CARGO_MANIFEST_DIR")), &self.target);
        command.args(["--release", "--quiet", "--features", feature, "--bin", program]);
        command.status().is_ok_and(|status| status.success())
    }
}

/// A cargo command for the package in `package`.
pub(crate) fn cargo(verb: &str, package: &Path, target: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.arg(verb).arg("--manifest-path").arg(package.join("Cargo.toml")).env("CARGO_TARGET_DIR", target);
    command
}

/// Where this program itself was built to.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or("this program lies in no target directory")?.to_owned())
}
