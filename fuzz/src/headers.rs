//! HTTP headers: those that repeat the body, those that say who asks from where, and any other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};

use super::server::{ask, initialize, with_server};

const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"fuzz","version":"0"}}}"#;

/// Sends a request whose headers are the lines after the first byte, which says what the rest of it is. A line
/// `name: value` is a header, if it can be one; `SESSION` as a value stands for the id of a session that is open.
///
/// Whatever is sent, a call of the stateless revision is answered with a result only if its headers say what its body says,
/// and nothing but a local host and origin is served.
pub fn headers(bytes: &[u8]) {
    let Some((first, lines)) = bytes.split_first() else { return };
    let (method, body) = match first.wrapping_sub(b'0') % 5 {
        0 | 1 => (Method::POST, CALL),
        2 => (Method::POST, INITIALIZE),
        3 => (Method::GET, &b""[..]),
        _ => (Method::DELETE, &b""[..]),
    };
    with_server(async |http| {
        let session = initialize(&http, "2025-11-25").await;
        let mut request = Request::new(Bytes::from_static(body));
        *request.method_mut() = method;
        for line in lines.split(|byte| *byte == b'\n').take(64) {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            let value = if value.trim_ascii() == b"SESSION" { &session } else { value };
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                request.headers_mut().append(name, value);
            }
        }
        let sent = request.headers().clone();
        let answer = ask(&http, request).await;
        let messages = answer.messages();
        if !answer.status.is_success() {
            return;
        }
        for host in sent.get_all("host") {
            assert!(is_local(host.as_bytes()), "{host:?} was served");
        }
        for origin in sent.get_all("origin") {
            let host = origin
                .as_bytes()
                .splitn(2, |byte| *byte == b'/')
                .nth(1)
                .and_then(|rest| rest.strip_prefix(b"/"));
            assert!(is_local(host.unwrap_or_default()), "{origin:?} was served");
        }
        if body == CALL && messages.iter().any(|message| message.get("result").is_some()) {
            let one = |name: &str| {
                let mut values = sent.get_all(name).iter();
                let value = values.next().map(|value| value.as_bytes().trim_ascii().to_vec());
                assert!(values.next().is_none(), "{name} was sent twice");
                value
            };
            // Without a version, or in a session, it is a call of an earlier revision, which has no such headers.
            if one("mcp-protocol-version").as_deref() == Some(b"2026-07-28") {
                assert_eq!(one("mcp-method").as_deref(), Some(&b"tools/call"[..]));
                assert_eq!(one("mcp-name").map(decoded).as_deref(), Some(&b"add"[..]));
                assert_eq!(one("mcp-param-first").map(decoded).as_deref(), Some(&b"1"[..]));
            }
        }
    });
}

/// The value that a header stands for.
fn decoded(value: Vec<u8>) -> Vec<u8> {
    let wrapped = value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?="));
    match wrapped {
        Some(wrapped) => STANDARD.decode(wrapped).expect("what is no base64 is refused"),
        None => value,
    }
}

/// Whether this is a name or an address of the machine itself, with or without a port.
fn is_local(authority: &[u8]) -> bool {
    let authority = String::from_utf8_lossy(authority.trim_ascii()).to_ascii_lowercase();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => &authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}
