//! Checks a value against a JSON Schema, and says in a sentence each thing that is wrong.
//!
//! All keywords of the core, applicator and validation vocabularies that schemars can write are enforced; annotations
//! such as `format` are not, as JSON Schema 2020-12 has it. References are followed within the document only.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ptr;

use regex_lite::Regex;
use serde_json::{Map, Value};

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, message) = (shortened(&self.path, 100), shortened(&self.message, 500));
        if path.is_empty() { f.write_str(&message) } else { write!(f, "`{path}` {message}") }
    }
}

/// The beginning of a text that a client may have made as long as it liked.
fn shortened(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &text[..at]).into(),
        None => text.into(),
    }
}

/// The regular expressions of a schema, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// Compiles every `pattern` and every key of `patternProperties`; the error names the one that is wrong.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        let mut patterns = Self::default();
        patterns.collect(schema)?;
        Ok(patterns)
    }

    fn collect(&mut self, schema: &Value) -> Result<(), String> {
        match schema {
            Value::Array(schemas) => schemas.iter().try_for_each(|schema| self.collect(schema)),
            Value::Object(map) => {
                if let Some(Value::String(pattern)) = map.get("pattern") {
                    self.add(pattern)?;
                }
                if let Some(Value::Object(members)) = map.get("patternProperties") {
                    members.keys().try_for_each(|pattern| self.add(pattern))?;
                }
                // Values that merely stand in a schema are no schemas.
                let is_schema = |key: &str| !matches!(key, "default" | "const" | "enum" | "examples");
                map.iter().filter(|(key, _)| is_schema(key)).try_for_each(|(_, schema)| self.collect(schema))
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, pattern: &str) -> Result<(), String> {
        let regex = Regex::new(pattern)
            .map_err(|error| format!("the pattern `{pattern}` does not compile: {error}"))?;
        self.0.insert(pattern.to_owned(), regex);
        Ok(())
    }

    fn matches(&self, pattern: &str, text: &str) -> bool {
        self.0.get(pattern).is_none_or(|regex| regex.is_match(text))
    }
}

/// Everything that is wrong with a value. `root` is the document that `$ref` points into.
pub(crate) fn validate(
    root: &Value,
    patterns: &Patterns,
    schema: &Value,
    value: &Value,
    path: &str,
) -> Vec<Problem> {
    let effort = Effort { steps: Cell::new(0), most: 10_000 + 64 * size(value), known: RefCell::default() };
    let mut check = Check { root, patterns, effort: &effort, explains: true, problems: Vec::new() };
    check.schema(schema, value, path, 0);
    check.problems
}

/// How many values a value is made of.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

/// A value as a sentence shows it: its JSON, cut short.
pub(crate) fn shown(value: &Value) -> String {
    shortened(&value.to_string(), 60).into_owned()
}

/// Turns numbers such as 1.0 into integers, throughout.
pub(crate) fn integral(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Above 2^53 a float does not say which integer it means.
            const EXACT: f64 = 9_007_199_254_740_992.0;
            if let Some(float) = number.as_f64()
                && !number.is_i64()
                && !number.is_u64()
                && float.fract() == 0.0
                && float.abs() <= EXACT
            {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(integral),
        Value::Object(members) => members.values_mut().for_each(integral),
        _ => {}
    }
}

struct Check<'a> {
    root: &'a Value,
    patterns: &'a Patterns,
    effort: &'a Effort,
    /// Whether every problem is wanted, or only whether there is one.
    explains: bool,
    problems: Vec<Problem>,
}

/// What one check has cost so far: alternatives within alternatives must not make it grow without bounds.
struct Effort {
    steps: Cell<usize>,
    most: usize,
    /// Which schema accepts which value, by where they are. Both stand still while a value is checked.
    known: RefCell<HashMap<(*const Value, *const Value), bool>>,
}

/// A schema that refers to itself without end is stopped here. A value nests at most 127 deep, and a schema takes a few
/// steps for each level.
const DEEPEST: usize = 1024;

/// More problems than this help nobody to mend a call.
pub(crate) const MOST_PROBLEMS: usize = 20;

