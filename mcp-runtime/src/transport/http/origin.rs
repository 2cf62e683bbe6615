//! Which `Host` and `Origin` a request may have, so that no web page can talk to a server on its reader's machine by DNS
//! rebinding.

use std::fmt;
use std::net::IpAddr;

use http::header::{HOST, HeaderMap, ORIGIN};
use http::{HeaderValue, StatusCode, Uri};

/// The hosts and origins that are answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    pub(super) hosts: Hosts,
    pub(super) origins: Vec<Box<str>>,
}

/// The hosts by whose name the server may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Hosts {
    /// The names of this machine alone.
    #[default]
    Local,
    /// These, by name or by name and port.
    Named(Vec<Box<str>>),
    Any,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    Host(String),
    /// There are several, of which this server could take one, and a proxy before it another.
    Hosts,
    Origin(String),
}

impl Foreign {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Hosts => StatusCode::BAD_REQUEST,
            Self::Host(_) | Self::Origin(_) => StatusCode::FORBIDDEN,
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(f, "this server does not answer to the host `{host}`"),
            Self::Hosts => f.write_str("the header Host is there more than once"),
            Self::Origin(origin) => write!(f, "this server does not answer the origin `{origin}`"),
        }
    }
}

impl Allowed {
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
        let mut hosts = headers.get_all(HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (named, None) => named.map(|host| host.to_str().unwrap_or_default()),
            (_, Some(_)) => return Err(Foreign::Hosts),
        };
        // HTTP/2 has it in the request's target alone, and HTTP/1.1 may have it there as well.
        let targeted = uri.authority().map(http::uri::Authority::as_str);
        let host = targeted.or(named);
        for host in [host, named.or(targeted)] {
            if !self.answers_to(host) {
                return Err(Foreign::Host(host.unwrap_or_default().to_owned()));
            }
        }
        for origin in headers.get_all(ORIGIN) {
            if !self.answers(origin, host) {
                return Err(Foreign::Origin(String::from_utf8_lossy(origin.as_bytes()).into_owned()));
            }
        }
        Ok(())
    }

    fn answers_to(&self, host: Option<&str>) -> bool {
        match &self.hosts {
            Hosts::Any => true,
            Hosts::Local => host.and_then(split).is_some_and(|(name, _)| is_local(name)),
            Hosts::Named(hosts) => {
                host.is_some_and(|host| hosts.iter().any(|allowed| is_meant(allowed, host)))
            }
        }
    }

    /// Whether a page of this origin may talk to the server: one that was named, one of this machine's, and one that the
    /// server itself was called by.
    fn answers(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        if self.origins.iter().any(|allowed| origin.eq_ignore_ascii_case(allowed)) {
            return true;
        }
        if !self.origins.is_empty() {
            return false;
        }
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(is_of_scheme) {
            return false;
        }
        let Some((name, _)) = split(authority) else { return false };
        // Whoever has a name can have it lead here, and then call the server by it. Nobody has an address.
        let cannot_lie = self.hosts != Hosts::Any || name.parse::<IpAddr>().is_ok();
        is_local(name) || cannot_lie && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    }
}

/// Whether a host is the allowed one: on the port that it has, or on any if it has none.
fn is_meant(allowed: &str, host: &str) -> bool {
    let name = match split(allowed) {
        Some((_, Some(_))) => return host.eq_ignore_ascii_case(allowed),
        Some((name, None)) => name,
        // An IPv6 address without its brackets.
        None => allowed,
    };
    split(host).is_some_and(|(given, _)| given.eq_ignore_ascii_case(name))
}

/// The name and the port of an authority.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']')?;
            (name, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (!name.is_empty() && port.is_none_or(is_port)).then_some((name, port))
}

