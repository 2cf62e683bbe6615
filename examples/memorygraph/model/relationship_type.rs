//! The 35 ways in which one memory may relate to another, and how strong each usually is.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Weight, by_wire_name, wire_name};
use crate::error::GraphError;

/// How one memory relates to another; read "from TYPE to".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub(crate) enum RelationshipType {
    Causes,
    Triggers,
    LeadsTo,
    Prevents,
    Breaks,
    Solves,
    Addresses,
    AlternativeTo,
    Improves,
    Replaces,
    OccursIn,
    AppliesTo,
    WorksWith,
    Requires,
    UsedIn,
    BuildsOn,
    Contradicts,
    Confirms,
    Generalizes,
    Specializes,
    SimilarTo,
    VariantOf,
    RelatedTo,
    AnalogyTo,
    OppositeOf,
    Follows,
    DependsOn,
    Enables,
    Blocks,
    ParallelTo,
    EffectiveFor,
    IneffectiveFor,
    PreferredOver,
    DeprecatedBy,
    ValidatedBy,
}

/// The seven families of relationship types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Category {
    Causal,
    Solution,
    Context,
    Learning,
    Similarity,
    Workflow,
    Quality,
}

impl Category {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Causal,
        Self::Solution,
        Self::Context,
        Self::Learning,
        Self::Similarity,
        Self::Workflow,
        Self::Quality,
    ];
}

/// What is usual for a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profile {
    pub(crate) category: Category,
    pub(crate) strength: Weight,
    pub(crate) confidence: Weight,
    /// Holds from either end, so that it has no direction and may close a circle.
    pub(crate) mutual: bool,
}

impl RelationshipType {
    /// All of them, family by family.
    #[rustfmt::skip]
    pub(crate) const ALL: [Self; 35] = [
        Self::Causes, Self::Triggers, Self::LeadsTo, Self::Prevents, Self::Breaks,
        Self::Solves, Self::Addresses, Self::AlternativeTo, Self::Improves, Self::Replaces,
        Self::OccursIn, Self::AppliesTo, Self::WorksWith, Self::Requires, Self::UsedIn,
        Self::BuildsOn, Self::Contradicts, Self::Confirms, Self::Generalizes, Self::Specializes,
        Self::SimilarTo, Self::VariantOf, Self::RelatedTo, Self::AnalogyTo, Self::OppositeOf,
        Self::Follows, Self::DependsOn, Self::Enables, Self::Blocks, Self::ParallelTo,
        Self::EffectiveFor, Self::IneffectiveFor, Self::PreferredOver, Self::DeprecatedBy, Self::ValidatedBy,
    ];

    /// The types of a family.
    pub(crate) fn of(category: Category) -> Vec<Self> {
        Self::ALL.into_iter().filter(|kind| kind.profile().category == category).collect()
    }

    /// The type that says the same from the other end, if there is one: of a mutual type, itself.
    pub(crate) fn inverse(self) -> Option<Self> {
        let pairs = INVERSES.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
        let mutual = self.profile().mutual.then_some(self);
        mutual.or_else(|| pairs.into_iter().find(|(one, _)| *one == self).map(|(_, other)| other))
    }

