//! A client of both wires that remembers all that it was ever told, and holds the server to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{LEGACY, MODERN, names};

use crate::marks::Marks;
use crate::server::Server;
use crate::{AT_WORK, Random};

/// How long everything may take to end before it counts as hanging. Nothing is measured by it.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many requests wait for their answers at the same time.
const IN_FLIGHT: usize = 24;

#[derive(Default)]
pub(crate) struct Client {
    work: Vec<Work>,
    last_request: i64,
    waiting: HashMap<i64, Want>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    deaths: usize,
    looked_up: usize,
    retried: usize,
    lost: usize,
    answered: usize,
    cancelled: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Steps(usize),
    Ask,
    Family(usize),
    Once,
    Quick,
}

/// A task that the client wants done.
struct Work {
    name: String,
    kind: Kind,
    is_legacy: bool,
    /// In which of the places its key stands, if it has one.
    key: Option<usize>,
    /// The task, once the client was told of it.
    id: Option<String>,
    /// Its last state, once it is over.
    over: Option<Value>,
    /// Parts of it were at work when it was last looked at.
    parts_run: bool,
    /// An answer was sent, and whether the server said that it has it.
    answered: Option<bool>,
    /// The same for the wish to cancel it.
    cancelled: Option<bool>,
    /// It was never heard of, and has no key to ask again with.
    is_lost: bool,
}

/// What a request is for, and what was certain when it was sent.
enum Want {
    Create(usize),
    Get { at: usize, answered: bool, cancelled: bool },
    Answer(usize),
    Cancel(usize),
    List,
}

impl Work {
    fn is_open(&self) -> bool {
        self.over.is_none() && !self.is_lost
    }

    fn arguments(&self) -> Value {
        match self.kind {
            Kind::Steps(count) => json!({ "name": self.name, "count": count }),
            Kind::Family(children) => json!({ "name": self.name, "children": children }),
            _ => json!({ "name": self.name }),
        }
    }

    fn tool(&self) -> &'static str {
        match self.kind {
            Kind::Steps(_) => "steps",
            Kind::Ask => "ask",
            Kind::Family(_) => "family",
            Kind::Once => "once",
            Kind::Quick => "quick",
        }
    }

    fn answer(&self) -> String {
        format!("the answer to {}", self.name)
    }
}

impl Client {
    /// Talks to a server until it dies: looks at all tasks, asks again for those whose answers were lost, and keeps many at
    /// work.
    pub(crate) fn visit(&mut self, server: &mut Server, random: &mut Random) {
        Self::open(server);
        let mut to_look_at: Vec<usize> = (0..self.work.len()).collect();
        let mut to_make: Vec<usize> = to_look_at
            .iter()
            .copied()
            .filter(|at| self.work[*at].id.is_none() && self.work[*at].is_open())
            .collect();
        loop {
            while self.waiting.len() < IN_FLIGHT {
                if let Some(at) = to_make.pop() {
                    self.counts.retried += 1;
                    self.create(server, at);
                } else if let Some(at) = to_look_at.pop() {
                    self.get(server, at);
                } else if self.work.iter().filter(|work| work.is_open()).count() < AT_WORK {
                    self.work.push(Self::new_work(self.work.len(), random));
                    self.create(server, self.work.len() - 1);
                } else {
                    self.go_on(server, random);
                }
            }
            let Some(message) = server.next() else { return };
            self.receive(server, message);
        }
    }

    /// How many tasks it knows of.
    pub(crate) fn known(&self) -> usize {
        self.work.len()
    }

    /// The server died. What was not answered has happened or not.
    pub(crate) fn is_cut_off(&mut self) {
        self.counts.deaths += 1;
        for (_, want) in self.waiting.drain() {
            if let Want::Create(at) = want
                && self.work[at].key.is_none()
            {
                self.work[at].is_lost = true;
                self.counts.lost += 1;
            }
        }
    }

