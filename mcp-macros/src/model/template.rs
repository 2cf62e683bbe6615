//! The address of a resource, taken apart as far as its variables are concerned: `memory://{id}`.

use std::ops::Range;

use proc_macro2::Span;
use syn::LitStr;

use crate::diagnostics::Mistakes;

/// A variable of an address.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// Where it stands in the literal, with its braces.
    pub(crate) place: Span,
}

/// The variables of an address, in order. What is wrong with the address is noted.
pub(super) fn variables(uri: &LitStr, mistakes: &mut Mistakes) -> Vec<Variable> {
    let text = uri.value();
    let mut variables: Vec<Variable> = Vec::new();
    if let Some(wrong) = scheme_mistake(&text) {
        mistakes.on(uri, wrong);
    }
    let mut rest = 0;
    let mut behind = None;
    let mut has_slashes = false;
    while let Some(found) = text.get(rest..).and_then(|text| text.find(['{', '}'])) {
        let open = rest + found;
        let end = text.get(open..).and_then(|text| text.find('}')).map(|close| open + close + 1);
        let Some(end) = end.filter(|_| text.as_bytes().get(open) == Some(&b'{')) else {
            mistakes.at(place(uri, open..open + 1), LONELY);
            return variables;
        };
        let place = place(uri, open..end);
        let inner = text.get(open + 1..end - 1).unwrap_or_default();
        let takes_slashes = inner.starts_with('+') || inner.ends_with('*');
        // The compiler may show no more than the whole address, so that each is named.
        if behind == Some(open) {
            let message = format!(
                "nothing tells where the variable before `{{{inner}}}` ends: write something in between"
            );
            mistakes.at(place, message);
        }
        if takes_slashes && std::mem::replace(&mut has_slashes, true) {
            let message = format!(
                "nothing tells where `{{{inner}}}` begins, because another variable takes slashes, too: leave `+` or `*` \
                 out of one of them"
            );
            mistakes.at(place, message);
        }
        match variable(inner) {
            Ok(name) if variables.iter().any(|variable| variable.name == name) => {
                mistakes
                    .at(place, format!("there are two variables `{{{name}}}`: name one of them otherwise"));
            }
            Ok(name) => variables.push(Variable { name: name.to_owned(), place }),
            Err(told) => {
                mistakes.at(place, format!("`{{{inner}}}` {told}"));
            }
        }
        (rest, behind) = (end, Some(end));
    }
    variables
}

const LONELY: &str =
    "this brace has no other: a variable is written as `{id}`, and a brace that is none as `%7B` or `%7D`";

/// What is wrong with what comes before the first colon.
fn scheme_mistake(uri: &str) -> Option<String> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match uri.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && !rest.is_empty() => None,
        Some((scheme, _)) if is_scheme(scheme) => Some(format!(
            "nothing comes behind the scheme: write a whole address, such as `{scheme}://{{id}}`"
        )),
        _ => Some("an address begins with its scheme: write one such as `memory://{id}`".to_owned()),
    }
}

/// The name of the variable that is written between braces, or what is wrong with it.
fn variable(inner: &str) -> Result<&str, String> {
    if inner.contains(',') {
        return Err("has several variables: write each in braces of its own".to_owned());
    }
    if let Some((name, _)) = inner.split_once(':') {
        return Err(format!("takes a part of a value: write `{{{name}}}`, and take it in the function"));
    }
    let name = match inner.strip_prefix('+') {
        Some(rest) => rest,
        None => inner.strip_suffix('*').unwrap_or(inner),
    };
    if let Some(rest) = name.strip_prefix(['?', '&', '#', '/', '.', ';', '=', '!', '@', '|']) {
        let name = if rest.is_empty() { "id" } else { rest };
        return Err(format!(
            "has an operator that an address cannot be read back by: write `{{{name}}}`, or `{{+{name}}}` if it takes \
             slashes"
        ));
    }
    if name.is_empty() {
        return Err("needs a name: write one such as `{id}`".to_owned());
    }
    match name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
        Some(wrong) => {
            Err(format!("is named by letters, digits and `_` only, and not by {wrong:?}: name it otherwise"))
        }
        None => Ok(name),
    }
}

/// The place of a part of what the literal says: that part, where the compiler tells, or else the literal.
fn place(literal: &LitStr, part: Range<usize>) -> Span {
    let token = literal.token();
    // What is written differently than it is read is not worth the search.
    let begin = token.to_string().find(&literal.value());
    begin
        .and_then(|begin| token.subspan(part.start + begin..part.end + begin))
        .unwrap_or_else(|| literal.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str) -> (Vec<String>, String) {
        let mut mistakes = Mistakes::default();
        let variables = variables(&LitStr::new(uri, Span::call_site()), &mut mistakes);
        (variables.into_iter().map(|variable| variable.name).collect(), mistakes.told())
    }

    #[test]
    fn variables_are_named_in_order_whatever_they_span() {
        let (names, told) = read("files://{host}/{+path}?page={page}");
        assert_eq!(
            (names.as_slice(), told.as_str()),
            (["host", "path", "page"].map(String::from).as_slice(), "")
        );
        assert_eq!(read("docs:{path*}").0, ["path"]);
        assert_eq!(read("test://static-text"), (Vec::new(), String::new()));
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (uri, told) in [
            ("static-text", "begins with its scheme"),
            ("{scheme}://a", "begins with its scheme"),
            ("memory:", "`memory://{id}`"),
            ("memory://{id", "no other"),
            ("memory://id}", "no other"),
            ("memory://{}", "needs a name"),
            ("memory://{?id}", "write `{id}`"),
            ("memory://{a,b}", "`{a,b}`"),
            ("memory://{id:3}", "write `{id}`"),
            ("memory://{user-id}", "'-'"),
            ("memory://{a}{b}", "before `{b}` ends"),
            ("memory://{+a}/{b*}", "takes slashes"),
            ("memory://{a}/{a}", "two variables `{a}`"),
        ] {
            let mistakes = read(uri).1;
            assert!(mistakes.contains(told), "{uri}: {mistakes}");
        }
    }
}
