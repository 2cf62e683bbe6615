//! A field of a form: what may be put into it, how that is typed, and how it is shown.

use mcp_runtime::client::Form;
use serde_json::{Map, Value, json};

use crate::screen::text::{one_line, short};

/// A field, in the order in which the server wrote it.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) is_required: bool,
    kind: Kind,
    schema: Value,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Text,
    Number,
    YesNo,
    One(Vec<Choice>),
    Several(Vec<Choice>),
}

/// One of several values.
#[derive(Debug, PartialEq)]
pub(crate) struct Choice {
    value: String,
    /// What people read.
    title: String,
}

impl Field {
    /// The fields of a form.
    pub(crate) fn of(form: &Form) -> Vec<Self> {
        let required = form.schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let properties = form.schema["properties"].as_object();
        let field = |(name, schema): (&String, &Value)| Self {
            name: name.clone(),
            is_required: is_required(name),
            kind: Kind::of(schema),
            schema: schema.clone(),
        };
        properties.into_iter().flatten().map(field).collect()
    }

    pub(crate) fn default(&self) -> Option<&Value> {
        self.schema.get("default")
    }

    pub(crate) fn choices(&self) -> &[Choice] {
        match &self.kind {
            Kind::One(choices) | Kind::Several(choices) => choices,
            Kind::Text | Kind::Number | Kind::YesNo => &[],
        }
    }

    /// What the field is called, and what may be put into it.
    pub(crate) fn label(&self) -> String {
        let text = |key: &str| self.schema[key].as_str().map(one_line).filter(|text| !text.is_empty());
        let name = text("title").unwrap_or_else(|| one_line(&self.name));
        let about = text("description").map_or_else(String::new, |description| format!(": {description}"));
        let rule = Some(self.rule()).filter(|rule| !rule.is_empty());
        let rule = rule.map_or_else(String::new, |rule| format!(" ({rule})"));
        format!("{name}{about}{rule}")
    }

    fn rule(&self) -> String {
        let bound = |key: &str| self.schema.get(key).filter(|bound| bound.is_number());
        let range = |low: &str, high: &str| match (bound(low), bound(high)) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("at least {low}"),
            (None, Some(high)) => format!("at most {high}"),
            (None, None) => String::new(),
        };
        let mut parts = Vec::new();
        match &self.kind {
            Kind::Text => {
                parts.extend(match self.schema["format"].as_str() {
                    Some("email") => Some("an address of mail".to_owned()),
                    Some("uri") => Some("a URI".to_owned()),
                    Some("date") => Some("a date, as 2026-07-28".to_owned()),
                    Some("date-time") => Some("a time, as 2026-07-28T12:00:00Z".to_owned()),
                    _ => None,
                });
                let length = range("minLength", "maxLength");
                parts.extend((!length.is_empty()).then(|| format!("{length} characters")));
            }
            Kind::Number => {
                parts.push(if self.is_integer() { "a whole number" } else { "a number" }.to_owned());
                parts.push(range("minimum", "maximum"));
            }
            Kind::YesNo => parts.push("yes or no".to_owned()),
            Kind::One(_) => parts.push("one of these".to_owned()),
            Kind::Several(_) => {
                parts.push("any of these, with commas between them".to_owned());
                parts.push(range("minItems", "maxItems"));
            }
        }
        if !self.is_required && self.default().is_none() {
            parts.push("may be left out".to_owned());
        }
        parts.retain(|part| !part.is_empty());
        parts.join(", ")
    }

    fn is_integer(&self) -> bool {
        self.schema["type"] == "integer"
    }

    /// A value as people read it.
    pub(crate) fn shown(&self, value: &Value) -> String {
        let title = |value: &Value| {
            let choice = self.choices().iter().find(|choice| *value == *choice.value);
            choice.map_or_else(|| short(value), |choice| choice.title.clone())
        };
        match value {
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Array(values) if values.is_empty() => "none".to_owned(),
            Value::Array(values) => values.iter().map(title).collect::<Vec<_>>().join(", "),
            value => title(value),
        }
    }

    /// The value that somebody typed, or what is wrong with it.
    pub(crate) fn parse(&self, typed: &str) -> Result<Value, String> {
        let typed = typed.trim();
        let value = match &self.kind {
            Kind::Text => {
                self.fits_format(typed)?;
                typed.into()
            }
            Kind::Number => {
                let number = serde_json::from_str(typed).ok().filter(Value::is_number);
                number.ok_or_else(|| format!("`{typed}` is no number"))?
            }
            Kind::YesNo => match typed.to_lowercase().as_str() {
                "y" | "yes" | "true" => true.into(),
                "n" | "no" | "false" => false.into(),
                _ => return Err(format!("`{typed}` is neither yes nor no")),
            },
            Kind::One(choices) => chosen(choices, typed)?.into(),
            Kind::Several(choices) => {
                let names =
                    typed.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "none");
                let mut values: Vec<&str> = Vec::new();
                for name in names {
                    let value = chosen(choices, name)?;
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                values.into()
            }
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Says what is wrong with a value, if anything is.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        if let (Kind::Text, Some(text)) = (&self.kind, value.as_str()) {
            self.fits_format(text)?;
        }
        if let Kind::One(choices) = &self.kind
            && choices.iter().all(|choice| *value != *choice.value)
        {
            let values: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
            return Err(format!("`{}` must be one of {}, got {value}", self.name, values.join(", ")));
        }
        let properties = Map::from_iter([(self.name.clone(), self.schema.clone())]);
        let alone =
            json!({ "message": "", "requestedSchema": { "type": "object", "properties": properties } });
        // A form of one field is a form.
        let Ok(form) = serde_json::from_value::<Form>(alone) else { return Ok(()) };
        form.check(&Value::Object(Map::from_iter([(self.name.clone(), value.clone())])))
    }

    fn fits_format(&self, text: &str) -> Result<(), String> {
        let fits = match self.schema["format"].as_str() {
            Some("email") => text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty()
                    && !host.is_empty()
                    && !host.contains('@')
                    && !text.contains(char::is_whitespace)
            }),
            Some("uri") => text.split_once(':').is_some_and(|(scheme, rest)| {
                let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
                scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.chars().all(is_part)
                    && !rest.is_empty()
                    && !text.contains(char::is_whitespace)
            }),
            Some("date") => is_date(text),
            Some("date-time") => is_time(text),
            _ => true,
        };
        let format = || self.schema["format"].as_str().unwrap_or_default();
        if fits { Ok(()) } else { Err(format!("`{text}` is no {}", format())) }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}

