//! One relationship: what it claims, how strongly, and when that was true.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::memory::{fits, says_something};
use super::{MemoryId, Moment, Object, RelationshipId, RelationshipType, Weight};
use crate::error::GraphError;

const MAX_ID: usize = 200;
const MAX_CONTEXT: usize = 10_000;
/// Of its strength, what a relationship loses in a day.
const FADES_A_DAY: f64 = 0.01;
/// Of its strength, what a relationship never loses.
const NEVER_FADES: f64 = 0.5;

/// One memory relating to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Relationship {
    pub(crate) id: RelationshipId,
    pub(crate) from_memory_id: MemoryId,
    pub(crate) to_memory_id: MemoryId,
    #[serde(rename = "type")]
    pub(crate) kind: RelationshipType,
    pub(crate) properties: Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Whether it holds from either end.
    pub(crate) bidirectional: bool,
}

/// What a relationship claims about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Properties {
    /// How strong it was when it was told.
    pub(crate) strength: Weight,
    /// How sure it is.
    pub(crate) confidence: Weight,
    /// Under which circumstances it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<Value>,
    /// How often it was observed.
    #[schemars(range(min = 1))]
    pub(crate) evidence_count: u32,
    /// Which part of the observations agreed with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success_rate: Option<Weight>,
    pub(crate) created_at: Moment,
    /// When it was last observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_validated: Option<Moment>,
    /// Since when it is true.
    pub(crate) valid_from: Moment,
    /// Since when it is true no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<Moment>,
    /// When it was learned.
    pub(crate) recorded_at: Moment,
    /// The relationship that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invalidated_by: Option<RelationshipId>,
    /// Whatever else a document said of it.
    #[serde(flatten)]
    pub(crate) other: Object,
}

impl Properties {
    /// Whether it is true at `moment`.
    pub(crate) fn is_valid_at(&self, moment: Moment) -> bool {
        self.valid_from <= moment && self.valid_until.is_none_or(|until| until > moment)
    }

    /// Its strength at `moment`: more evidence strengthens it, failures and age weaken it.
    pub(crate) fn effective_strength(&self, moment: Moment) -> Weight {
        let repeated = f64::from(self.evidence_count.saturating_sub(1));
        let observed = (self.strength.get() + (0.05 * repeated.sqrt()).min(0.2)).min(1.0);
        let proven = self.success_rate.map_or(1.0, |rate| 0.5 + 0.5 * rate.get());
        let days = moment.days_since(self.last_validated.unwrap_or(self.created_at));
        let faded = (1.0 - FADES_A_DAY * days).max(NEVER_FADES);
        Weight::clamped(observed * proven * faded)
    }
}

/// A relationship as somebody gives it: unchecked, and with gaps where the usual for its type will do.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RelationshipDraft {
    pub(crate) id: Option<RelationshipId>,
    pub(crate) from_memory_id: MemoryId,
    pub(crate) to_memory_id: MemoryId,
    #[serde(rename = "type", deserialize_with = "relationship_type")]
    pub(crate) kind: RelationshipType,
    pub(crate) properties: Option<Object>,
    pub(crate) description: Option<String>,
    pub(crate) bidirectional: Option<bool>,
}

/// Says "'solves' is not a valid relationship type", where a derived error would list all 35.
fn relationship_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RelationshipType, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

impl RelationshipDraft {
    pub(crate) fn new(from: MemoryId, kind: RelationshipType, to: MemoryId) -> Self {
        Self {
            id: None,
            from_memory_id: from,
            to_memory_id: to,
            kind,
            properties: None,
            description: None,
            bidirectional: None,
        }
    }

    /// The same with a property, if there is one to set.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.properties.get_or_insert_default().insert(name.to_owned(), value.into());
        }
        self
    }

    /// The relationship that this draft describes, made at `now` if it does not say when.
    pub(crate) fn check(self, now: Moment) -> Result<Relationship, GraphError> {
        let id = self.id.unwrap_or_else(RelationshipId::random);
        says_something("Id", id.as_str(), MAX_ID)?;
        if self.from_memory_id == self.to_memory_id {
            return Err(GraphError::SelfLoop(self.from_memory_id));
        }
        let usual = self.kind.profile();
        let mut given = Given(self.properties.unwrap_or_default());
        let context = given.take("context");
        if let Some(Value::String(text)) = &context {
            fits("Context", text, MAX_CONTEXT)?;
        }
        let created_at = given.moment("created_at")?.unwrap_or(now);
        let properties = Properties {
            strength: given.weight("strength")?.unwrap_or(usual.strength),
            confidence: given.weight("confidence")?.unwrap_or(usual.confidence),
            context,
            evidence_count: given.count("evidence_count")?.unwrap_or(1).max(1),
            success_rate: given.weight("success_rate")?,
            created_at,
            last_validated: given.moment("last_validated")?,
            valid_from: given.moment("valid_from")?.unwrap_or(created_at),
            valid_until: given.moment("valid_until")?,
            recorded_at: given.moment("recorded_at")?.unwrap_or(created_at),
            invalidated_by: given.text("invalidated_by")?.as_deref().map(RelationshipId::from),
            other: given.0,
        };
        Ok(Relationship {
            id,
            from_memory_id: self.from_memory_id,
            to_memory_id: self.to_memory_id,
            kind: self.kind,
            properties,
            description: self.description,
            bidirectional: self.bidirectional.unwrap_or(usual.mutual),
        })
    }
}

/// Properties of which the known ones are taken out by name, until the unknown remain.
struct Given(Object);