    /// Sees everything to its end, the parts of tasks included.
    pub(crate) fn finish(&mut self, server: &mut Server) {
        Self::open(server);
        for at in 0..self.work.len() {
            if self.work[at].id.is_none() && self.work[at].is_open() {
                self.create(server, at);
            } else {
                self.get(server, at);
            }
            while self.waiting.len() >= IN_FLIGHT {
                self.wait(server);
            }
        }
        let begun = Instant::now();
        loop {
            while !self.waiting.is_empty() {
                self.wait(server);
            }
            let works = |work: &Work| work.is_open() || work.parts_run;
            let open: Vec<usize> = (0..self.work.len()).filter(|at| works(&self.work[*at])).collect();
            let Some(first) = open.first() else { return };
            let name = &self.work[*first].name;
            assert!(begun.elapsed() < DEADLINE, "{} tasks work for ever, first of them `{name}`", open.len());
            for at in open.into_iter().take(IN_FLIGHT) {
                self.get(server, at);
            }
        }
    }

    /// The tasks that the server lists.
    pub(crate) fn list(&mut self, server: &mut Server) -> BTreeSet<String> {
        let (mut listed, mut cursor) = (BTreeSet::new(), None);
        loop {
            let params = cursor.map_or_else(|| json!({}), |cursor: Value| json!({ "cursor": cursor }));
            let id = self.request(server, "tasks/list", params, Want::List);
            let mut page = server.next().expect("an answer");
            while page["id"] != id {
                page = server.next().expect("an answer");
            }
            self.waiting.remove(&id);
            let tasks = page["result"]["tasks"].as_array().expect("a list of tasks");
            for task in tasks {
                let is_new = listed.insert(task["taskId"].as_str().expect("an id").to_owned());
                assert!(is_new, "a task is listed twice: {task}");
            }
            match page["result"]["nextCursor"].take() {
                Value::Null => return listed,
                next => cursor = Some(next),
            }
        }
    }

    fn wait(&mut self, server: &mut Server) {
        let message = server.next().expect("the server lives");
        self.receive(server, message);
    }

