//! A number from 0 to 1: importance, confidence, strength.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::error::GraphError;

/// A number from 0 to 1, and so never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub(crate) struct Weight(f64);

impl Weight {
    /// `value` if it lies within 0 to 1; `what` names it in the error.
    pub(crate) fn new(what: &'static str, value: f64) -> Result<Self, GraphError> {
        Self::try_from(value).map_err(|_| GraphError::OutOfRange { what, value })
    }

    /// The nearest weight.
    pub(crate) const fn clamped(value: f64) -> Self {
        // `max` turns NaN into 0.
        Self(value.max(0.0).min(1.0))
    }

    pub(crate) const fn get(self) -> f64 {
        self.0
    }
}

/// The error of a number that is no [`Weight`].
#[derive(Debug, PartialEq)]
pub(crate) struct NotAWeight(f64);

impl fmt::Display for NotAWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not between 0 and 1", self.0)
    }
}

impl TryFrom<f64> for Weight {
    type Error = NotAWeight;

    fn try_from(value: f64) -> Result<Self, NotAWeight> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAWeight(value)) }
    }
}

impl From<Weight> for f64 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl JsonSchema for Weight {
    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_lies_between_zero_and_one() {
        assert_eq!(Weight::try_from(1.0).map(Weight::get), Ok(1.0));
        for outside in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
            assert!(Weight::try_from(outside).is_err(), "{outside} was taken for a weight");
        }
    }

    #[test]
    fn its_error_names_the_field_and_the_value() {
        let error = Weight::new("Importance", 1.5).expect_err("1.5 is no weight");
        assert_eq!(error.to_string(), "Importance must be between 0 and 1 (got 1.5)");
    }

    #[test]
    fn clamping_gives_the_nearest() {
        assert_eq!([-1.0, 0.3, 7.0, f64::NAN].map(Weight::clamped), [0.0, 0.3, 1.0, 0.0].map(Weight));
    }
}