fn is_local(name: &str) -> bool {
    // What ends with a dot is the same name.
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allowed: &Allowed, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).expect("a header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).expect("a header"));
        }
        allowed.check(&Uri::from_static("/mcp"), &headers).is_ok()
    }

    #[test]
    fn a_local_server_answers_to_the_names_of_its_machine_alone() {
        let local = Allowed::default();
        for host in
            ["localhost", "LocalHost:8080", "127.0.0.1:80", "127.1.2.3", "[::1]:3000", "[::1]", "localhost."]
        {
            assert!(check(&local, host, None), "{host}");
        }
        for host in [
            "evil.example.com",
            "localhost.evil.example.com",
            "127.0.0.1.evil.example.com:80",
            "localhost:80:evil",
            "localhost:x",
            "192.168.0.1",
            "[::2]",
            "[::1",
            "[::1]x",
            "",
            ":80",
        ] {
            assert!(!check(&local, host, None), "{host}");
        }
        let mut none = HeaderMap::new();
        assert!(local.check(&Uri::from_static("/mcp"), &none).is_err());
        assert!(local.check(&Uri::from_static("http://localhost/mcp"), &none).is_ok(), "as HTTP/2 has it");
        none.insert(HOST, HeaderValue::from_static("evil"));
        assert!(local.check(&Uri::from_static("http://localhost/mcp"), &none).is_err());
    }

    #[test]
    fn a_page_may_talk_to_the_server_if_it_is_of_this_machine() {
        let local = Allowed::default();
        for origin in ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"] {
            assert!(check(&local, "localhost:3000", Some(origin)), "{origin}");
        }
        for origin in [
            "http://evil.example.com",
            "null",
            "localhost",
            "http://localhost.evil.example.com",
            "http://",
            "://localhost",
            "http:/http://localhost",
        ] {
            assert!(!check(&local, "localhost:3000", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn names_and_origins_can_be_allowed() {
        let hosts = Hosts::Named(vec!["mcp.example.com".into(), "other.example.com:8443".into()]);
        let named = Allowed { hosts, origins: vec!["https://app.example.com".into()] };
        assert!(check(&named, "MCP.example.com", None));
        assert!(check(&named, "mcp.example.com:8080", Some("https://app.example.com")));
        assert!(check(&named, "other.example.com:8443", None));
        assert!(!check(&named, "other.example.com", None));
        assert!(!check(&named, "localhost", None));
        assert!(!check(&named, "mcp.example.com", Some("https://mcp.example.com")), "only what was named");
        let any = Allowed { hosts: Hosts::Any, origins: Vec::new() };
        assert!(check(&any, "whatever:1", None));
        assert!(check(&any, "192.168.0.7:1", Some("http://192.168.0.7:1")));
        assert!(!check(&any, "192.168.0.7:1", Some("http://evil.example.com")));
        for address in ["[2001:db8::1]", "2001:db8::1", "[2001:DB8::1]:80"] {
            let named = Allowed { hosts: Hosts::Named(vec![address.into()]), origins: Vec::new() };
            assert!(check(&named, "[2001:db8::1]:80", Some("http://[2001:db8::1]:80")), "{address}");
            assert!(!check(&named, "[2001:db8::2]:80", None), "{address}");
        }
    }

    /// A page of a name that its owner has just made lead to this machine.
    #[test]
    fn a_server_that_answers_to_every_name_believes_no_page_that_calls_it_by_its_own() {
        let any = Allowed { hosts: Hosts::Any, origins: Vec::new() };
        assert!(!check(&any, "evil.example.com:1", Some("http://evil.example.com:1")));
        let hosts = Hosts::Named(vec!["mcp.example.com".into()]);
        let named = Allowed { hosts, origins: Vec::new() };
        assert!(check(&named, "mcp.example.com", Some("https://mcp.example.com")));
    }

    #[test]
    fn who_gives_two_hosts_or_origins_does_not_have_one_of_them_overlooked() {
        let local = Allowed::default();
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("localhost"));
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        let check = |headers: &HeaderMap, uri| local.check(&Uri::from_static(uri), headers);
        assert_eq!(check(&headers, "/mcp"), Ok(()));
        assert!(check(&headers, "http://evil.example.com/mcp").is_err());
        headers.append(ORIGIN, HeaderValue::from_static("http://evil.example.com"));
        assert!(matches!(check(&headers, "/mcp"), Err(Foreign::Origin(_))));
        headers.append(HOST, HeaderValue::from_static("evil.example.com"));
        assert_eq!(check(&headers, "/mcp"), Err(Foreign::Hosts));
    }
}