    fn open(server: &mut Server) {
        let params = json!({
            "protocolVersion": LEGACY,
            "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "crash", "version": "0" },
        });
        server.send(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }));
        server.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    fn new_work(number: usize, random: &mut Random) -> Work {
        let kind = match random.below(10) {
            0..4 => Kind::Steps(1 + random.below(30)),
            4 | 5 => Kind::Ask,
            6 => Kind::Family(1 + random.below(4)),
            7 => Kind::Once,
            _ => Kind::Quick,
        };
        Work {
            name: format!("work-{number}"),
            kind,
            is_legacy: random.below(2) == 0,
            key: (random.below(4) > 0).then(|| random.below(4)),
            id: None,
            over: None,
            parts_run: false,
            answered: None,
            cancelled: None,
            is_lost: false,
        }
    }

    fn create(&mut self, server: &mut Server, at: usize) {
        let work = &self.work[at];
        let mut params = json!({ "name": work.tool(), "arguments": work.arguments(), "_meta": {} });
        if let Some(place) = work.key {
            let key = json!(work.name);
            match place {
                0 => params["idempotencyKey"] = key,
                1 => params["_meta"]["io.modelcontextprotocol/idempotencyKey"] = key,
                2 => params["_meta"]["dev.mcp-runtime/idempotencyKey"] = key,
                _ => params["_meta"]["modelcontextprotocol.io/task"] = json!({ "taskId": key }),
            }
        }
        if work.is_legacy {
            params["task"] = json!({});
        } else {
            modern(&mut params);
        }
        self.request(server, "tools/call", params, Want::Create(at));
    }

    fn get(&mut self, server: &mut Server, at: usize) {
        let Work { id: Some(id), answered, cancelled, .. } = &self.work[at] else { return };
        let (answered, cancelled) = (*answered == Some(true), *cancelled == Some(true));
        let mut params = json!({ "taskId": id });
        modern(&mut params);
        self.request(server, "tasks/get", params, Want::Get { at, answered, cancelled });
    }

    /// Looks at something that is at work, or now and then wants it cancelled.
    fn go_on(&mut self, server: &mut Server, random: &mut Random) {
        let known: Vec<usize> = (0..self.work.len())
            .filter(|at| self.work[*at].is_open() && self.work[*at].id.is_some())
            .collect();
        let at = match known.len() {
            // All that is open was not answered yet.
            0 => random.below(self.work.len()),
            count => known[random.below(count)],
        };
        if random.below(100) == 0 && self.work[at].is_open() {
            let Some(id) = &self.work[at].id else { return };
            let mut params = json!({ "taskId": id });
            modern(&mut params);
            self.work[at].cancelled.get_or_insert(false);
            self.request(server, "tasks/cancel", params, Want::Cancel(at));
        } else {
            self.get(server, at);
            if self.work[at].id.is_none() {
                // Something must be on its way, or nothing would ever come.
                let mut params = json!({});
                modern(&mut params);
                self.request(server, "server/discover", params, Want::List);
            }
        }
    }

    fn request(&mut self, server: &mut Server, method: &str, params: Value, want: Want) -> i64 {
        self.last_request += 1;
        self.waiting.insert(self.last_request, want);
        let id = self.last_request;
        server.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    fn receive(&mut self, server: &mut Server, mut message: Value) {
        let Some(want) = message["id"].as_i64().and_then(|id| self.waiting.remove(&id)) else { return };
        assert!(message["error"].is_null(), "{message}");
        let result = message["result"].take();
        match want {
            Want::Create(at) => {
                let task = result.get("task").unwrap_or(&result);
                let id = task["taskId"].as_str().unwrap_or_else(|| panic!("no task was made: {result}"));
                let work = &mut self.work[at];
                let known = work.id.get_or_insert_with(|| id.to_owned());
                assert_eq!(known, id, "the key of `{}` made two tasks", work.name);
            }
            Want::Get { at, answered, cancelled } => self.see(server, at, result, answered, cancelled),
            Want::Answer(at) => {
                self.counts.answered += usize::from(self.work[at].answered == Some(false));
                self.work[at].answered = Some(true);
            }
            Want::Cancel(at) => {
                self.counts.cancelled += usize::from(self.work[at].cancelled == Some(false));
                self.work[at].cancelled = Some(true);
            }
            Want::List => {}
        }
    }

    /// Compares the state of a task with all that was said of it before.
    fn see(&mut self, server: &mut Server, at: usize, state: Value, answered: bool, cancelled: bool) {
        self.counts.looked_up += 1;
        let work = &mut self.work[at];
        let name = &work.name;
        let children = &state["_meta"][names::CHILDREN];
        work.parts_run = children["count"] != children["ended"];
        let state = with_partials_alone(state);
        if let Some(before) = &work.over {
            assert_eq!(&state, before, "`{name}` was over, and is another now");
            return;
        }
        match state["status"].as_str() {
            Some("working") => assert!(!cancelled, "`{name}` was cancelled, and works: {state}"),
            Some("input_required") => {
                assert!(!cancelled, "`{name}` was cancelled, and asks: {state}");
                assert!(!answered, "`{name}` has its answer, and asks again: {state}");
                assert_eq!(work.kind, Kind::Ask, "{state}");
                assert!(state["inputRequests"]["reply"].is_object(), "under the same key: {state}");
                // Some of them wait for long.
                if !at.is_multiple_of(8) || work.answered.is_some() || server.is_final() {
                    let reply = json!({ "action": "accept", "content": { "text": work.answer() } });
                    let mut params = json!({ "taskId": work.id, "inputResponses": { "reply": reply } });
                    modern(&mut params);
                    work.answered.get_or_insert(false);
                    self.request(server, "tasks/update", params, Want::Answer(at));
                }
            }
            Some(_) => work.over = Some(state),
            None => panic!("`{name}` has no status: {state}"),
        }
    }

    /// Compares everything with what the server lists, and with what was really done.
    pub(crate) fn check(&self, listed: &BTreeSet<String>, marks: &Marks) {
        let told: BTreeSet<String> = self.work.iter().filter_map(|work| work.id.clone()).collect();
        let mut names = BTreeSet::new();
        for work in &self.work {
            assert!(names.insert(&work.name));
            let (Some(id), Some(over)) = (&work.id, &work.over) else {
                assert!(work.is_lost, "`{}` was never answered", work.name);
                continue;
            };
            assert!(listed.contains(id), "`{}` is not listed", work.name);
            if let Some(task) = marks.task(&work.name) {
                assert_eq!(task, id, "`{}` was done by another task", work.name);
            }
            work.check_end(over, marks);
        }
        let unknown = listed.difference(&told).count();
        assert!(
            unknown <= self.counts.lost,
            "{unknown} tasks are listed that no client was told of, and only {} calls without a key were not answered",
            self.counts.lost
        );
    }
}

