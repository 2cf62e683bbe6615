/// Review a change.
#[prompt(title = "Review")]
async fn review(
    /// The change.
    diff: String,
    /// How strict to be.
    #[arg(default = 3, range(1..=5), title = "Strictness")]
    strictness: u8,
    #[arg(complete = languages)] language: Option<String>,
    rules: State<Rules>,
) -> Result<Vec<PromptMessage>, ReviewError> {
    rules.review(diff, strictness, language).await
}
