//! Questions to a person at the terminal, in lines.

use console::style;
use mcp_runtime::Elicited;
use mcp_runtime::client::{Conversation, Form, Page};
use serde_json::{Map, Value};

use super::field::Field;
use super::lines::Lines;
use crate::screen::Held;
use crate::screen::text::{clean, one_line, pretty, set_in};

/// What one types to say no.
const DECLINE: &str = ":decline";
/// What one types to leave out what has a value already.
const NOTHING: &str = ":none";

/// A person who types.
#[derive(Debug)]
pub(super) struct Typed {
    lines: Lines,
    server: String,
}

/// That the person does not want to go on.
enum Stop {
    Declined,
    Closed,
}

impl<T> From<Stop> for Elicited<T> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Declined => Self::Declined,
            Stop::Closed => Self::Cancelled,
        }
    }
}

impl Typed {
    pub(super) fn new(server: &str) -> Self {
        Self { lines: Lines::of_stdin(), server: one_line(server) }
    }

    fn heading(&self, screen: &Held<'_>, what: &str, message: &str) {
        let mark = style("?").for_stderr().yellow().bold();
        screen.line(&format!("{mark} {} {what}", style(&self.server).for_stderr().bold()));
        screen.line(&set_in(&clean(message), "  "));
    }

    fn hint(screen: &Held<'_>, hint: &str) {
        screen.line(&style(format!("  {hint}")).for_stderr().dim().to_string());
    }

    fn wrong(screen: &Held<'_>, what: &str) {
        screen.line(&style(format!("  {what}")).for_stderr().red().to_string());
    }

    /// What is typed after a question.
    async fn line(&self, screen: &Held<'_>, question: &str) -> Result<String, Stop> {
        screen.question(&format!("  {question} "));
        match self.lines.next().await {
            None => {
                screen.line("");
                Err(Stop::Closed)
            }
            Some(line) if line.trim() == DECLINE => Err(Stop::Declined),
            Some(line) => Ok(line),
        }
    }

    /// Has a form filled in, field by field, and shown before it is sent if there are several.
    pub(super) async fn form(&self, screen: &Held<'_>, form: &Form) -> Elicited<Value> {
        self.heading(screen, "asks:", &form.message);
        Self::hint(
            screen,
            &format!("Enter takes what is in [brackets], {DECLINE} says no, Ctrl-D closes the question."),
        );
        let fields = Field::of(form);
        let mut content = Map::new();
        loop {
            for field in &fields {
                let before = content.remove(&field.name).or_else(|| field.default().cloned());
                match self.field(screen, field, before.as_ref()).await {
                    Ok(Some(value)) => drop(content.insert(field.name.clone(), value)),
                    Ok(None) => {}
                    Err(stop) => return stop.into(),
                }
            }
            // Each field fits; whether all of them do is for the server to say.
            if fields.len() < 2 {
                return Elicited::Accepted(content.into());
            }
            match self.confirm(screen, "Send it? [yes], or no to change something:", true).await {
                Ok(true) => return Elicited::Accepted(content.into()),
                Ok(false) => {}
                Err(stop) => return stop.into(),
            }
        }
    }

    /// Has a field filled in, as often as it takes.
    async fn field(
        &self,
        screen: &Held<'_>,
        field: &Field,
        before: Option<&Value>,
    ) -> Result<Option<Value>, Stop> {
        for (number, choice) in (1..).zip(field.choices()) {
            screen.line(&format!("    {number}  {}", choice.shown()));
        }
        let shown = before.map_or_else(String::new, |value| format!(" [{}]", field.shown(value)));
        let question = format!("{}{shown}:", field.label());
        loop {
            let line = self.line(screen, &question).await?;
            if line.trim() == NOTHING && !field.is_required {
                return Ok(None);
            }
            if line.trim().is_empty() {
                match before {
                    Some(value) => return Ok(Some(value.clone())),
                    None if !field.is_required => return Ok(None),
                    None => Self::wrong(screen, &format!("`{}` must be filled in", one_line(&field.name))),
                }
                continue;
            }
            match field.parse(&line) {
                Ok(value) => return Ok(Some(value)),
                Err(wrong) => Self::wrong(screen, &clean(&wrong)),
            }
        }
    }

