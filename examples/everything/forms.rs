//! The forms that people are shown: each is a struct, and its fields are what there is to fill in.
//!
//! A form is flat: texts, numbers, yes or no, and choices. Doc comments are shown beside the fields.

use mcp_runtime::prelude::*;

/// Somebody's name.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// A name and an address.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Person {
    /// The name to sign in with.
    pub(crate) username: String,
    /// Where mail goes.
    #[schemars(email)]
    pub(crate) email: String,
}

/// Yes or no.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Agreed {
    pub(crate) ok: bool,
}

/// Yes or no, to something that cannot be undone.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Confirmed {
    /// Whether to go on.
    pub(crate) confirm: bool,
}

/// A favourite colour.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Coloured {
    pub(crate) color: String,
}

/// What the prompt is about.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Situation {
    pub(crate) context: String,
}

/// A field may be left out if it is an `Option`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Details {
    pub(crate) name: Option<String>,
    pub(crate) confirm: Option<bool>,
}

/// A form that is filled in beforehand: what is in its `Default` is what stands there.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) age: i32,
    pub(crate) score: f64,
    pub(crate) status: Status,
    pub(crate) verified: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "John Doe".into(), age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Inactive,
    Pending,
}

/// Choices of every kind: one or several, with or without a title for people.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Choices {
    pub(crate) untitled_single: Plain,
    pub(crate) titled_single: Titled,
    pub(crate) legacy_enum: Legacy,
    pub(crate) untitled_multi: Vec<Plain>,
    pub(crate) titled_multi: Vec<Titled>,
}

/// Shown as its values are written.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Plain {
    Option1,
    Option2,
    Option3,
}

/// Shown by the title of each value.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Titled {
    #[schemars(title = "First Option")]
    Value1,
    #[schemars(title = "Second Option")]
    Value2,
    #[schemars(title = "Third Option")]
    Value3,
}

/// Shown by names in a list beside the values, as forms of early clients had them.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("enumNames" = ["Option One", "Option Two", "Option Three"]))]
pub(crate) enum Legacy {
    Opt1,
    Opt2,
    Opt3,
}
