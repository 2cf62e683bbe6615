//! A moment in time, written as ISO 8601 in UTC and read as any program writes it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::error::GraphError;

/// A moment in time, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Moment(SystemTime);

impl Moment {
    pub(crate) fn now() -> Self {
        Self::to_the_microsecond(SystemTime::now())
    }

    /// Days from `earlier` until this one; none if that comes later.
    pub(crate) fn days_since(self, earlier: Self) -> f64 {
        self.0.duration_since(earlier.0).unwrap_or_default().as_secs_f64() / 86_400.0
    }

    /// The moment so long before this one, or the first that there is.
    pub(crate) fn earlier_by(self, time: Duration) -> Self {
        Self(self.0.checked_sub(time).map_or(UNIX_EPOCH, |earlier| earlier.max(UNIX_EPOCH)))
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(self) -> i64 {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// The moment so many microseconds after 1970 began.
    pub(crate) fn from_micros(micros: i64) -> Self {
        Self(UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs()))
    }

    /// What can be written can be read back as the same moment.
    fn to_the_microsecond(time: SystemTime) -> Self {
        let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Self(UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole_seconds = self.0.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
        if whole_seconds {
            humantime::format_rfc3339_seconds(self.0).fmt(f)
        } else {
            humantime::format_rfc3339_micros(self.0).fmt(f)
        }
    }
}

/// Takes `2026-01-01T12:00:00Z`, any offset in place of `Z`, and none at all, which means UTC.
impl FromStr for Moment {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let unreadable = || GraphError::NotATime(text.to_owned());
        let (local, ahead_of_utc) = split_offset(text.trim()).ok_or_else(unreadable)?;
        let local = humantime::parse_rfc3339_weak(local).map_err(|_| unreadable())?;
        let shift = Duration::from_secs(ahead_of_utc.unsigned_abs());
        let utc = if ahead_of_utc < 0 { local.checked_add(shift) } else { local.checked_sub(shift) };
        utc.filter(|utc| *utc >= UNIX_EPOCH).map(Self::to_the_microsecond).ok_or_else(unreadable)
    }
}

/// The local time, and how many seconds it is ahead of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    let Some(at) = text.rfind(['+', '-']).filter(|at| text[..*at].contains(':')) else {
        return Some((text, 0));
    };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text[at + 1..].split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let valid = (0..24).contains(&hours) && (0..60).contains(&minutes);
    valid.then_some((&text[..at], sign * (hours * 3600 + minutes * 60)))
}

impl TryFrom<String> for Moment {
    type Error = GraphError;

    fn try_from(text: String) -> Result<Self, GraphError> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn one_moment_may_be_written_in_many_ways() {
        let noon = moment("2026-01-01T12:00:00Z");
        for same in [
            "2026-01-01T12:00:00",
            "2026-01-01 12:00:00",
            "2026-01-01T12:00:00.000000+00:00",
            "2026-01-01T14:30:00+02:30",
            "2026-01-01T07:00:00-05:00",
        ] {
            assert_eq!(moment(same), noon, "{same}");
        }
        assert_eq!(noon.to_string(), "2026-01-01T12:00:00Z");
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let now = Moment::now();
        assert_eq!(moment(&now.to_string()), now);
        assert_eq!(moment("2025-11-30T08:00:00.123456+00:00").to_string(), "2025-11-30T08:00:00.123456Z");
    }

    #[test]
    fn what_is_no_moment_is_refused_with_its_text() {
        for wrong in
            ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00+25:00", "1969-12-31T23:00:00Z"]
        {
            let error = wrong.parse::<Moment>().expect_err("is no moment");
            assert_eq!(
                error.to_string(),
                format!("'{wrong}' is no time of ISO 8601 from 1970 to 9999, such as 2026-01-31T12:00:00Z")
            );
        }
    }

    #[test]
    fn days_are_counted_from_the_earlier_one() {
        let (monday, thursday) = (moment("2026-01-05T00:00:00Z"), moment("2026-01-08T12:00:00Z"));
        assert!((thursday.days_since(monday) - 3.5).abs() < 1e-9);
        assert!(monday.days_since(thursday).abs() < 1e-9);
    }
}