    /// Asks for yes or no.
    async fn confirm(&self, screen: &Held<'_>, question: &str, usual: bool) -> Result<bool, Stop> {
        loop {
            match self.line(screen, question).await?.trim().to_lowercase().as_str() {
                "" => return Ok(usual),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => Self::wrong(screen, "please say yes or no"),
            }
        }
    }

    /// Shows where a page is, all of it, and asks.
    pub(super) async fn page(&self, screen: &Held<'_>, page: &Page) -> Elicited<()> {
        self.heading(screen, "wants you to visit a page:", &page.message);
        screen.line(&format!("  {}", style(clean(&page.url)).for_stderr().cyan().underlined()));
        let host = host(&page.url);
        screen.line(&format!("  It is at {}.", style(one_line(host)).for_stderr().bold()));
        if !page.url.is_ascii() || host.split('.').any(|label| label.starts_with("xn--")) {
            Self::wrong(screen, "Beware: its name has letters that may look like others.");
        }
        Self::hint(screen, "Nothing is opened; agree, and open it in your browser yourself.");
        match self.confirm(screen, "Do you agree to go there? yes or [no]:", false).await {
            Ok(true) => Elicited::Accepted(()),
            Ok(false) => Elicited::Declined,
            Err(stop) => stop.into(),
        }
    }

    /// Shows a conversation, and has it gone on with in a model's place.
    pub(super) async fn conversation(&self, screen: &Held<'_>, asked: &Conversation) -> Option<String> {
        self.heading(screen, "wants a model's answer, which you may give:", "");
        if let Some(system) = &asked.system_prompt {
            screen.line(&format!(
                "  {}\n{}",
                style("system").for_stderr().bold(),
                set_in(&clean(system), "    ")
            ));
        }
        for message in &asked.messages {
            let role = one_line(message["role"].as_str().unwrap_or("?"));
            let content = match &message["content"] {
                Value::Array(items) => items.iter().map(said).collect::<Vec<_>>().join("\n"),
                one => said(one),
            };
            screen.line(&format!("  {}\n{}", style(role).for_stderr().bold(), set_in(&content, "    ")));
        }
        Self::hint(
            screen,
            &format!("Up to {} tokens. An empty line ends it, {DECLINE} says no.", asked.max_tokens),
        );
        let mut answer: Vec<String> = Vec::new();
        loop {
            match self.line(screen, ">").await {
                Ok(line) if line.trim().is_empty() && answer.is_empty() => {
                    Self::wrong(screen, &format!("an answer has some text; {DECLINE} says no"));
                }
                Ok(line) if line.trim().is_empty() => return Some(answer.join("\n")),
                Ok(line) => answer.push(line),
                Err(Stop::Closed) if !answer.is_empty() => return Some(answer.join("\n")),
                Err(_) => return None,
            }
        }
    }
}

/// What an item of a message says.
fn said(item: &Value) -> String {
    match (item["type"].as_str(), item["text"].as_str(), item["mimeType"].as_str()) {
        (Some("text"), Some(text), _) => clean(text),
        (Some(kind), _, Some(mime_type)) => format!("[{}: {}]", one_line(kind), one_line(mime_type)),
        _ => pretty(item),
    }
}

/// The host of a URL: who is visited there.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_host_is_who_is_visited() {
        assert_eq!(host("https://bank.example@evil.example/bank.example"), "evil.example");
        assert_eq!(host("https://example.com:8443?x=/y"), "example.com:8443");
        assert_eq!(host("mailto:ada@example.com"), "example.com");
    }

    #[test]
    fn what_a_message_says_is_shown_and_what_it_holds_is_named() {
        assert_eq!(said(&json!({ "type": "text", "text": "a\u{7}" })), "a\u{fffd}");
        assert_eq!(
            said(&json!({ "type": "image", "mimeType": "image/png", "data": "" })),
            "[image: image/png]"
        );
    }
}
