//! Mistakes in what an author wrote: collected, so that all of them are told at once, each where it is.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Error;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Error>);

/// Proof that a mistake was noted. Whoever cannot go on says so with it, and so never says nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted(());

impl Mistakes {
    /// Notes a mistake that these tokens are.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) -> Noted {
        self.add(Error::new_spanned(tokens, message))
    }

    /// Notes a mistake at a place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) -> Noted {
        self.add(Error::new(span, message))
    }

    /// Notes a mistake that is an error already.
    pub(crate) fn add(&mut self, error: Error) -> Noted {
        self.0.push(error);
        Noted(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, one a line.
    #[cfg(test)]
    pub(crate) fn told(&self) -> String {
        self.0.iter().map(Error::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl ToTokens for Mistakes {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(Error::to_compile_error));
    }
}

/// The known word that an unknown one was probably meant to be.
pub(crate) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    // `readOnly` and `readOnlyHint` are what the specification calls `read_only`.
    let plain = |word: &str| word.to_lowercase().replace('_', "").trim_end_matches("hint").to_owned();
    let word = plain(word);
    known
        .iter()
        .map(|known| (strsim::osa_distance(&word, &plain(known)), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .min()
        .map(|(_, known)| known)
}

/// Words as a sentence lists them: `` `a`, `b` and `c` ``.
pub(crate) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Tokens as an author would write them, near enough for a message.
pub(crate) fn shown(tokens: impl ToTokens) -> String {
    let mut shown = tokens.to_token_stream().to_string();
    let tighter =
        [(" <", "<"), ("< ", "<"), (" >", ">"), (" ::", "::"), (":: ", "::"), (" ,", ","), ("& ", "&")];
    for (spaced, tight) in tighter {
        shown = shown.replace(spaced, tight);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_slip_of_the_pen_and_the_words_of_the_specification_are_understood() {
        let known = ["description", "read_only", "task", "title"];
        assert_eq!(nearest("descripton", &known), Some("description"));
        assert_eq!(nearest("readOnlyHint", &known), Some("read_only"));
        assert_eq!(nearest("tasks", &known), Some("task"));
        assert_eq!(nearest("whatever", &known), None);
    }

    #[test]
    fn a_list_of_words_reads_as_a_sentence() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn a_type_is_shown_as_it_is_written() {
        assert_eq!(
            shown(quote!(std::collections::HashMap<String, Vec<u8>>)),
            "std::collections::HashMap<String, Vec<u8>>"
        );
    }
}