/// A time with its offset: RFC 3339, of which the offset may be other than `Z`.
fn is_time(text: &str) -> bool {
    let Some((local, offset)) =
        text.find(['Z', 'z', '+']).or_else(|| text.rfind('-')).map(|at| text.split_at(at))
    else {
        return false;
    };
    let is_offset = matches!(offset, "Z" | "z")
        || offset[1..].split_once(':').is_some_and(|(hours, minutes)| {
            let is_below =
                |digits: &str, end: u8| digits.len() == 2 && digits.parse().is_ok_and(|n: u8| n < end);
            is_below(hours, 24) && is_below(minutes, 60)
        });
    is_offset && humantime::parse_rfc3339(&format!("{local}Z").to_uppercase()).is_ok()
}

/// The value of the choice that is meant: its number, its value, its title, or the beginning of one of them.
fn chosen<'c>(choices: &'c [Choice], typed: &str) -> Result<&'c str, String> {
    if let Some(choice) = choices.iter().find(|choice| choice.value == typed || choice.title == typed) {
        return Ok(&choice.value);
    }
    if let Some(choice) = typed.parse::<usize>().ok().and_then(|number| choices.get(number.wrapping_sub(1))) {
        return Ok(&choice.value);
    }
    let typed_lower = typed.to_lowercase();
    let begins = |text: &str| !typed.is_empty() && text.to_lowercase().starts_with(&typed_lower);
    let mut meant = choices.iter().filter(|choice| begins(&choice.value) || begins(&choice.title));
    match (meant.next(), meant.next()) {
        (Some(choice), None) => Ok(&choice.value),
        (Some(_), Some(_)) => Err(format!("`{typed}` may be more than one of these")),
        (None, _) => Err(format!("`{typed}` is none of these")),
    }
}

impl Kind {
    fn of(schema: &Value) -> Self {
        match schema["type"].as_str() {
            Some("array") => Self::Several(choices(&schema["items"])),
            Some("boolean") => Self::YesNo,
            Some("number" | "integer") => Self::Number,
            _ => {
                let choices = choices(schema);
                if choices.is_empty() { Self::Text } else { Self::One(choices) }
            }
        }
    }
}

/// The choices of a schema: constants with titles, or values with or without names beside them.
fn choices(schema: &Value) -> Vec<Choice> {
    let titled = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(constants) = titled {
        let choice = |constant: &Value| {
            let value = constant["const"].as_str()?.to_owned();
            let title = constant["title"].as_str().map_or_else(|| one_line(&value), one_line);
            Some(Choice { value, title })
        };
        return constants.iter().filter_map(choice).collect();
    }
    let values = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let choice = |(number, value): (usize, &str)| Choice {
        value: value.to_owned(),
        title: one_line(schema["enumNames"][number].as_str().unwrap_or(value)),
    };
    values.enumerate().map(choice).collect()
}

impl Choice {
    /// The choice as a list shows it.
    pub(crate) fn shown(&self) -> String {
        if self.title == self.value {
            self.title.clone()
        } else {
            format!("{} ({})", self.title, one_line(&self.value))
        }
    }
}

#[cfg(test)]
mod tests;
