use mcp_runtime::prelude::*;

fn of_nothing() -> Vec<String> {
    Vec::new()
}

fn of_text(typed: String) -> Vec<String> {
    vec![typed]
}

async fn to_number(typed: Completion) -> usize {
    typed.value().len()
}

const WORDS: [&str; 2] = ["rust", "python"];

/// Review a change.
#[prompt]
async fn review(
    #[arg(complete = of_nothing)] a: String,
    #[arg(complete = of_text)] b: String,
    #[arg(complete = to_number)] c: String,
    #[arg(complete = WORDS)] d: String,
) -> String {
    a + &b + &c + &d
}

/// Count words.
#[tool]
async fn count(#[arg(complete = of_text)] text: String) -> usize {
    text.len()
}

fn main() {
    let _ = (prompts![review], tools![count]);
}
