/// Find memories.
#[tool(blocking)]
fn find(Args(query): Args<Query>) -> String {
    query.text
}

/// Forget everything.
#[tool(destructive)]
#[cfg(unix)]
async fn forget() {}