impl Check<'_> {
    fn note(&mut self, path: &str, message: String) {
        self.problems.push(Problem { path: path.to_owned(), message });
    }

    fn is_done(&self) -> bool {
        self.problems.len() >= if self.explains { MOST_PROBLEMS } else { 1 }
    }

    /// Another check of the same kind of thing, for a part of the answer.
    fn apart(&self, explains: bool) -> Self {
        Self { explains, problems: Vec::new(), ..*self }
    }

    fn accepts(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let key = (ptr::from_ref(schema), ptr::from_ref(value));
        if let Some(known) = self.effort.known.borrow().get(&key) {
            return *known;
        }
        let accepts = self.accepts_now(schema, value, depth);
        self.effort.known.borrow_mut().insert(key, accepts);
        accepts
    }

    fn accepts_now(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        let mut check = self.apart(false);
        check.schema(schema, value, "", depth);
        check.problems.is_empty()
    }

    fn schema(&mut self, schema: &Value, value: &Value, path: &str, depth: usize) {
        if self.is_done() {
            return;
        }
        let steps = self.effort.steps.get() + 1;
        self.effort.steps.set(steps);
        if depth > DEEPEST {
            return self.note(path, "is nested too deep to be checked".to_owned());
        }
        if steps > self.effort.most {
            return self.note(path, "is too involved to be checked".to_owned());
        }
        let map = match schema {
            Value::Object(map) => map,
            Value::Bool(false) => return self.note(path, format!("is not allowed, got {}", shown(value))),
            _ => return,
        };
        if let Some(Value::String(reference)) = map.get("$ref") {
            match reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => self.schema(target, value, path, depth + 1),
                None => self.note(path, format!("cannot be checked: `{reference}` is not in the schema")),
            }
        }
        if !self.type_fits(map, value, path) {
            return;
        }
        self.fixed_values(map, value, path);
        match value {
            Value::Number(_) => self.number(map, value, path),
            Value::String(text) => self.string(map, text, path),
            Value::Array(items) => self.array(map, items, path, depth),
            Value::Object(members) => self.object(map, members, path, depth),
            Value::Null | Value::Bool(_) => {}
        }
        self.combinations(map, value, path, depth);
    }

    fn type_fits(&mut self, map: &Map<String, Value>, value: &Value, path: &str) -> bool {
        let fits = |name: &str| match name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|float| float.fract() == 0.0)
            }
            _ => true,
        };
        let wanted = match map.get("type") {
            Some(Value::String(name)) if !fits(name) => name.clone(),
            Some(Value::Array(names)) if !names.iter().filter_map(Value::as_str).any(fits) => {
                names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
            }
            _ => return true,
        };
        self.note(path, format!("must be of type {wanted}, got {}", shown(value)));
        false
    }

    fn fixed_values(&mut self, map: &Map<String, Value>, value: &Value, path: &str) {
        if let Some(Value::Array(allowed)) = map.get("enum")
            && !allowed.iter().any(|one| same(one, value))
        {
            let list: Vec<String> = allowed.iter().map(shown).collect();
            self.note(path, format!("must be one of {}, got {}", list.join(", "), shown(value)));
        }
        if let Some(only) = map.get("const")
            && !same(only, value)
        {
            self.note(path, format!("must be {}, got {}", shown(only), shown(value)));
        }
    }

    fn number(&mut self, map: &Map<String, Value>, value: &Value, path: &str) {
        type Holds = fn(Ordering) -> bool;
        let rules: [(&str, &str, Holds); 4] = [
            ("minimum", "at least", Ordering::is_ge),
            ("maximum", "at most", Ordering::is_le),
            ("exclusiveMinimum", "more than", Ordering::is_gt),
            ("exclusiveMaximum", "less than", Ordering::is_lt),
        ];
        for (keyword, words, holds) in rules {
            let Some(bound) = map.get(keyword).filter(|bound| bound.is_number()) else { continue };
            if !compare(value, bound).is_some_and(holds) {
                self.note(path, format!("must be {words} {bound}, got {value}"));
            }
        }
        if let Some(step) = map.get("multipleOf").and_then(Value::as_f64)
            && let Some(number) = value.as_f64()
            && step > 0.0
        {
            let ratio = number / step;
            if (ratio - ratio.round()).abs() > 1e-9 * ratio.abs().max(1.0) {
                self.note(path, format!("must be a multiple of {step}, got {value}"));
            }
        }
    }

    fn string(&mut self, map: &Map<String, Value>, text: &str, path: &str) {
        if map.contains_key("minLength") || map.contains_key("maxLength") {
            self.size(map, "minLength", "maxLength", text.chars().count(), "character", path);
        }
        if let Some(Value::String(pattern)) = map.get("pattern")
            && !self.patterns.matches(pattern, text)
        {
            self.note(path, format!("must match the pattern `{pattern}`, got {}", shown(&text.into())));
        }
    }

    fn size(&mut self, map: &Map<String, Value>, low: &str, high: &str, size: usize, unit: &str, path: &str) {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        if let Some(least) = map.get(low).and_then(Value::as_u64)
            && (size as u64) < least
        {
            self.note(path, format!("must have at least {least} {unit}{}, got {size}", plural(least)));
        }
        if let Some(most) = map.get(high).and_then(Value::as_u64)
            && (size as u64) > most
        {
            self.note(path, format!("must have at most {most} {unit}{}, got {size}", plural(most)));
        }
    }

    fn array(&mut self, map: &Map<String, Value>, items: &[Value], path: &str, depth: usize) {
        self.size(map, "minItems", "maxItems", items.len(), "item", path);
        let fixed = map.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = fixed.get(index).or_else(|| map.get("items")) {
                self.schema(schema, item, &format!("{path}[{index}]"), depth + 1);
            }
        }
        if map.get("uniqueItems") == Some(&Value::Bool(true)) {
            // Numbers that are equal are written alike only as floats.
            let written =
                |item: &Value| item.as_f64().map_or_else(|| item.to_string(), |number| number.to_string());
            let mut seen = HashSet::new();
            let twice = items.iter().find(|item| !seen.insert(written(item)));
            if let Some(item) = twice {
                self.note(path, format!("must not hold an item twice, got {} again", shown(item)));
            }
        }
        if let Some(schema) = map.get("contains") {
            let found = items.iter().filter(|item| self.accepts(schema, item, depth + 1)).count() as u64;
            let least = map.get("minContains").and_then(Value::as_u64).unwrap_or(1);
            let most = map.get("maxContains").and_then(Value::as_u64).unwrap_or(u64::MAX);
            if !(least..=most).contains(&found) {
                self.note(path, format!("has {found} items of the kind that the schema counts"));
            }
        }
    }

    fn object(&mut self, map: &Map<String, Value>, members: &Map<String, Value>, path: &str, depth: usize) {
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        for name in &required {
            if !members.contains_key(*name) {
                self.note(&at(name), "is required".to_owned());
            }
        }
        self.size(map, "minProperties", "maxProperties", members.len(), "entry", path);
        let known = map.get("properties").and_then(Value::as_object);
        let by_pattern = map.get("patternProperties").and_then(Value::as_object);
        for (name, member) in members {
            let mut declared = false;
            if let Some(schema) = known.and_then(|known| known.get(name)) {
                declared = true;
                // An explicit null for an optional member says that it is not there.
                if !member.is_null() || required.contains(&name.as_str()) {
                    self.schema(schema, member, &at(name), depth + 1);
                }
            }
            for (pattern, schema) in by_pattern.into_iter().flatten() {
                if self.patterns.matches(pattern, name) {
                    declared = true;
                    self.schema(schema, member, &at(name), depth + 1);
                }
            }
            match map.get("additionalProperties") {
                Some(Value::Bool(false)) if !declared => {
                    self.note(&at(name), "is not a known member".to_owned());
                }
                Some(schema) if !declared => self.schema(schema, member, &at(name), depth + 1),
                _ => {}
            }
            if let Some(schema) = map.get("propertyNames")
                // Not remembered: this value stands here only for a moment.
                && !self.accepts_now(schema, &Value::String(name.clone()), depth + 1)
            {
                self.note(&at(name), "is not an allowed name".to_owned());
            }
        }
        for (name, needs) in map.get("dependentRequired").and_then(Value::as_object).into_iter().flatten() {
            let needs = needs.as_array().into_iter().flatten().filter_map(Value::as_str);
            for missing in needs.filter(|need| members.contains_key(name) && !members.contains_key(*need)) {
                self.note(&at(missing), format!("is required beside `{name}`"));
            }
        }
    }

    fn combinations(&mut self, map: &Map<String, Value>, value: &Value, path: &str, depth: usize) {
        for schema in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.schema(schema, value, path, depth + 1);
        }
        if let Some(Value::Array(choices)) = map.get("anyOf")
            && !choices.iter().any(|schema| self.accepts(schema, value, depth + 1))
        {
            self.none_fits(choices, value, path, depth);
        }
        if let Some(Value::Array(choices)) = map.get("oneOf") {
            match choices.iter().filter(|schema| self.accepts(schema, value, depth + 1)).count() {
                1 => {}
                0 => self.none_fits(choices, value, path, depth),
                several => self.note(path, format!("must fit one of the allowed forms, and fits {several}")),
            }
        }
        if let Some(schema) = map.get("not")
            && self.accepts(schema, value, depth + 1)
        {
            self.note(path, format!("has a form that is not allowed: {}", shown(value)));
        }
        if let Some(condition) = map.get("if") {
            let branch = if self.accepts(condition, value, depth + 1) { "then" } else { "else" };
            if let Some(schema) = map.get(branch) {
                self.schema(schema, value, path, depth + 1);
            }
        }
    }

    /// Says what is wrong with the form that the value comes nearest to.
    fn none_fits(&mut self, choices: &[Value], value: &Value, path: &str, depth: usize) {
        let nearest = choices
            .iter()
            .map(|schema| {
                let mut check = self.apart(true);
                check.schema(schema, value, path, depth + 1);
                let at_the_top = check.problems.iter().any(|problem| problem.path == path);
                (at_the_top, check.problems)
            })
            .min_by_key(|(at_the_top, problems)| (*at_the_top, problems.len()));
        match nearest {
            Some((false, problems)) => self.problems.extend(problems),
            _ => self.note(path, format!("fits none of the allowed forms, got {}", shown(value))),
        }
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && compare(a, b) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(schema: &Value, value: &Value) -> Vec<String> {
        let patterns = Patterns::compile(schema).expect("the patterns compile");
        validate(schema, &patterns, schema, value, "x").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sentence_names_the_place_the_rule_and_the_value() {
        let schema = json!({"type": "object", "required": ["tags"], "additionalProperties": false, "properties": {
            "depth": {"type": "integer", "minimum": 0, "maximum": 5},
            "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1}}
        }});
        assert_eq!(
            problems(&schema, &json!({"depth": 9, "tags": ["a", ""]})),
            ["`x.depth` must be at most 5, got 9", "`x.tags[1]` must have at least 1 character, got 0"]
        );
        assert_eq!(
            problems(&schema, &json!({"more": 1})),
            ["`x.tags` is required", "`x.more` is not a known member"]
        );
        assert_eq!(problems(&schema, &json!(7)), ["`x` must be of type object, got 7"]);
        assert!(problems(&schema, &json!({"depth": null, "tags": []})).is_empty());
    }

    #[test]
    fn integers_may_be_written_as_floats_without_a_fraction() {
        let schema = json!({"type": "integer"});
        assert!(problems(&schema, &json!(3.0)).is_empty());
        assert_eq!(problems(&schema, &json!(3.5)), ["`x` must be of type integer, got 3.5"]);
    }

    #[test]
    fn combinations_conditions_references_and_patterns_are_enforced() {
        let schema = json!({
            "$defs": {"short": {"type": "string", "maxLength": 3}},
            "type": "object",
            "properties": {"code": {"$ref": "#/$defs/short"}, "kind": {"enum": ["a", "b"]}, "id": {"pattern": "^[0-9]+$"}},
            "allOf": [{"anyOf": [{"required": ["code"]}, {"required": ["id"]}]}],
            "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]}, "then": {"required": ["code"]}
        });
        assert!(problems(&schema, &json!({"code": "abc"})).is_empty());
        assert_eq!(
            problems(&schema, &json!({"code": "abcd"})),
            ["`x.code` must have at most 3 characters, got 4"]
        );
        assert_eq!(
            problems(&schema, &json!({"id": "x"})),
            [r#"`x.id` must match the pattern `^[0-9]+$`, got "x""#]
        );
        assert_eq!(problems(&schema, &json!({"id": "1", "kind": "a"})), ["`x.code` is required"]);
        assert_eq!(
            problems(&schema, &json!({"id": "1", "kind": "c"})),
            [r#"`x.kind` must be one of "a", "b", got "c""#]
        );
        assert_eq!(problems(&schema, &json!({})).len(), 1);
    }

    #[test]
    fn of_several_forms_the_nearest_is_explained() {
        let schema = json!({"oneOf": [{"type": "string"}, {"type": "object", "required": ["a"]}]});
        assert_eq!(problems(&schema, &json!({})), ["`x.a` is required"]);
        assert_eq!(problems(&schema, &json!(1)), ["`x` fits none of the allowed forms, got 1"]);
    }

    #[test]
    fn alternatives_within_alternatives_cost_no_more_than_the_value_is_large() {
        let choice = |name: &str| {
            json!({"type": "object", "required": ["op"], "properties": {
                "op": {"const": name}, "args": {"type": "array", "items": {"$ref": "#"}}
            }})
        };
        let schema = json!({"oneOf": [choice("a"), choice("b"), choice("c"), choice("d")]});
        let mut value = json!({"op": "d"});
        let mut wrong = json!({"op": "z"});
        for _ in 0..60 {
            value = json!({"op": "d", "args": [value]});
            wrong = json!({"op": "d", "args": [wrong]});
        }
        assert!(problems(&schema, &value).is_empty());
        assert!(!problems(&schema, &wrong).is_empty());
    }

    #[test]
    fn many_problems_are_told_in_part() {
        let schema = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(problems(&schema, &json!(vec![0; 1000])).len(), MOST_PROBLEMS);
    }

    #[test]
    fn a_reference_that_never_ends_is_stopped() {
        let schema = json!({"$ref": "#"});
        assert_eq!(problems(&schema, &json!(1)), ["`x` is nested too deep to be checked"]);
    }
}
