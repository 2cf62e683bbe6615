//! Prompts.

use std::sync::Arc;

use mcp_runtime::prelude::*;
use mcp_runtime::testing::TestClient;
use serde_json::{Value, json};

struct Rules(Vec<String>);

fn client() -> TestClient {
    Server::new("test", "0.0.0")
        .state(Rules(vec!["no panics".to_owned(), "names".to_owned()]))
        .prompts(prompts![review, hello, conversation, fail, fail_as_protocol])
        .prompts(Rules::questions())
        .test_client()
        .expect("the server is well made")
}

async fn get(name: &str, arguments: Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    client().request("prompts/get", params).await.expect("the prompt is got")
}

async fn text(name: &str, arguments: Value) -> String {
    get(name, arguments).await["messages"][0]["content"]["text"].as_str().unwrap_or_default().to_owned()
}

/// The code and the message of an error.
async fn refusal(name: &str, arguments: Value) -> (i64, String) {
    let params = json!({ "name": name, "arguments": arguments });
    let error = client().request("prompts/get", params).await.expect_err("the prompt is refused");
    (error.code, error.message)
}

async fn suggested(name: &str, argument: &str, value: &str) -> Value {
    let params = json!({
        "ref": { "type": "ref/prompt", "name": name },
        "argument": { "name": argument, "value": value }
    });
    client().request("completion/complete", params).await.expect("suggestions")["completion"]["values"]
        .clone()
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Formal,
    Casual,
}

fn languages(typed: Completion) -> Vec<String> {
    typed.among(["rust", "ruby", "python"])
}

async fn rules(typed: Completion, rules: State<Rules>) -> Vec<String> {
    tokio::task::yield_now().await;
    typed.among(rules.0.iter().cloned())
}

/// Ask for a review.
#[prompt(name = "code-review", title = "Review", icon = "https://example.org/icon.png")]
async fn review(
    /// The change.
    #[arg(length(1..=100))]
    diff: String,
    /// How strict to be.
    #[arg(default = 3, range(1..=5), title = "Strictness")]
    strictness: u8,
    #[arg(complete = languages)] language: Option<String>,
    #[arg(complete = rules, rename = "firstRule")] rule: Option<String>,
    tone: Option<Tone>,
    #[arg(default)] loud: bool,
    rules: State<Rules>,
    _: Context,
) -> String {
    format!("{diff} {strictness} {language:?} {rule:?} {tone:?} {loud} {}", rules.0.len())
}

#[tokio::test]
async fn a_prompt_is_listed_with_everything_that_was_declared() {
    let listed = client().request("prompts/list", json!({})).await.expect("prompts are listed");
    let names: Vec<_> =
        listed["prompts"].as_array().into_iter().flatten().map(|prompt| &prompt["name"]).collect();
    assert_eq!(names, ["code-review", "hello", "conversation", "fail", "fail_as_protocol", "ask", "ask_all"]);
    let review = &listed["prompts"][0];
    assert_eq!((&review["title"], &review["description"]), (&json!("Review"), &json!("Ask for a review.")));
    assert_eq!(review["icons"], json!([{ "src": "https://example.org/icon.png" }]));
    assert_eq!(
        review["arguments"],
        json!([
            { "name": "diff", "description": "The change.", "required": true },
            { "name": "strictness", "title": "Strictness", "description": "How strict to be.", "required": false },
            { "name": "language", "required": false },
            { "name": "firstRule", "required": false },
            { "name": "tone", "required": false },
            { "name": "loud", "required": false }
        ])
    );
}

#[tokio::test]
async fn text_is_read_as_what_the_parameter_is() {
    assert_eq!(text("code-review", json!({ "diff": "+1" })).await, "+1 3 None None None false 2");
    let all = json!({
        "diff": "5", "strictness": "5", "language": "rust", "firstRule": "names", "tone": "casual", "loud": "true"
    });
    assert_eq!(text("code-review", all).await, r#"5 5 Some("rust") Some("names") Some(Casual) true 2"#);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_all_of_it_at_once() {
    let arguments = json!({ "diff": "", "strictness": "9", "tone": "rude", "dif": "" });
    let (code, told) = refusal("code-review", arguments).await;
    assert_eq!(code, -32602);
    for part in ["`diff`", "`strictness` must be at most 5", "`tone`", "did you mean `diff`?"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn suggestions_come_from_functions_and_from_types() {
    assert_eq!(suggested("code-review", "language", "ru").await, json!(["rust", "ruby"]));
    assert_eq!(suggested("code-review", "firstRule", "N").await, json!(["no panics", "names"]));
    assert_eq!(suggested("code-review", "tone", "f").await, json!(["formal"]));
    assert_eq!(suggested("code-review", "diff", "f").await, json!([]));
    assert_eq!(suggested("ask", "rule", "na").await, json!(["names"]));
}

/// Say hello.
#[prompt(blocking)]
fn hello() -> &'static str {
    "Hello"
}

/// Show a conversation.
#[prompt]
async fn conversation() -> Vec<PromptMessage> {
    vec![PromptMessage::user(Content::image([1], "image/png")), PromptMessage::assistant("A dot.")]
}

#[tokio::test]
async fn messages_are_what_the_function_gives() {
    assert_eq!(
        get("hello", json!({})).await["messages"],
        json!([{ "role": "user", "content": { "type": "text", "text": "Hello" } }])
    );
    let messages = get("conversation", json!({})).await["messages"].take();
    assert_eq!(
        (&messages[0]["content"]["type"], &messages[1]["role"]),
        (&json!("image"), &json!("assistant"))
    );
}

/// Fail in words.
#[prompt]
async fn fail() -> Result<String, std::num::ParseIntError> {
    "x".parse::<u32>().map(|number| number.to_string())
}

/// Fail as the protocol does.
#[prompt]
async fn fail_as_protocol() -> Result<String, ProtocolError> {
    Err(ProtocolError::invalid_params("no"))
}

#[tokio::test]
async fn errors_are_those_of_the_request() {
    assert_eq!(refusal("fail", json!({})).await, (-32603, "invalid digit found in string".to_owned()));
    assert_eq!(refusal("fail_as_protocol", json!({})).await, (-32602, "no".to_owned()));
}

#[prompt(list = "questions")]
impl Rules {
    fn beginning(typed: Completion, rules: State<Self>) -> Vec<String> {
        typed.among(rules.0.iter().cloned())
    }

    /// Ask about a rule.
    #[prompt]
    async fn ask(&self, #[arg(complete = Self::beginning)] rule: String) -> String {
        format!("Is \"{rule}\" one of {} rules?", self.0.len())
    }

    /// Ask about all rules.
    #[prompt]
    async fn ask_all(self: Arc<Self>) -> String {
        self.0.join(", ")
    }
}

#[tokio::test]
async fn methods_share_their_type_as_state() {
    assert_eq!(text("ask", json!({ "rule": "names" })).await, "Is \"names\" one of 2 rules?");
    assert_eq!(text("ask_all", json!({})).await, "no panics, names");
}

#[tokio::test]
async fn the_function_stays_one() {
    assert_eq!(hello(), "Hello");
    assert_eq!(Rules(Vec::new()).ask("a".to_owned()).await, "Is \"a\" one of 0 rules?");
}
