//! `requestState`: what a plain call of the modern wire remembers between its rounds, sealed, since the client keeps it
//! (SEP-2322).

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orion::hazardous::aead::xchacha20poly1305::{Nonce, SecretKey, XChaCha20Poly1305};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::protocol::ProtocolError;
use crate::protocol::time::Timestamp;
use crate::task::journal::Kept;
use crate::task::{Principal, RequestKind};

/// The form of what is sealed; another form has another number.
const VERSION: u8 = 2;
const NONCE: usize = 24;
const TAG: usize = 16;
const EXPIRY: usize = 8;

/// Seals and opens what calls remember.
pub(crate) struct Seal {
    key: SecretKey,
    ttl: Duration,
}

/// The request that a state belongs to. With any other, it does not open.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) principal: Principal,
    pub(crate) kind: RequestKind,
    pub(crate) name: Box<str>,
    pub(crate) arguments: Option<Box<RawValue>>,
}

impl Binding {
    /// The same bytes for the same request, however its client writes the arguments.
    fn bytes(&self) -> Vec<u8> {
        let text = self.arguments.as_ref().map_or("{}", |arguments| arguments.get());
        let arguments = match serde_json::from_str(text).ok().and_then(|value: Value| sorted(&value)) {
            // Arguments that are left out are the same as none.
            Some(Value::Null) => Ok(Value::Object(Map::new())),
            Some(arguments) => Ok(arguments),
            // What cannot be told from everything else by its value is told by its text.
            None => Err(text),
        };
        let parts = (self.principal.as_str(), self.kind.method(), &*self.name, arguments);
        serde_json::to_vec(&parts).unwrap_or_default()
    }
}

/// Members in the order of their names, whatever map `serde_json` was built with. `None` if there is a number that is
/// not known exactly.
fn sorted(value: &Value) -> Option<Value> {
    /// From here on, several whole numbers are read as one.
    const INEXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(members) => {
            let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
            names.sort_unstable();
            let sorted_member = |name: &str| Some((name.to_owned(), sorted(members.get(name)?)?));
            names.into_iter().map(sorted_member).collect::<Option<_>>().map(Value::Object)
        }
        Value::Array(items) => items.iter().map(sorted).collect::<Option<_>>().map(Value::Array),
        Value::Number(number) if number.is_f64() && number.as_f64().is_none_or(|it| it.abs() >= INEXACT) => {
            None
        }
        other => Some(other.clone()),
    }
}

impl Seal {
    /// With a key of this process's own, so that a state opens only where it was sealed, or with one that several share.
    pub(crate) fn new(key: Option<[u8; 32]>, ttl: Duration) -> Result<Self, String> {
        let mut random = [0; 32];
        if key.is_none() {
            getrandom::fill(&mut random)
                .map_err(|error| format!("the system gives no random numbers: {error}"))?;
        }
        Ok(Self { key: SecretKey::from(key.unwrap_or(random)), ttl })
    }

    /// What a call remembers, for its client to keep.
    pub(crate) fn seal(
        &self,
        binding: &Binding,
        kept: &Kept,
        now: Timestamp,
    ) -> Result<String, ProtocolError> {
        let failed = |_| ProtocolError::internal("what the call remembers could not be sealed");
        let mut plain = now.after(self.ttl).as_millis().to_be_bytes().to_vec();
        kept.entries()
            .and_then(|entries| serde_json::to_writer(&mut plain, &entries))
            .map_err(|_| ProtocolError::internal("what the call remembers could not be written"))?;
        let mut random = [0; NONCE];
        getrandom::fill(&mut random).map_err(|error| {
            ProtocolError::internal(format!("the system gives no random numbers: {error}"))
        })?;
        let nonce = Nonce::from(random);
        let mut sealed = vec![0; 1 + NONCE + plain.len() + TAG];
        sealed[0] = VERSION;
        sealed[1..=NONCE].copy_from_slice(nonce.as_ref());
        let (key, bound) = (&self.key, binding.bytes());
        XChaCha20Poly1305::seal(key, &nonce, &plain, Some(&bound), &mut sealed[1 + NONCE..])
            .map_err(failed)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What a call remembered. Fails if it is not what was sealed for this very request, or too old.
    pub(crate) fn open(&self, binding: &Binding, text: &str, now: Timestamp) -> Result<Kept, ProtocolError> {
        let refused = || {
            let message =
                "`requestState` is not one that this server gave for this request, or it was changed";
            ProtocolError::invalid_params(message)
        };
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let Some((&VERSION, rest)) = sealed.split_first() else { return Err(refused()) };
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or_else(refused)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| refused())?;
        let mut plain = vec![0; sealed.len().checked_sub(TAG).ok_or_else(refused)?];
        XChaCha20Poly1305::open(&self.key, &nonce, sealed, Some(&binding.bytes()), &mut plain)
            .map_err(|_| refused())?;
        let (expiry, kept) = plain.split_first_chunk::<EXPIRY>().ok_or_else(refused)?;
        if Timestamp::from_millis(u64::from_be_bytes(*expiry)) <= now {
            return Err(ProtocolError::invalid_params("`requestState` has expired; call again without it"));
        }
        // It was this server that wrote it.
        let entries = std::str::from_utf8(kept).ok().and_then(|kept| serde_json::from_str(kept).ok());
        entries.and_then(|entries| Kept::of_entries(entries, &[]).ok()).ok_or_else(refused)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new(Some([7; 32]), Duration::from_secs(60)).expect("a seal")
    }

