//! The headers of this protocol.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::protocol::names;
use crate::wire::headers::{Field, Headers, Said};
use crate::wire::legacy::Version;

pub(super) static SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
static PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
static METHOD: HeaderName = HeaderName::from_static("mcp-method");
static NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The headers of a request, for judging its body.
pub(super) struct RequestHeaders<'a> {
    pub(super) map: &'a HeaderMap,
    pub(super) strict_names: bool,
}

impl Headers for RequestHeaders<'_> {
    fn get(&self, field: Field<'_>) -> Said<'_> {
        let values = match field {
            Field::Version => self.map.get_all(&PROTOCOL_VERSION),
            Field::Method => self.map.get_all(&METHOD),
            Field::Name => self.map.get_all(&NAME),
            Field::Param(name) => self.map.get_all(name),
        };
        let mut values = values.iter();
        match (values.next(), values.next()) {
            (None, _) => Said::Nothing,
            (Some(value), None) => Said::Once(value.as_bytes()),
            (Some(_), Some(_)) => Said::Repeatedly,
        }
    }

    fn must_name_tasks(&self) -> bool {
        self.strict_names
    }
}

/// What `MCP-Protocol-Version` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    Unsaid,
    /// One that opens with `initialize`.
    Legacy(Version),
    /// The stateless one.
    Modern,
    /// One that is not known here.
    Unknown,
}

impl Revision {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let value = match only(headers, &PROTOCOL_VERSION) {
            Ok(Some(value)) => value,
            Ok(None) => return Self::Unsaid,
            Err(Repeated) => return Self::Unknown,
        };
        let value = value.trim_ascii();
        if value == names::MODERN.as_bytes() {
            return Self::Modern;
        }
        Version::all()
            .find(|version| version.as_str().as_bytes() == value)
            .map_or(Self::Unknown, Self::Legacy)
    }
}

/// Whether the request opens a subscription, going by its header.
pub(super) fn is_listen(headers: &HeaderMap) -> bool {
    headers.get(&METHOD).is_some_and(|method| method == "subscriptions/listen")
}

/// That a header is there several times, so that two readers could take it for two things.
pub(super) struct Repeated;

/// What a header says, of which there is one at most.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Repeated> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Repeated),
    }
}
