//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::EXIT_CODES;

const EXAMPLES: &str = "Examples:
  host --http 127.0.0.1:8001 tools
  host --stdio 'counter' call count to=30 --task
  host --http 127.0.0.1:8080 call recall_memories '{\"query\": \"redis timeout\", \"maxDepth\": 2}'
  host list
  host follow 2c7b

";

/// A host at a terminal for any MCP server: calls its tools, follows its tasks, and answers what it asks.
///
/// What was begun is remembered: a task can be left and come back to, and its id may be shortened to as much of it as tells
/// it from the others.
#[derive(Debug, Parser)]
#[command(name = "host", version, after_help = format!("{EXAMPLES}{EXIT_CODES}"), max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) manner: Manner,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the server is. Commands about a remembered task know that by themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Server {
    /// Start the server as a child process, by this command line; it ends with this program
    #[arg(long, global = true, value_name = "COMMAND")]
    pub(crate) stdio: Option<String>,
    /// Connect to the server at this address; `http://` and the path `/mcp` may be left out
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) http: Option<String>,
    /// Send this header with every request, `Name: value`; `${NAME}` in it is a variable of the environment
    #[arg(long = "header", global = true, value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Send this bearer token; `${NAME}` in it is a variable of the environment, which keeps it out of sight
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) bearer: Option<String>,
    /// Which revisions of the protocol to speak
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) revisions: Revisions,
    /// How long a server that cannot be reached is tried again
    #[arg(long, global = true, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) persist: Duration,
    /// Tell the server that you work in this folder; may be said several times
    #[arg(long = "root", global = true, value_name = "DIR")]
    pub(crate) roots: Vec<PathBuf>,
}

/// How the program goes about it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Manner")]
pub(crate) struct Manner {
    /// Print one JSON object a line, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and questions, and nothing of what goes on before
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Answer what the server asks by this, and ask nobody: the fields of forms by their names, `"$url": true` to agree to
    /// pages, `"$sampling": "a text"` in a model's place
    #[arg(long, global = true, value_name = "JSON")]
    pub(crate) answers: Option<String>,
    /// Write images, audio and other files in results to this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// Wait no longer than this, all in all; tasks go on
    #[arg(long, global = true, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// For how long after a first Ctrl-C a second one is waited for, which cancels
    #[arg(long, global = true, value_name = "DURATION", default_value = "3s", value_parser = humantime::parse_duration)]
    pub(crate) leave_after: Duration,
    /// The file in which tasks are remembered [default: mcp-host/tasks.json where the platform keeps such files]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Revisions {
    /// Whichever the server speaks, the newest first
    #[default]
    Any,
    /// 2026-07-28, with the tasks extension
    Modern,
    /// 2025-11-25 and before, with core tasks
    Legacy,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the server's tools, or tell all about one
    Tools {
        /// The tool
        name: Option<String>,
    },
    /// Call a tool, and follow what becomes of it
    Call(Call),
    /// Follow tasks to their results
    Follow {
        /// Ids of tasks, or keys of calls that were never answered: these are sent again
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Print the result of a task that is over
    Result {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Cancel tasks
    Cancel {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// List tasks: the remembered ones, and those that the server lists
    List,
    /// Answer what a task waits for, and leave it to itself again
    Answer {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Forget remembered tasks, which does nothing to them
    Forget {
        #[arg(value_name = "ID", required_unless_present = "gone")]
        ids: Vec<String>,
        /// All tasks that their server does not know any more
        #[arg(long, conflicts_with = "ids")]
        gone: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The tool
    pub(crate) name: String,
    /// Its arguments: a JSON object, or `key=value` for each; `@FILE` reads JSON from a file, `-` from standard input. A
    /// JSON list of objects calls the tool once for each of them, at the same time
    pub(crate) arguments: Vec<String>,
    /// Ask for a task
    #[arg(long, conflicts_with = "no_task")]
    pub(crate) task: bool,
    /// Refuse a task where the server would make one by itself
    #[arg(long)]
    pub(crate) no_task: bool,
    /// Print the task's id, and leave it to itself
    #[arg(long, conflicts_with = "no_task")]
    pub(crate) detach: bool,
    /// For how long the server is to keep the task, where a client can wish for that
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,
    /// By which key the server knows the call again if it is sent twice [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_the_command_and_after_it() {
        let line = ["host", "--http", "a:1", "call", "add", "a=1", "b=-2", "--json", "--timeout", "2m"];
        let arguments = Arguments::try_parse_from(line).expect("it is understood");
        assert_eq!(arguments.manner.timeout, Some(Duration::from_secs(120)));
        assert!(arguments.manner.json && arguments.server.http.as_deref() == Some("a:1"));
        let Command::Call(call) = arguments.command else { panic!("{arguments:?}") };
        assert_eq!(call.arguments, ["a=1", "b=-2"]);
    }
}