    fn binding(principal: &'static str, name: &str, arguments: Option<&str>) -> Binding {
        Binding {
            principal: Principal::new(principal),
            kind: RequestKind::CallTool,
            name: name.into(),
            arguments: arguments.map(|json| RawValue::from_string(json.to_owned()).expect("JSON")),
        }
    }

    fn kept() -> Kept {
        let entries = serde_json::from_str(r#"[{"key":"step a","value":{"step":[7,true]}}]"#).expect("JSON");
        Kept::of_entries(entries, &[]).expect("a journal")
    }

    fn text(kept: &Kept) -> Option<String> {
        serde_json::to_string(&kept.entries().ok()?).ok()
    }

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn a_state_opens_for_the_request_it_was_sealed_for_and_no_other() {
        let here = binding("ada", "delete", Some(r#"{"a":1,"b":[2]}"#));
        let sealed = seal().seal(&here, &kept(), NOW).expect("sealed");
        let again = binding("ada", "delete", Some(r#" { "b" : [2], "a" : 1 } "#));
        let opened = seal().open(&again, &sealed, NOW).expect("the same request, written in another way");
        assert_eq!(text(&opened), text(&kept()));
        for other in [
            binding("bob", "delete", Some(r#"{"a":1,"b":[2]}"#)),
            binding("ada", "remove", Some(r#"{"a":1,"b":[2]}"#)),
            binding("ada", "delete", Some(r#"{"a":2,"b":[2]}"#)),
            binding("ada", "delete", None),
            Binding { kind: RequestKind::GetPrompt, ..here.clone() },
        ] {
            assert_eq!(seal().open(&other, &sealed, NOW).expect_err("another").code(), -32602, "{other:?}");
        }
        let foreign = Seal::new(None, Duration::from_secs(60)).expect("a seal");
        assert!(foreign.open(&here, &sealed, NOW).is_err());
    }

    #[test]
    fn arguments_that_only_look_alike_are_not_the_same_request() {
        let deep = format!(r#"{{"a":1,"b":{}{}}}"#, "[".repeat(300), "]".repeat(300));
        let alike = [
            r#"{"a":{}}"#,
            r#"{"a":null}"#,
            "{}",
            &deep,
            r#"{"a":1e999}"#,
            r#"{"a":1e998}"#,
            r#"{"a":36893488147419103233}"#,
            r#"{"a":36893488147419103234}"#,
        ];
        for (index, one) in alike.iter().enumerate() {
            let sealed = seal().seal(&binding("ada", "delete", Some(one)), &kept(), NOW).expect("sealed");
            for (other, text) in alike.iter().enumerate() {
                let opened = seal().open(&binding("ada", "delete", Some(text)), &sealed, NOW);
                assert_eq!(opened.is_ok(), index == other, "{one} and {text}");
            }
        }
    }

    #[test]
    fn a_state_that_was_touched_or_is_old_is_refused() {
        let here = binding("ada", "delete", None);
        let sealed = seal().seal(&here, &kept(), NOW).expect("sealed");
        assert!(seal().open(&here, &format!("{sealed}-TAMPERED"), NOW).is_err());
        for at in 0..sealed.len() {
            let mut touched = sealed.clone().into_bytes();
            touched[at] = if touched[at] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).expect("ASCII");
            assert!(touched == sealed || seal().open(&here, &touched, NOW).is_err(), "at {at}");
            assert!(seal().open(&here, &sealed[..at], NOW).is_err(), "cut at {at}");
        }
        let late = NOW.after(Duration::from_secs(60));
        assert!(seal().open(&here, &sealed, late).expect_err("late").message().contains("expired"));
        assert!(
            seal().open(&binding("ada", "delete", Some("{}")), &sealed, NOW).is_ok(),
            "none is as good as {{}}"
        );
    }
}
