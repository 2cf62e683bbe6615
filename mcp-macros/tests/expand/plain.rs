/// Look something up.
#[tool]
pub async fn look_up(
    /// What to look for.
    query: String,
    /// How many answers at most.
    limit: Option<u32>,
    /// Whether to look in the archive too.
    archived: bool,
) -> String {
    format!("{query} {limit:?} {archived}")
}
