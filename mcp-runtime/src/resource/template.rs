//! URI templates, read backwards: which URIs one matches, and what its variables are then.

use std::borrow::Cow;

/// The most variables of one template.
const MOST_VARIABLES: usize = 16;

/// A URI template (RFC 6570) of the kind that can be matched without guessing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The text before the first variable.
    start: Box<str>,
    /// Each variable with the text that follows it.
    variables: Vec<Variable>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    name: Box<str>,
    /// Whether it takes slashes.
    is_rest: bool,
    then: Box<str>,
}

impl Template {
    /// Reads a template; the error says what is wrong with it and what to write instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (start, mut left) = text.split_once('{').unwrap_or((text, ""));
        let mut variables: Vec<Variable> = Vec::new();
        let mut has_more = start.len() < text.len();
        while has_more {
            let Some((expression, after)) = left.split_once('}') else {
                return Err("its URI template has a `{` that is never closed".to_owned());
            };
            let (then, next) = match after.split_once('{') {
                Some((then, next)) => (then, Some(next)),
                None => (after, None),
            };
            let (name, is_rest) = read_expression(expression)?;
            if variables.iter().any(|variable| &*variable.name == name) {
                return Err(format!(
                    "its URI template has two variables `{name}`: name one of them otherwise"
                ));
            }
            if then.is_empty() && next.is_some() {
                return Err(format!(
                    "nothing stands between `{{{expression}}}` and the next variable of its URI template, so nobody \
                     could tell where one ends: put a character between them"
                ));
            }
            variables.push(Variable { name: name.into(), is_rest, then: then.into() });
            left = next.unwrap_or_default();
            has_more = next.is_some();
        }
        if variables.len() > MOST_VARIABLES {
            return Err(format!("its URI template has more than {MOST_VARIABLES} variables"));
        }
        if variables.iter().filter(|variable| variable.is_rest).count() > 1 {
            return Err(
                "its URI template has two variables that take slashes, so nobody could tell where one ends: \
                        leave the `+` or `*` of one of them out"
                    .to_owned(),
            );
        }
        let template = Self { start: start.into(), variables };
        if template.literals().any(|literal| literal.contains('}')) {
            return Err("its URI template has a `}` without a `{`".to_owned());
        }
        Ok(template)
    }

    fn literals(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.start).chain(self.variables.iter().map(|variable| &*variable.then))
    }

    /// The variables, in the order in which they stand.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| &*variable.name)
    }

    /// How many characters stand outside of variables: of the templates that match, the one with the most is meant.
    pub(crate) fn weight(&self) -> usize {
        self.literals().map(str::len).sum()
    }

    /// Whether both match exactly the same URIs.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let shape = |template: &Self| -> Vec<bool> {
            template.variables.iter().map(|variable| variable.is_rest).collect()
        };
        self.literals().eq(other.literals()) && shape(self) == shape(other)
    }

    /// The values of the variables, in their order; `None` if the URI is of another kind.
    pub(crate) fn matches(&self, uri: &str) -> Option<Vec<String>> {
        let uri = uri.strip_prefix(&*self.start)?;
        let split = self.variables.iter().position(|variable| variable.is_rest);
        let values = match split {
            None => match_forwards(&self.variables, uri, true)?.0,
            Some(at) => {
                let (before, after) = self.variables.split_at(at);
                let (mut values, uri) = match_forwards(before, uri, false)?;
                let (rest, last) = match_backwards(after, uri)?;
                if rest.is_empty() {
                    return None;
                }
                values.push(rest);
                values.extend(last);
                values
            }
        };
        values.into_iter().map(decoded).collect()
    }
}

/// Matches variables and the text after each from the front. The earliest place where the text occurs is the right one:
/// a later one leaves less for what follows.
///
/// The text after the last variable ends the URI if `to_end`; what is left over otherwise is given back.
fn match_forwards<'u>(
    variables: &[Variable],
    mut uri: &'u str,
    to_end: bool,
) -> Option<(Vec<&'u str>, &'u str)> {
    let mut values = Vec::with_capacity(variables.len());
    for (index, variable) in variables.iter().enumerate() {
        let value = if to_end && index + 1 == variables.len() {
            uri.strip_suffix(&*variable.then)?
        } else {
            // A variable has at least one character.
            let first = uri.chars().next()?.len_utf8();
            let at = uri[first..].find(&*variable.then)?;
            &uri[..first + at]
        };
        if !is_segment(value) {
            return None;
        }
        uri = &uri[value.len() + variable.then.len()..];
        values.push(value);
    }
    if to_end && variables.is_empty() && !uri.is_empty() { None } else { Some((values, uri)) }
}

/// The same from the back, for a variable that takes slashes and those after it: what the first one takes, and the values
/// of the others.
fn match_backwards<'u>(variables: &[Variable], mut uri: &'u str) -> Option<(&'u str, Vec<&'u str>)> {
    let (first, others) = variables.split_first()?;
    let mut values = Vec::with_capacity(others.len());
    let mut before = others.iter().rev().map(|variable| &*variable.then).chain([&*first.then]);
    uri = uri.strip_suffix(before.next()?)?;
    for literal in before {
        // A variable has at least one character.
        let last = uri.chars().next_back()?.len_utf8();
        let at = uri[..uri.len() - last].rfind(literal)?;
        let value = &uri[at + literal.len()..];
        if !is_segment(value) {
            return None;
        }
        values.push(value);
        uri = &uri[..at];
    }
    values.reverse();
    Some((uri, values))
}

