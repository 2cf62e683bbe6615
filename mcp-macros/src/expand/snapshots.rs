//! What is written for typical declarations, to be read: each `tests/expand/*.rs` beside its `*.expanded.rs`.
//!
//! `BLESS=1 cargo test -p mcp-macros snapshots` writes the expansions anew.

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Item};

use crate::kind::Kind;

/// The source with its attributes expanded, as the compiler would see it.
fn expanded(source: &str) -> String {
    let file = syn::parse_file(source).expect("the source is Rust");
    let items = file.items.into_iter().map(|mut item| {
        let attributes = match &mut item {
            Item::Fn(function) => &mut function.attrs,
            Item::Impl(block) => &mut block.attrs,
            _ => return item.into_token_stream(),
        };
        match take_attribute(attributes) {
            Some((kind, words)) => super::attribute(kind, words, item.into_token_stream()),
            None => item.into_token_stream(),
        }
    });
    let expanded = syn::parse2(quote!(#(#items)*)).expect("the expansion is Rust");
    prettyplease::unparse(&expanded)
}

/// Takes the first attribute of ours, as the compiler would.
fn take_attribute(attributes: &mut Vec<Attribute>) -> Option<(Kind, TokenStream)> {
    let of =
        |attribute: &Attribute| Kind::ALL.into_iter().find(|kind| attribute.path().is_ident(kind.word()));
    let (index, kind) =
        attributes.iter().enumerate().find_map(|(index, attribute)| Some((index, of(attribute)?)))?;
    let attribute = attributes.remove(index);
    Some((kind, attribute.meta.require_list().map(|list| list.tokens.clone()).unwrap_or_default()))
}

fn sources() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let mut sources: Vec<PathBuf> = fs::read_dir(directory)
        .expect("the directory of the sources is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.to_string_lossy().ends_with(".expanded.rs"))
        .collect();
    sources.sort();
    sources
}

#[test]
fn expansions_are_those_that_were_read_last() {
    let is_blessed = env::var_os("BLESS").is_some();
    let mut changed = Vec::new();
    for source in sources() {
        let expansion = source.with_extension("expanded.rs");
        let now = expanded(&fs::read_to_string(&source).expect("the source can be read"));
        let before = fs::read_to_string(&expansion).unwrap_or_default();
        if now == before {
            continue;
        }
        if is_blessed {
            fs::write(&expansion, &now).expect("the expansion can be written");
        } else {
            changed.push(format!("{}:\n{now}", source.display()));
        }
    }
    assert!(changed.is_empty(), "these expansions are not as they were:\n\n{}", changed.join("\n"));
}
