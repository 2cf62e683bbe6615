//! Where a recall goes on that was told in part.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::GraphError;
use crate::model::Moment;

/// Where a recall goes on: after so many hits, as they were at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(super) moment: Moment,
    pub(super) told: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.moment.micros(), self.told)
    }
}

impl FromStr for Cursor {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let parts = text.split_once('-').and_then(|(micros, told)| {
            let moment = micros.parse().ok().filter(|micros| *micros >= 0).map(Moment::from_micros)?;
            Some(Self { moment, told: told.parse().ok().filter(|told| *told <= 1_000_000)? })
        });
        parts.ok_or_else(|| GraphError::NotACursor(text.to_owned()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_was_given_is_understood_and_no_other() {
        let cursor = Cursor { moment: Moment::now(), told: 20 };
        assert_eq!(cursor.to_string().parse::<Cursor>().expect("was given"), cursor);
        for wrong in ["", "7", "-1-2", "x-2", "1-x", "1-99999999999"] {
            let error = wrong.parse::<Cursor>().expect_err("was never given");
            assert_eq!(error.to_string(), format!("'{wrong}' is no cursor of an earlier answer"));
        }
    }
}