fn is_segment(value: &str) -> bool {
    !value.is_empty() && !value.contains(['/', '?', '#'])
}

/// The name in an expression, and whether it takes slashes.
fn read_expression(expression: &str) -> Result<(&str, bool), String> {
    let (name, is_rest) = match expression.strip_prefix('+') {
        Some(name) => (name, true),
        None => expression.strip_suffix('*').map_or((expression, false), |name| (name, true)),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(format!(
            "`{{{expression}}}` in its URI template cannot be matched: write `{{name}}`, or `{{+name}}` for one that \
             takes slashes, with letters, digits and `_` in the name"
        ));
    }
    Ok((name, is_rest))
}

/// A value without its percent-encoding; `None` if it is no text then, or leads out of where it stands.
fn decoded(value: &str) -> Option<String> {
    let text = percent_decoded(value)?;
    let leads_out = text.split(['/', '\\']).any(|segment| segment == "..");
    if leads_out || text.contains('\0') { None } else { Some(text.into_owned()) }
}

/// A text without its percent-encoding; a `%` that encodes nothing stays. `None` if the bytes are no text.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(at + 1), digit(at + 2)) {
            decoded.push((high * 16 + low) as u8);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(template: &str, uri: &str) -> Option<Vec<String>> {
        Template::parse(template).expect("a template").matches(uri)
    }

    #[allow(clippy::unnecessary_wraps, reason = "it stands for what was matched")]
    fn values(values: &[&str]) -> Option<Vec<String>> {
        Some(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn a_variable_is_one_segment_or_a_part_of_it() {
        assert_eq!(matched("test://template/{id}/data", "test://template/123/data"), values(&["123"]));
        assert_eq!(matched("test://template/{id}/data", "test://template/1/2/data"), None);
        assert_eq!(matched("test://template/{id}/data", "test://template//data"), None, "none is empty");
        assert_eq!(matched("a://{x}-{y}.txt", "a://1-2-3.txt"), values(&["1", "2-3"]));
        assert_eq!(matched("a://{x}", "a://1?q"), None);
        assert_eq!(matched("a://{x}", "b://1"), None);
        assert_eq!(matched("a://{x}.txt", "a://.txt.txt"), values(&[".txt"]));
    }

    #[test]
    fn one_variable_may_take_the_rest_wherever_it_stands() {
        assert_eq!(matched("file:///{+path}", "file:///a/b.rs"), values(&["a/b.rs"]));
        assert_eq!(matched("file:///{path*}", "file:///a/b.rs"), values(&["a/b.rs"]));
        assert_eq!(matched("file:///{+path}", "file:///"), None);
        assert_eq!(
            matched("repo://{owner}/{+path}/{name}.{ext}", "repo://me/a/b/c.tar.gz"),
            values(&["me", "a/b", "c.tar", "gz"])
        );
        assert_eq!(matched("a://{+x}!{y}", "a://1!2!3"), values(&["1!2", "3"]));
    }

    #[test]
    fn values_are_decoded_and_lead_nowhere_else() {
        assert_eq!(matched("a://{x}", "a://caf%C3%A9%20%2f"), values(&["café /"]));
        assert_eq!(matched("a://{x}", "a://100%"), values(&["100%"]));
        assert_eq!(matched("a://{x}", "a://%FF"), None, "not text");
        for uri in ["a://..", "a://b/../c", "a://%2e%2e/c", "a://b%2F..%2Fc", "a://b%5C..", "a://%00"] {
            assert_eq!(matched("a://{+x}", uri), None, "{uri}");
        }
        assert_eq!(matched("a://{+x}", "a://b..c/...d"), values(&["b..c/...d"]));
    }

    #[test]
    fn what_could_only_be_guessed_is_refused() {
        for (wrong, says) in [
            ("a://{x", "never closed"),
            ("a://x}", "without"),
            ("a://{x}{y}", "between"),
            ("a://{x}/{x}", "two variables"),
            ("a://{+x}/{+y}", "slashes"),
            ("a://{?q}", "write"),
            ("a://{}", "write"),
            ("a://{x,y}", "write"),
        ] {
            assert!(Template::parse(wrong).is_err_and(|error| error.contains(says)), "{wrong}");
        }
    }

    #[test]
    fn templates_are_compared_by_what_they_match() {
        let template = |text| Template::parse(text).expect("a template");
        assert!(template("a://{x}/b").is_like(&template("a://{y}/b")));
        assert!(!template("a://{x}").is_like(&template("a://{+x}")));
        assert!(template("a://{x}/b").weight() > template("a://{x}").weight());
    }

    #[test]
    fn what_a_template_is_filled_with_is_found_again() {
        use proptest::prelude::*;
        proptest!(|(x in "[a-z0-9.]{1,8}", path in "[a-z./-]{1,12}", z in "[a-z0-9]{1,4}")| {
            prop_assume!(!path.split('/').any(|segment| segment == "..") && x != "..");
            let found = matched("a://{x}/{+path}/{z}", &format!("a://{x}/{path}/{z}"));
            prop_assert_eq!(found, values(&[&x, &path, &z]));
        });
    }
}
