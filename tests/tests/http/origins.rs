//! Web pages that have no business here.

use serde_json::json;

use crate::inside::Asking;
use crate::tools::server;

fn discover() -> Asking {
    Asking::modern(1, "server/discover", json!({}))
}

#[tokio::test]
async fn a_server_on_this_machine_answers_to_its_names_alone() {
    let http = server().0.http();
    for (host, origin, status) in [
        ("localhost:3000", None, 200),
        ("127.0.0.1", Some("http://localhost:5173"), 200),
        ("evil.example.com", None, 403),
        ("localhost:3000", Some("http://evil.example.com"), 403),
        ("localhost:3000", Some("null"), 403),
    ] {
        let asking = discover().header("Host", host);
        let asking = match origin {
            Some(origin) => asking.header("Origin", origin),
            None => asking,
        };
        assert_eq!(asking.to(&http).await.status.as_u16(), status, "{host} {origin:?}");
    }
    let reply = discover().without("Host").to(&http).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn other_hosts_and_origins_are_named() {
    let http =
        server().0.http().allowed_hosts(["mcp.example.com"]).allowed_origins(["https://app.example.com"]);
    let asking = discover().header("Host", "mcp.example.com").header("Origin", "https://app.example.com");
    assert_eq!(asking.to(&http).await.status, 200);
    assert_eq!(discover().to(&http).await.status, 403, "localhost was not named");
    let any = server().0.http().any_host();
    assert_eq!(discover().header("Host", "whatever").to(&any).await.status, 200);
}
