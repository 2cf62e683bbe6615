//! At a pseudo-terminal: bars, Ctrl-C once and twice, and questions at the prompt.

use std::time::{Duration, Instant};

use rexpect::process::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use tests::example;

use crate::{Host, fixture, quoted};

/// After which time something counts as hanging, in milliseconds.
const DEADLINE: u64 = 60_000;

/// How much is told of what came instead of what was waited for.
const TOLD: usize = 2000;

/// The program at a terminal.
struct Terminal(PtySession);

impl Terminal {
    fn start(host: &Host, arguments: &[&str]) -> Self {
        let options = Options::new().timeout_ms(Some(DEADLINE)).strip_ansi_escape_codes(true);
        Self(spawn_with_options(host.command(arguments), options).expect("a terminal can be made"))
    }

    /// Waits until this is written, which is ASCII: anything else comes in bytes.
    fn see(&mut self, text: &str) {
        if let Err(error) = self.0.exp_string(text) {
            let told: String = error.to_string().chars().rev().take(TOLD).collect();
            panic!("`{text}` does not come: ..{}", told.chars().rev().collect::<String>());
        }
    }

    /// Waits until a task is told of, and gives its id.
    fn see_task(&mut self) -> String {
        self.see("is task ");
        let (_, id) = self.0.exp_regex("[0-9a-f-]{36}").expect("it has an id");
        id
    }

    fn press_ctrl_c(&mut self) {
        self.0.send_control('c').expect("keys can be pressed");
    }

    /// Waits for a question that ends in this, and answers it.
    fn answer(&mut self, question: &str, answer: &str) {
        self.see(question);
        self.0.send_line(answer).expect("keys can be pressed");
    }

    /// Waits for the end, and gives the exit code.
    fn end(self) -> i32 {
        self.rest().0
    }

    /// The same with all that was written until then.
    fn rest(mut self) -> (i32, String) {
        let rest = self.0.exp_eof().expect("it ends");
        match self.0.process().wait() {
            Ok(WaitStatus::Exited(_, code)) => (code, rest),
            other => panic!("it ended in another way: {other:?}"),
        }
    }
}

