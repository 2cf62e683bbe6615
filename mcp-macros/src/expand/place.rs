//! Generated code in the place of what an author wrote, so that the compiler points there.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

/// Where something in the author's program begins and ends. The compiler has no one span for both to give yet.
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

    /// A type for the compiler to find.
    pub(super) fn unnamed(self) -> TokenStream {
        quote_spanned!(self.start=> _)
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
        // The parameters of a generic trait are found by the compiler.
        let parameters = ["ToolOutput", "ResourceOutput", "Complete"]
            .contains(&implemented)
            .then(|| quote_spanned!(self.end=> <_>));
        let word = |name| Ident::new(name, self.end);
        let (implemented, function) = (word(implemented), word(function));
        let open = quote_spanned!(self.start=> <);
        let rest = quote_spanned!(self.end=> as __rt::#implemented #parameters>::#function);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments.into_token_stream());
        arguments.set_span(self.end);
        quote!(#open #ty #rest #arguments)
    }

    /// The same for a mistake that is in a word, and not in the type.
    pub(super) fn call_for(
        self,
        ty: impl ToTokens,
        implemented: &str,
        function: &str,
        arguments: impl ToTokens,
    ) -> TokenStream {
        self.call(self.moved(ty.into_token_stream()), implemented, function, arguments)
    }

    /// The tokens, as if they stood here. What they mean stays as it was.
    fn moved(self, tokens: TokenStream) -> TokenStream {
        tokens
            .into_iter()
            .map(|mut token| {
                let span = self.start.resolved_at(token.span());
                if let TokenTree::Group(group) = &token {
                    token = Group::new(group.delimiter(), self.moved(group.stream())).into();
                }
                token.set_span(span);
                token
            })
            .collect()
    }
}