impl Given {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn weight(&mut self, name: &'static str) -> Result<Option<Weight>, GraphError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_f64().ok_or(GraphError::BadProperty { name, expected: "a number" })?;
        Weight::new(name, number).map(Some)
    }

    fn count(&mut self, name: &'static str) -> Result<Option<u32>, GraphError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or(GraphError::BadProperty { name, expected: "a count" }).map(Some)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, GraphError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(GraphError::BadProperty { name, expected: "a text" }),
        }
    }

    fn moment(&mut self, name: &'static str) -> Result<Option<Moment>, GraphError> {
        self.text(name)?.map(|text| text.parse()).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solves() -> RelationshipDraft {
        RelationshipDraft::new("pool".into(), RelationshipType::Solves, "timeout".into())
    }

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn strength(draft: RelationshipDraft, at: &str) -> f64 {
        let draft = draft.with("created_at", Some("2026-01-01T00:00:00Z"));
        draft.check(Moment::now()).expect("sound").properties.effective_strength(moment(at)).get()
    }

    #[test]
    fn gaps_are_filled_with_the_usual_for_the_type() {
        let properties = solves().check(Moment::now()).expect("sound").properties;
        assert_eq!((properties.strength.get(), properties.confidence.get()), (0.9, 0.8));
        assert_eq!(properties.valid_from, properties.created_at);
    }

    #[test]
    fn a_memory_cannot_relate_to_itself() {
        let draft = RelationshipDraft::new("a".into(), RelationshipType::Solves, "a".into());
        let error = draft.check(Moment::now()).expect_err("a loop");
        assert_eq!(error.to_string(), "Cannot create relationship a -> a: Would relate the memory to itself");
    }

    #[test]
    fn what_a_document_says_survives_whether_it_is_known_or_not() {
        let given = serde_json::json!({
            "strength": 0.4, "confidence": 1.0, "context": "{\"scope\":\"partial\"}", "evidence_count": 3,
            "success_rate": 0.75, "created_at": "2025-03-01T00:00:00Z", "last_validated": "2025-04-01T00:00:00Z",
            "valid_from": "2025-02-01T00:00:00Z", "valid_until": "2025-06-01T00:00:00Z",
            "recorded_at": "2025-03-02T00:00:00Z", "invalidated_by": "r-2", "validation_count": 3, "mood": { "deep": [1] }
        });
        let Value::Object(properties) = given.clone() else { unreachable!("an object was written") };
        let relationship = RelationshipDraft { properties: Some(properties), ..solves() }
            .check(Moment::now())
            .expect("sound");
        assert_eq!(serde_json::to_value(&relationship.properties).expect("serializes"), given);
        let text = serde_json::to_string(&relationship).expect("serializes");
        assert_eq!(serde_json::from_str::<Relationship>(&text).expect("deserializes"), relationship);
    }

    #[test]
    fn a_property_of_the_wrong_kind_is_refused_by_name() {
        let refusal = |name, value: Value| {
            solves().with(name, Some(value)).check(Moment::now()).expect_err("wrong").to_string()
        };
        assert_eq!(refusal("strength", 2.into()), "strength must be between 0 and 1 (got 2)");
        assert_eq!(refusal("strength", "strong".into()), "Property 'strength' must be a number");
        assert_eq!(refusal("evidence_count", (-1).into()), "Property 'evidence_count' must be a count");
        assert_eq!(
            refusal("valid_from", "soon".into()),
            "'soon' is no time of ISO 8601 from 1970 to 9999, such as 2026-01-31T12:00:00Z"
        );
        assert_eq!(
            refusal("context", "x".repeat(10_001).into()),
            "Context exceeds 10000 characters (got 10001)"
        );
    }

    #[test]
    fn evidence_strengthens_and_failures_weaken() {
        let (draft, day) = (solves().with("strength", Some(0.5)), "2026-01-01T00:00:00Z");
        assert!((strength(draft.clone(), day) - 0.5).abs() < 1e-9);
        assert!((strength(draft.clone().with("evidence_count", Some(5)), day) - 0.6).abs() < 1e-9);
        assert!((strength(draft.clone().with("evidence_count", Some(999)), day) - 0.7).abs() < 1e-9);
        assert!((strength(draft.with("success_rate", Some(0.5)), day) - 0.375).abs() < 1e-9);
    }

    #[test]
    fn age_weakens_by_a_hundredth_a_day_down_to_half() {
        let draft = solves().with("strength", Some(0.8));
        assert!((strength(draft.clone(), "2026-01-11T00:00:00Z") - 0.72).abs() < 1e-9);
        assert!((strength(draft, "2030-01-01T00:00:00Z") - 0.4).abs() < 1e-9);
    }

    #[test]
    fn it_is_valid_from_its_beginning_until_just_before_its_end() {
        let draft = solves()
            .with("valid_from", Some("2025-02-01T00:00:00Z"))
            .with("valid_until", Some("2025-06-01T00:00:00Z"));
        let properties = draft.check(Moment::now()).expect("sound").properties;
        let valid = |at| properties.is_valid_at(moment(at));
        assert!(!valid("2025-01-31T00:00:00Z"));
        assert!(valid("2025-02-01T00:00:00Z"));
        assert!(!valid("2025-06-01T00:00:00Z"));
    }

    #[test]
    fn its_schema_refers_to_nothing_elsewhere() {
        let settings =
            schemars::generate::SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<Relationship>();
        let schema = serde_json::to_string(&schema).expect("serializes");
        assert!(!schema.contains("$ref"), "{schema}");
    }
}
