//! Web pages that have no business here.

use http::Method;
use serde_json::json;

use crate::inside::{Asking, initialize};
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

/// Every message of a page of another origin is one that its browser asks about before.
#[tokio::test]
async fn a_browser_is_told_that_an_allowed_page_may_talk_to_the_server() {
    let http = server().0.http();
    let origin = "http://localhost:6274";
    let wanted = "authorization,content-type,mcp-param-region,mcp-protocol-version";
    let preflight = || {
        Asking::bare(Method::OPTIONS)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", wanted)
    };
    let reply = preflight().header("Origin", origin).to(&http).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), origin);
    assert_eq!(reply.header("access-control-allow-methods"), "POST, GET, DELETE");
    assert_eq!(reply.header("access-control-allow-headers"), wanted);
    assert_eq!(reply.header("vary"), "origin");
    assert_eq!(reply.header("access-control-allow-credentials"), "");

    let reply = discover().header("Origin", origin).to(&http).await;
    assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (200, origin));
    let opened = Asking::post(initialize("2025-11-25").to_string()).header("Origin", origin).to(&http).await;
    assert_eq!(opened.header("access-control-expose-headers"), "mcp-session-id");

    for reply in [
        preflight().header("Origin", "http://evil.example.com").to(&http).await,
        discover().header("Origin", "http://evil.example.com").to(&http).await,
    ] {
        assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (403, ""));
    }
    assert_eq!(preflight().to(&http).await.status, 405, "no page asks that");
    assert_eq!(discover().to(&http).await.header("access-control-allow-origin"), "");
}