    #[expect(clippy::match_same_arms, reason = "a table, in which each type has a row of its own")]
    pub(crate) const fn profile(self) -> Profile {
        use Category::{Causal, Context, Learning, Quality, Similarity, Solution, Workflow};
        match self {
            Self::Causes => directed(Causal, 0.8, 0.7),
            Self::Triggers => directed(Causal, 0.7, 0.7),
            Self::LeadsTo => directed(Causal, 0.6, 0.6),
            Self::Prevents => directed(Causal, 0.7, 0.7),
            Self::Breaks => directed(Causal, 0.8, 0.7),

            Self::Solves => directed(Solution, 0.9, 0.8),
            Self::Addresses => directed(Solution, 0.7, 0.7),
            Self::AlternativeTo => mutual(Solution, 0.6, 0.7),
            Self::Improves => directed(Solution, 0.7, 0.7),
            Self::Replaces => directed(Solution, 0.8, 0.8),

            Self::OccursIn => directed(Context, 0.6, 0.8),
            Self::AppliesTo => directed(Context, 0.6, 0.7),
            Self::WorksWith => mutual(Context, 0.7, 0.7),
            Self::Requires => directed(Context, 0.8, 0.8),
            Self::UsedIn => directed(Context, 0.6, 0.7),

            Self::BuildsOn => directed(Learning, 0.7, 0.8),
            Self::Contradicts => mutual(Learning, 0.8, 0.6),
            Self::Confirms => directed(Learning, 0.7, 0.8),
            Self::Generalizes => directed(Learning, 0.6, 0.7),
            Self::Specializes => directed(Learning, 0.6, 0.7),

            Self::SimilarTo => mutual(Similarity, 0.6, 0.7),
            Self::VariantOf => directed(Similarity, 0.7, 0.7),
            Self::RelatedTo => mutual(Similarity, 0.5, 0.6),
            Self::AnalogyTo => directed(Similarity, 0.5, 0.6),
            Self::OppositeOf => mutual(Similarity, 0.7, 0.7),

            Self::Follows => directed(Workflow, 0.7, 0.8),
            Self::DependsOn => directed(Workflow, 0.8, 0.8),
            Self::Enables => directed(Workflow, 0.7, 0.7),
            Self::Blocks => directed(Workflow, 0.8, 0.7),
            Self::ParallelTo => mutual(Workflow, 0.6, 0.7),

            Self::EffectiveFor => directed(Quality, 0.8, 0.7),
            Self::IneffectiveFor => directed(Quality, 0.7, 0.7),
            Self::PreferredOver => directed(Quality, 0.7, 0.7),
            Self::DeprecatedBy => directed(Quality, 0.8, 0.8),
            Self::ValidatedBy => directed(Quality, 0.8, 0.8),
        }
    }
}

/// The types that say the same from the other end.
const INVERSES: [(RelationshipType, RelationshipType); 2] = [
    (RelationshipType::Generalizes, RelationshipType::Specializes),
    (RelationshipType::DeprecatedBy, RelationshipType::Replaces),
];

const fn directed(category: Category, strength: f64, confidence: f64) -> Profile {
    let (strength, confidence) = (Weight::clamped(strength), Weight::clamped(confidence));
    Profile { category, strength, confidence, mutual: false }
}

const fn mutual(category: Category, strength: f64, confidence: f64) -> Profile {
    Profile { mutual: true, ..directed(category, strength, confidence) }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        wire_name(self, f)
    }
}

impl fmt::Display for RelationshipType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        wire_name(self, f)
    }
}

impl FromStr for RelationshipType {
    type Err = GraphError;

    fn from_str(name: &str) -> Result<Self, GraphError> {
        by_wire_name(name).ok_or_else(|| GraphError::UnknownRelationshipType(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_by_their_name_on_the_wire() {
        assert_eq!("ALTERNATIVE_TO".parse::<RelationshipType>().ok(), Some(RelationshipType::AlternativeTo));
        assert_eq!(RelationshipType::IneffectiveFor.to_string(), "INEFFECTIVE_FOR");
        let error = "solves".parse::<RelationshipType>().expect_err("no such type");
        assert_eq!(error.to_string(), "'solves' is not a valid relationship type");
    }

    #[test]
    fn each_type_has_what_is_usual_for_it() {
        let solves = RelationshipType::Solves.profile();
        assert_eq!((solves.strength.get(), solves.confidence.get(), solves.mutual), (0.9, 0.8, false));
        assert_eq!(solves.category, Category::Solution);
        assert!(RelationshipType::SimilarTo.profile().mutual);
    }

    #[test]
    fn some_types_can_be_told_from_the_other_end() {
        use RelationshipType::{DeprecatedBy, Generalizes, Replaces, SimilarTo, Solves, Specializes};
        let inverses = [Generalizes, Specializes, DeprecatedBy, Replaces, SimilarTo, Solves]
            .map(RelationshipType::inverse);
        let expected = [Specializes, Generalizes, Replaces, DeprecatedBy, SimilarTo].map(Some);
        assert_eq!((&inverses[..5], inverses[5]), (&expected[..], None));
    }

    #[test]
    fn the_schema_lists_all_35_without_a_word_more() {
        let schema = schemars::schema_for!(RelationshipType);
        let names = schema.get("enum").and_then(|names| names.as_array()).expect("an enum");
        let all: Vec<String> = RelationshipType::ALL.iter().map(ToString::to_string).collect();
        assert!(names.iter().filter_map(|name| name.as_str()).eq(all.iter().map(String::as_str)));
    }
}
