//! Calls of a trait's functions on the author's types, placed so that the compiler points at what the author wrote.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

/// Where something in the author's program begins and ends. One span for both is not to be had from the compiler yet.
#[derive(Clone, Copy)]
pub(super) struct Place {
    start: Span,
    end: Span,
}

impl Place {
    /// The place of a word.
    pub(super) fn at(span: Span) -> Self {
        Self { start: span, end: span }
    }

    /// The place of these tokens.
    pub(super) fn of(tokens: impl ToTokens) -> Self {
        let mut tokens = tokens.into_token_stream().into_iter();
        let start = tokens.next().map_or_else(Span::call_site, |token| token.span());
        let end = tokens.last().map_or(start, |token| token.span());
        Self { start, end }
    }

    /// `<ty as __rt::implemented>::function(arguments)`.
    ///
    /// If the type does not implement the trait, that is the whole error, and it is here: a bound of a function would
    /// bring along a note about that function, in a crate that the author does not care for.
    pub(super) fn call(
        self,
        ty: impl ToTokens,
        implemented: &str,
        function: &str,
        arguments: impl ToTokens,
    ) -> TokenStream {
        let word = |name| Ident::new(name, self.end);
        let (implemented, function) = (word(implemented), word(function));
        // The parameters of a generic trait are found by the compiler.
        let parameters = (implemented == "ToolOutput").then(|| quote_spanned!(self.end=> <_>));
        let open = quote_spanned!(self.start=> <);
        let rest = quote_spanned!(self.end=> as __rt::#implemented #parameters>::#function);
        quote!(#open #ty #rest (#arguments))
    }
}
