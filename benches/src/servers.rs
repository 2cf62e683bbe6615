//! The peers: builds their servers, and knows how each is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Peer {
    /// This framework.
    Ours,
    /// rmcp as it is documented.
    Rmcp,
    /// rmcp with its router kept and its faster pipes.
    RmcpTuned,
    /// A loop on tokio's standard streams, with serde.
    BareTokio,
    /// A loop on std's blocking streams, with serde.
    BareSync,
}

impl Peer {
    /// What the peer is called when something is said of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Rmcp => "rmcp",
            Peer::RmcpTuned => "rmcp tuned",
            Peer::BareTokio => "bare tokio",
            Peer::BareSync => "bare sync",
        }
    }

    fn feature(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Rmcp | Peer::RmcpTuned => "rmcp",
            Peer::BareTokio | Peer::BareSync => "bare",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Peer::Ours => "ours_server",
            Peer::Rmcp | Peer::RmcpTuned => "rmcp_server",
            Peer::BareTokio => "bare_tokio",
            Peer::BareSync => "bare_sync",
        }
    }
}

/// Which tools a server offers.
#[derive(Clone, Copy)]
pub(crate) enum Tools {
    /// `add` and `echo`.
    Plain,
    /// `add` and 99 others.
    Hundred,
    /// `finish` and `wait`, as tasks.
    Tasks,
}

/// How a server is started.
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<&'static str>,
}

impl Launch {
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

/// The servers that were built.
pub(crate) struct Servers {
    directory: PathBuf,
    built: Vec<&'static str>,
}

impl Servers {
    /// Builds each peer's servers in release mode, each with only its own dependencies; one that does not build is said
    /// aloud and left out.
    pub(crate) fn build() -> Result<Self> {
        let target = target_directory()?;
        let mut built = Vec::new();
        for (feature, programs) in [
            ("bare", &["bare_sync", "bare_tokio"][..]),
            ("rmcp", &["rmcp_server"]),
            ("ours", &["ours_server"]),
        ] {
            eprintln!("building {}", programs.join(", "));
            let mut command = cargo("build", Path::new(env!("CARGO_MANIFEST_DIR")), &target);
            command.args(["--release", "--quiet", "--features", feature]);
            command.args(programs.iter().flat_map(|program| ["--bin", program]));
            if command.status()?.success() {
                built.push(feature);
            } else {
                eprintln!("{feature} does not build, and is left out");
            }
        }
        Ok(Self { directory: target.join("release"), built })
    }

    pub(crate) fn launch(&self, peer: Peer, tools: Tools) -> Result<Launch> {
        if !self.built.contains(&peer.feature()) {
            return Err(format!("{} was not built", peer.program()).into());
        }
        let tools = match tools {
            Tools::Plain => "plain",
            Tools::Hundred => "hundred",
            Tools::Tasks => "tasks",
        };
        let mut arguments = vec![tools];
        if peer == Peer::RmcpTuned {
            arguments.push("tuned");
        }
        Ok(Launch { program: self.directory.join(peer.program()), arguments })
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
