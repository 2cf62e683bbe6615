//! What is remembered of calls from one run to the next: where, which tool with what, by which key, and the task's id.

mod file;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::file::Kept;
use crate::arguments::Manner;
use crate::failure::Failure;
use crate::place::Place;

/// How many calls are remembered; of more than that, the oldest that are over are forgotten.
const MOST: usize = 1000;

/// A call that is a task, or may be one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// By what the server knows the call again: noted before it is sent, so that a crash loses no task.
    pub(crate) key: String,
    pub(crate) server: Place,
    pub(crate) tool: String,
    pub(crate) arguments: Value,
    /// What is asked of the server beside, as for a call that is sent again.
    #[serde(default)]
    pub(crate) as_task: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_ms: Option<u64>,
    /// When it was sent, in ISO 8601.
    pub(crate) sent: String,
    /// The task; there is none until the server has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    /// Where the task stood when something was last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// What an entry says of a task that its server does not know any more.
pub(crate) const GONE: &str = "gone";

impl Entry {
    /// By what the user calls it.
    pub(crate) fn id(&self) -> &str {
        self.task.as_deref().unwrap_or(&self.key)
    }

    fn is_over(&self) -> bool {
        matches!(self.state.as_deref(), Some("completed" | "failed" | "cancelled" | GONE))
    }
}

/// The file of tasks.
#[derive(Debug)]
pub(crate) struct Memory {
    file: PathBuf,
}

