//! Where a server is, and what every request to it says.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HOST};
use http::request::Builder;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use tokio::sync::Mutex;

use super::super::{BoxFuture, Broken};
use crate::client::error::Error;

/// Gives a bearer token. It is told the token that the server refused, if it did.
pub(in crate::client) type TokenProvider =
    Arc<dyn Fn(Option<String>) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// Who says that the client may.
#[derive(Clone, Default)]
pub(in crate::client) enum Token {
    #[default]
    None,
    Fixed(String),
    Provided(TokenProvider),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed(_) => "Fixed(..)",
            Self::Provided(_) => "Provided(..)",
        })
    }
}

/// Where a server is, and what every request to it says.
#[derive(Debug)]
pub(in crate::client) struct Address {
    /// Host and port, as the `Host` header has them.
    pub(super) authority: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether the server is spoken to by `https`.
    pub(super) is_secure: bool,
    /// Path and query.
    target: String,
    headers: HeaderMap,
    token: Token,
    /// The token that the provider gave last.
    provided: Mutex<Option<String>>,
}

impl Address {
    pub(in crate::client) fn new(
        url: &str,
        headers: &[(String, String)],
        token: Token,
    ) -> Result<Self, Error> {
        let invalid = |what: &dyn fmt::Display| Error::Invalid(format!("{url}: {what}"));
        let uri: Uri = url.parse().map_err(|error| invalid(&error))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") if cfg!(feature = "client-tls") => true,
            Some("https") => {
                let message = "https needs the feature `client-tls` of mcp-runtime, which this program was built without";
                return Err(Error::Unsupported(format!("{url}: {message}")));
            }
            _ => return Err(invalid(&"the address of a server begins with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| invalid(&"there is no host"))?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().map_err(|error| invalid(&error))?;
            map.append(name, HeaderValue::from_str(value).map_err(|error| invalid(&error))?);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self {
            // What stands before the host is no part of it.
            authority: authority.as_str().rsplit('@').next().unwrap_or_default().to_owned(),
            host,
            port: authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            is_secure,
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: map,
            token,
            provided: Mutex::new(None),
        })
    }

    /// Whether the server is spoken to by `https`.
    #[cfg(feature = "client-tls")]
    pub(in crate::client) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The beginning of a request. `refused` is the token that the server did not take.
    pub(super) async fn request(&self, method: Method, refused: Option<String>) -> Result<Builder, Broken> {
        let mut request = Request::builder().method(method).uri(&self.target).header(HOST, &self.authority);
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        if let Some(token) = self.token(refused).await? {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        Ok(request)
    }

    /// The token that was sent, if there may be another one.
    pub(super) async fn refused_token(&self) -> Option<String> {
        self.provided.lock().await.clone()
    }

    async fn token(&self, refused: Option<String>) -> Result<Option<String>, Broken> {
        let provider = match &self.token {
            Token::None => return Ok(None),
            Token::Fixed(token) => return Ok(Some(token.clone())),
            Token::Provided(provider) => provider,
        };
        let mut provided = self.provided.lock().await;
        // Of several requests that were refused, the first gets another token for all.
        if provided.is_none() || refused.is_some() && *provided == refused {
            let token = provider(refused).await;
            *provided = Some(token.map_err(|error| Broken::Invalid(format!("there is no token: {error}")))?);
        }
        Ok(provided.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let address = |url: &str| Address::new(url, &[], Token::None);
        let plain = address("http://localhost:8001").expect("an address");
        assert_eq!((plain.host.as_str(), plain.port, plain.target.as_str()), ("localhost", 8001, "/"));
        let other = address("http://user@[::1]/mcp?x=1").expect("an address");
        assert_eq!((other.host.as_str(), other.port, other.target.as_str()), ("::1", 80, "/mcp?x=1"));
        assert_eq!(other.authority, "[::1]");
        let secure = address("https://localhost/mcp");
        if cfg!(feature = "client-tls") {
            assert_eq!(secure.map(|it| (it.port, it.is_secure)).ok(), Some((443, true)));
        } else {
            let told = secure.expect_err("there is no TLS").to_string();
            assert!(told.contains("needs the feature `client-tls`"), "{told}");
        }
        assert!(address("localhost:8001").is_err());
        assert!(address("ftp://localhost").is_err());
    }
}