/// Waits until it is remembered which task the last call became.
fn remembered_task(host: &Host) -> String {
    let start = Instant::now();
    loop {
        let remembered = host.remembered();
        let last = remembered["tasks"].as_array().and_then(|tasks| tasks.last());
        if let Some(id) = last.and_then(|task| task["task"].as_str()) {
            return id.to_owned();
        }
        assert!(start.elapsed() < Duration::from_millis(DEADLINE), "no task is remembered: {remembered}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn ctrl_c_leaves_a_task_which_is_come_back_to() {
    let Some(host) = Host::new("ctrl-c-once") else { return };
    let fixture = fixture();
    let server = ["--http", fixture.url()];
    let words =
        [&server[..], &["--leave-after", "0s", "call", "wait", "gate=g", "steps=2", "--task"]].concat();
    let mut terminal = Terminal::start(&host, &words);
    let id = terminal.see_task();
    terminal.see(" 67 %  step 2");
    terminal.press_ctrl_c();
    terminal.see(&format!("follow {id}"));
    assert_eq!(terminal.end(), 130);
    let mut terminal = Terminal::start(&host, &["follow", &id]);
    terminal.see(" 67 %  step 2");
    host.ok(&[&server[..], &["call", "open", "gate=g"]].concat());
    terminal.see("passed g");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_second_ctrl_c_cancels_the_task_and_waits_until_that_is_acknowledged() {
    let Some(host) = Host::new("ctrl-c-twice") else { return };
    let Some(counter) = example("counter") else { return };
    let fixture = fixture();
    // The child is not to hear of Ctrl-C itself: it could not acknowledge anything then.
    let counter = quoted(&counter, "");
    for words in [
        &["--http", fixture.url(), "call", "wait", "gate=g", "--task"][..],
        &["--http", fixture.url(), "--revisions", "legacy", "call", "wait", "gate=h", "--task"],
        &["--stdio", &counter, "call", "count", "to=1000", "--task"],
    ] {
        let words = [words, &["--leave-after", "1h"]].concat();
        let mut terminal = Terminal::start(&host, &words);
        let id = terminal.see_task();
        terminal.press_ctrl_c();
        terminal.see("Ctrl-C again within 1h cancels instead.");
        terminal.press_ctrl_c();
        // Which of the two comes first is chance.
        let (code, rest) = terminal.rest();
        assert!(rest.contains(&format!("asked to cancel task {id}, and took note")), "{rest}");
        assert!(rest.contains("was cancelled") && code == 7, "{code}: {rest}");
    }
}

#[test]
fn a_call_that_is_no_task_is_given_up_by_ctrl_c() {
    for revisions in ["modern", "legacy"] {
        let Some(host) = Host::new(&format!("ctrl-c-call-{revisions}")) else { return };
        let fixture = fixture();
        let server = ["--http", fixture.url(), "--revisions", revisions];
        let words = [&server[..], &["call", "wait", "gate=g", "steps=2", "--no-task"]].concat();
        let mut terminal = Terminal::start(&host, &words);
        terminal.see("step 2");
        terminal.press_ctrl_c();
        assert_eq!(terminal.end(), 130);
        // The server has heard of it.
        host.ok(&[&server[..], &["call", "pass", "gate=g-left"]].concat());
    }
}

#[test]
fn a_form_is_asked_at_the_prompt_until_it_fits() {
    for revisions in ["modern", "legacy"] {
        let Some(host) = Host::new(&format!("form-{revisions}")) else { return };
        let fixture = fixture();
        let words = ["--http", fixture.url(), "--revisions", revisions, "call", "gift", "--task"];
        let mut terminal = Terminal::start(&host, &words);
        terminal.see("What is it to be?");
        terminal.answer("(1 to 20 characters):", "");
        terminal.see("`name` must be filled in");
        terminal.answer("(1 to 20 characters):", "Ada");
        terminal.answer("(an address of mail, may be left out):", "ada");
        terminal.see("`ada` is no email");
        terminal.answer("(an address of mail, may be left out):", "ada@example.com");
        terminal.answer("(a whole number, 1 to 9):", "10");
        terminal.see("`count` must be at most 9, got 10");
        terminal.answer("(a whole number, 1 to 9):", "2");
        terminal.answer("(a number) [0.0]:", "");
        terminal.answer("(yes or no):", "perhaps");
        terminal.see("neither yes nor no");
        terminal.answer("(yes or no):", "y");
        terminal.see("2  cloth");
        terminal.answer("(one of these):", "2");
        terminal.see("A card with a few words (card)");
        terminal.answer("may be left out):", "a card");
        // What was typed stands in brackets when it is gone through again.
        terminal.answer("Send it?", "no");
        for (question, answer) in [
            ("[Ada]:", "Eve"),
            ("[ada@example.com]:", ":none"),
            ("[2]:", ""),
            ("[0.0]:", ""),
            ("[yes]:", ""),
            ("[cloth]:", ""),
            ("[A card with a few words]:", ""),
            ("Send it?", ""),
        ] {
            terminal.answer(question, answer);
        }
        terminal
            .see("accepted {\"name\":\"Eve\",\"address\":null,\"count\":2,\"weight\":0.0,\"secret\":true");
        assert_eq!(terminal.end(), 0);
    }
}

#[test]
fn pages_conversations_and_several_questions_are_asked_one_after_the_other() {
    let Some(host) = Host::new("questions-typed") else { return };
    let fixture = fixture();
    let call = |words: &[&str]| Terminal::start(&host, &[&["--http", fixture.url(), "call"], words].concat());
    let mut terminal = call(&["visit", "--task"]);
    terminal.see("https://example.com/pay?order=7");
    terminal.see("It is at example.com.");
    terminal.answer("yes or [no]:", "yes");
    terminal.see("accepted null");
    assert_eq!(terminal.end(), 0);
    let mut terminal = call(&["muse", "question=What is new?", "--no-task"]);
    terminal.see("Be brief.");
    terminal.see("What is new?");
    terminal.answer("> ", "Nothing");
    terminal.answer("> ", "at all.");
    terminal.answer("> ", "");
    terminal.see("a person: Nothing\r\nat all. (endTurn)");
    assert_eq!(terminal.end(), 0);
    let mut terminal = call(&["visit"]);
    terminal.answer("yes or [no]:", ":decline");
    terminal.see("declined");
    assert_eq!(terminal.end(), 0);
    let mut terminal = call(&["insist", "times=2", "--task"]);
    terminal.see("Who is number 0?");
    terminal.answer("name: A name.:", "Ada");
    terminal.see("Who is number 1?");
    terminal.0.send_control('d').expect("keys can be pressed");
    terminal.see("asked 2 times");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_question_that_was_left_is_answered_later() {
    let Some(host) = Host::new("answer") else { return };
    let fixture = fixture();
    for revisions in ["modern", "legacy"] {
        let server = ["--http", fixture.url(), "--revisions", revisions];
        let start = |words: &[&str]| Terminal::start(&host, &[&server, words].concat());
        let mut terminal = start(&["--leave-after", "0s", "call", "careful", "--task"]);
        terminal.see("name: A name.:");
        // The question may come before the word that there is a task.
        let id = remembered_task(&host);
        terminal.press_ctrl_c();
        terminal.see(&format!("follow {id}"));
        assert_eq!(terminal.end(), 130);
        let mut terminal = start(&["answer", &id]);
        terminal.answer("name: A name.:", "Ada");
        terminal.see(&format!("task {id} is "));
        assert_eq!(terminal.end(), 0);
        let followed = host.ok(&[&server[..], &["follow", &id]].concat());
        assert_eq!(followed.stdout, "accepted {\"name\":\"Ada\"}\n");
        let again = host.run(&[&server[..], &["answer", &id]].concat());
        assert!(again.code == Some(2) && again.stderr.contains("waits for no answer"), "{again:?}");
    }
}