impl Memory {
    /// The file that the command line names, or where the platform keeps such files.
    pub(crate) fn of(manner: &Manner) -> Result<Self, Failure> {
        let file = manner.state.clone().or_else(|| {
            let folder = dirs::state_dir().or_else(dirs::data_local_dir)?;
            Some(folder.join("mcp-host").join("tasks.json"))
        });
        match file {
            Some(file) => Ok(Self { file }),
            None => {
                Err(Failure::File("there is no place to remember tasks in; name one with --state".to_owned()))
            }
        }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Everything that is remembered, the oldest first.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>, Failure> {
        Kept::read(&self.file).map(|kept| kept.tasks)
    }

    /// Notes a call that is about to be sent.
    pub(crate) fn note(&self, entry: Entry) -> Result<(), Failure> {
        Kept::change(&self.file, |entries| {
            entries.retain(|known| known.key != entry.key || known.server != entry.server);
            entries.push(entry);
            while entries.len() > MOST
                && let Some(oldest) = entries.iter().position(Entry::is_over)
            {
                entries.remove(oldest);
            }
        })
    }

    /// The server made this task of a call.
    pub(crate) fn made(&self, place: &Place, key: &str, task: &str) -> Result<(), Failure> {
        Kept::change(&self.file, |entries| {
            let is_meant = |entry: &&mut Entry| entry.server == *place && entry.key == key;
            for entry in entries.iter_mut().filter(is_meant) {
                entry.task = Some(task.to_owned());
            }
        })
    }

    /// Where a task of a server's stands.
    pub(crate) fn seen(
        &self,
        place: &Place,
        task: &str,
        state: &str,
        message: Option<&str>,
    ) -> Result<(), Failure> {
        Kept::change(&self.file, |entries| {
            let is_meant = |entry: &&mut Entry| entry.server == *place && entry.task.as_deref() == Some(task);
            for entry in entries.iter_mut().filter(is_meant) {
                entry.state = Some(state.to_owned());
                entry.message = message.map(str::to_owned);
            }
        })
    }

    /// Forgets those that are not to be kept, and says how many that were.
    pub(crate) fn keep(&self, is_kept: impl Fn(&Entry) -> bool) -> Result<usize, Failure> {
        Kept::change(&self.file, |entries| {
            let before = entries.len();
            entries.retain(&is_kept);
            before - entries.len()
        })
    }

    /// The entry that is called by this, or by the beginning of its id or key, at this server if one is named.
    pub(crate) fn find(&self, id: &str, place: Option<&Place>) -> Result<Option<Entry>, Failure> {
        let mut entries = self.entries()?;
        entries.retain(|entry| place.is_none_or(|place| entry.server == *place));
        let is_whole = |entry: &Entry| entry.task.as_deref() == Some(id) || entry.key == id;
        if let Some(exact) = entries.iter().find(|entry| is_whole(entry)) {
            return Ok(Some(exact.clone()));
        }
        entries.retain(|entry| !id.is_empty() && entry.id().starts_with(id));
        match entries.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let ids: Vec<&str> = several.iter().map(Entry::id).collect();
                Err(Failure::Usage(format!("`{id}` may be any of these: {}", ids.join(", "))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A file that is gone with the test.
    struct Scratch(Memory);

    impl Scratch {
        fn new() -> Self {
            let name = format!("host-{}", uuid::Uuid::new_v4());
            Self(Memory { file: std::env::temp_dir().join(name).join("tasks.json") })
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.file.parent().expect("it lies in a folder"));
        }
    }

    fn entry(key: &str) -> Entry {
        Entry {
            key: key.to_owned(),
            server: Place::Url { http: "http://a/mcp".to_owned() },
            tool: "count".to_owned(),
            arguments: json!({ "to": 3 }),
            as_task: true,
            ttl_ms: None,
            sent: "2026-01-01T00:00:00Z".to_owned(),
            task: None,
            state: None,
            message: None,
        }
    }

    #[test]
    fn a_call_is_remembered_from_before_it_is_sent() {
        let Scratch(memory) = &Scratch::new();
        assert_eq!(memory.entries().expect("nothing yet"), []);
        memory.note(entry("k1")).expect("noted");
        assert_eq!(memory.find("k1", None).expect("read").expect("there").task, None);
        let [here, elsewhere] =
            ["http://a/mcp", "http://b/mcp"].map(|http| Place::Url { http: http.to_owned() });
        memory.made(&elsewhere, "k1", "t0").expect("there is none");
        memory.made(&here, "k1", "t1").expect("noted");
        memory.seen(&here, "t1", "working", Some("counted to 1")).expect("noted");
        memory.seen(&elsewhere, "t1", "failed", None).expect("there is none");
        let found = memory.find("t1", None).expect("read").expect("there");
        assert_eq!((found.id(), found.state.as_deref()), ("t1", Some("working")));
        assert_eq!(memory.find("t1", Some(&elsewhere)).expect("read"), None);
        assert_eq!(memory.keep(|entry| entry.key != "k1").ok(), Some(1));
        assert_eq!(memory.entries().expect("read"), []);
    }

    #[test]
    fn an_id_may_be_as_short_as_tells_it_from_the_others() {
        let Scratch(memory) = &Scratch::new();
        for key in ["abc", "abd", "x"] {
            memory.note(entry(key)).expect("noted");
        }
        let key = |id: &str| memory.find(id, None).map(|entry| entry.map(|entry| entry.key));
        assert_eq!(key("abc").ok(), Some(Some("abc".to_owned())));
        assert_eq!(key("x").ok(), Some(Some("x".to_owned())));
        assert_eq!(key("y").ok(), Some(None));
        assert_eq!(key("").ok(), Some(None));
        assert!(key("ab").is_err_and(|error| error.to_string().contains("abc, abd")));
    }

    #[test]
    fn many_hosts_at_once_lose_nothing_of_each_others() {
        let scratch = &Scratch::new();
        std::thread::scope(|scope| {
            for host in 0..4 {
                scope.spawn(move || {
                    for call in 0..25 {
                        scratch.0.note(entry(&format!("{host}-{call}"))).expect("noted");
                    }
                });
            }
        });
        assert_eq!(scratch.0.entries().expect("read").len(), 100);
    }

    #[test]
    fn what_is_no_file_of_tasks_is_said_and_left_as_it_is() {
        let Scratch(memory) = &Scratch::new();
        memory.note(entry("k")).expect("noted");
        std::fs::write(memory.file(), "{ half").expect("written");
        let wrong = memory.note(entry("l")).expect_err("it cannot be read");
        assert!(wrong.to_string().contains("tasks.json"), "{wrong}");
        assert_eq!(std::fs::read_to_string(memory.file()).expect("read"), "{ half");
    }

    #[test]
    fn the_oldest_that_are_over_make_room() {
        let Scratch(memory) = &Scratch::new();
        let entries = (0..MOST).map(|number| Entry {
            state: (number == 7).then(|| "completed".to_owned()),
            ..entry(&number.to_string())
        });
        Kept::change(memory.file(), |kept| kept.extend(entries)).expect("written");
        memory.note(entry("new")).expect("noted");
        assert_eq!(memory.entries().expect("read").len(), MOST);
        assert_eq!(memory.find("new", None).expect("read").expect("there").key, "new");
        assert!(memory.entries().expect("read").iter().all(|entry| entry.key != "7"));
    }
}