impl Work {
    /// Checks that the task ended as it may, and with what was really done.
    fn check_end(&self, over: &Value, marks: &Marks) {
        let (name, text) = (&self.name, over["result"]["content"][0]["text"].as_str());
        match over["status"].as_str() {
            Some("cancelled") => assert!(self.cancelled.is_some(), "nobody cancelled `{name}`"),
            Some("failed") => {
                let reason = &over["error"]["data"]["reason"];
                let expected = match self.kind {
                    Kind::Steps(_) | Kind::Ask | Kind::Family(_) => "retries_exhausted",
                    Kind::Once | Kind::Quick => "interrupted",
                };
                assert_eq!(reason, expected, "`{name}`: {over}");
            }
            _ => {
                assert_ne!(over["result"]["isError"], true, "`{name}`: {over}");
                let text = text.unwrap_or_else(|| panic!("`{name}` gave no text: {over}"));
                match self.kind {
                    Kind::Steps(count) => {
                        let values: Vec<&str> = text.split(' ').collect();
                        assert_eq!(values.len(), count, "`{name}`: {over}");
                        for (value, recorded) in values.iter().zip(marks.recorded(name, count)) {
                            assert!(recorded.is_none_or(|recorded| recorded == *value), "`{name}`: {over}");
                        }
                        let partials = &over["_meta"][names::PARTIAL]["values"];
                        assert_eq!(partials, &json!(values), "each step told what it gave, once: {over}");
                    }
                    Kind::Family(children) => {
                        let mut told: Vec<&str> = text.split(',').collect();
                        for number in 0..children {
                            let child = marks.recorded(&format!("{name}/{number}"), 3);
                            let is_of_child = |text: &str| {
                                let values = text.split(' ').zip(&child);
                                values
                                    .filter(|(value, recorded)| recorded.is_some_and(|it| it != *value))
                                    .count()
                                    == 0
                            };
                            let at = told.iter().position(|text| is_of_child(text));
                            told.remove(at.unwrap_or_else(|| panic!("child {number} of `{name}`: {over}")));
                        }
                        assert!(told.is_empty(), "`{name}`: {over}");
                    }
                    Kind::Ask => assert_eq!(text, self.answer()),
                    Kind::Once => assert_eq!(text, format!("once {name}")),
                    Kind::Quick => assert_eq!(text, format!("quick {name}")),
                }
            }
        }
        if matches!(self.kind, Kind::Once | Kind::Quick) {
            assert!(marks.runs(name) <= 1, "`{name}` may run once, and ran {} times", marks.runs(name));
        }
    }
}

fn modern(params: &mut Value) {
    let capabilities = json!({ "elicitation": {}, "extensions": { (names::TASKS): {} } });
    params["_meta"][names::PROTOCOL_VERSION] = MODERN.into();
    params["_meta"][names::CLIENT_CAPABILITIES] = capabilities;
    params["_meta"][names::CLIENT_INFO] = json!({ "name": "crash", "version": "0" });
}

/// The state without what the answer says beside it, but for the partial results.
fn with_partials_alone(mut state: Value) -> Value {
    let partials = state["_meta"][names::PARTIAL].take();
    state["_meta"] = json!({ (names::PARTIAL): partials });
    state
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
        for over in self.work.iter().filter_map(|work| work.over.as_ref()) {
            let how = over["error"]["data"]["reason"].as_str().or(over["status"].as_str());
            *ended.entry(how.unwrap_or("nothing")).or_default() += 1;
        }
        let Counts { deaths, looked_up, retried, lost, answered, cancelled } = self.counts;
        write!(f, "{deaths} deaths, {} tasks, {ended:?}, {looked_up} looked up; ", self.work.len())?;
        write!(f, "{retried} calls repeated under their keys, {lost} without a key never answered, ")?;
        write!(f, "{answered} questions answered, {cancelled} cancelled")
    }
}
