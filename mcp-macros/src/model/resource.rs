//! Where a resource is, what it holds, and whom it is for.

use std::time::Duration;

use syn::LitStr;

use super::behaviour::duration;
use super::input::Input;
use super::number::Number;
use super::template::{self, Variable};
use crate::attr::ResourceWords;
use crate::diagnostics::{Mistakes, Noted};
use crate::signature::{Function, Parameter};

/// What only a resource has.
pub(crate) struct Resource {
    /// The address, or its template.
    pub(crate) uri: LitStr,
    pub(crate) mime_type: Option<String>,
    /// `user`, `assistant`, or both.
    pub(crate) audience: Vec<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) cache: Option<Cache>,
}

/// For how long and for whom what is read is fresh.
pub(crate) struct Cache {
    pub(crate) is_public: bool,
    pub(crate) ttl: Duration,
}

impl Resource {
    pub(super) fn new(
        words: ResourceWords,
        function: &Function,
        inputs: Result<&[Input], &Noted>,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Noted> {
        if let Some(mime_type) = &words.mime_type {
            check_mime_type(mime_type, mistakes);
        }
        for audience in &words.audience {
            if !["user", "assistant"].contains(&audience.value().as_str()) {
                mistakes.on(audience, "a resource is for the `\"user\"`, for the `\"assistant\"`, or for both: write one of them");
            }
        }
        let priority =
            words.priority.and_then(|expression| match Number::of(&expression).map(Number::as_float) {
                Some(priority) if (0.0..=1.0).contains(&priority) => Some(priority),
                _ => {
                    mistakes.on(
                        expression,
                        "a priority is a number from `0.0`, which is least, to `1.0`: write one",
                    );
                    None
                }
            });
        let cache = words.cache.and_then(|words| {
            Some(Cache { is_public: words.is_public, ttl: duration(&words.ttl, mistakes)? })
        });
        let uri = words.uri?;
        let variables = template::variables(&uri, mistakes);
        if let Ok(inputs) = inputs {
            check_variables(&variables, inputs, function, mistakes);
        }
        Ok(Self {
            uri,
            mime_type: words.mime_type.map(|mime_type| mime_type.value()),
            audience: words.audience.iter().map(LitStr::value).collect(),
            priority,
            cache,
        })
    }
}

fn check_mime_type(literal: &LitStr, mistakes: &mut Mistakes) {
    let value = literal.value();
    let is_type = value
        .split_once('/')
        .is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty() && !value.starts_with(' '));
    if !is_type {
        mistakes.on(literal, "write a media type such as `\"text/markdown\"` or `\"image/png\"`");
    }
}

/// Every variable is a parameter, and every plain parameter a variable.
fn check_variables(variables: &[Variable], inputs: &[Input], function: &Function, mistakes: &mut Mistakes) {
    let arguments = || {
        inputs.iter().zip(&function.parameters).filter_map(|(input, parameter)| match input {
            Input::Argument(argument) => Some((argument.name.as_str(), parameter)),
            _ => None,
        })
    };
    let untaken: Vec<&Variable> =
        variables.iter().filter(|variable| !arguments().any(|(name, _)| name == variable.name)).collect();
    let unknown: Vec<(&str, &Parameter)> =
        arguments().filter(|(name, _)| !variables.iter().any(|variable| variable.name == *name)).collect();
    if let ([variable], [(name, parameter)]) = (untaken.as_slice(), unknown.as_slice()) {
        let message = format!(
            "the address has a variable `{{{}}}`, and none for `{name}`: name one of the two as the other",
            variable.name
        );
        mistakes.on(&parameter.pattern, message);
        return;
    }
    for variable in untaken {
        let name = &variable.name;
        let message = format!(
            "no parameter takes `{{{name}}}`: add `{name}: String` to the function, or take it out of the address"
        );
        mistakes.at(variable.place, message);
    }
    for (name, parameter) in unknown {
        let message = format!(
            "the address has no variable for `{name}`: write `{{{name}}}` where it belongs, or remove the parameter"
        );
        mistakes.on(&parameter.pattern, message);
    }
}
