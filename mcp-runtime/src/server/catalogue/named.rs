//! Things that are offered by name, in the order in which they were given: tools, and prompts.

use std::collections::HashMap;
use std::sync::Arc;

use super::listing::{Audience, Pages, Writing};
use crate::server::callee::Callee;

/// Something that is offered by name.
pub(super) trait Entry: Callee {
    /// What it is called in a sentence.
    const NOUN: &'static str;
    /// The member of the list's result.
    const MEMBER: &'static str;

    /// Writes it as the list shows it.
    fn write(&self, out: &mut Vec<u8>, audience: Audience);
}

/// Where each of these names is.
pub(super) fn places<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> HashMap<Arc<str>, usize> {
    names.enumerate().map(|(place, name)| (Arc::clone(name), place)).collect()
}

/// All of one kind.
pub(super) struct Named<E> {
    in_order: Vec<Arc<E>>,
    /// Where in the order each is; of two of one name, the second.
    by_name: HashMap<Arc<str>, usize>,
    pages: Pages,
}

impl<E: Entry> Named<E> {
    pub(super) fn new(in_order: Vec<Arc<E>>, writing: Writing<'_>) -> Self {
        let by_name = places(in_order.iter().map(|entry| &entry.traits().name));
        let pages =
            Pages::new(E::MEMBER, &in_order, |out, entry, audience| entry.write(out, audience), writing);
        Self { in_order, by_name, pages }
    }

    /// The same with more. A name that is there already is an error.
    pub(super) fn with(
        self: &Arc<Self>,
        more: Vec<E>,
        writing: Writing<'_>,
        errors: &mut Vec<String>,
    ) -> Arc<Self> {
        if more.is_empty() {
            return Arc::clone(self);
        }
        let mut in_order = self.in_order.clone();
        in_order.extend(more.into_iter().map(Arc::new));
        let all = Self::new(in_order, writing);
        for (place, entry) in all.in_order.iter().enumerate() {
            let (noun, name) = (E::NOUN, &entry.traits().name);
            if all.by_name.get(name) == Some(&place) {
                continue;
            }
            errors.push(format!("two {noun}s are named `{name}`: give one of them another `name`"));
        }
        Arc::new(all)
    }

    /// The same without one, if it is there.
    pub(super) fn without(&self, name: &str, writing: Writing<'_>) -> Option<Arc<Self>> {
        self.by_name.get(name)?;
        let in_order = self.in_order.iter().filter(|entry| &*entry.traits().name != name).cloned().collect();
        Some(Arc::new(Self::new(in_order, writing)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<E>> {
        self.in_order.get(*self.by_name.get(name)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<E>> {
        self.in_order.iter()
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }
}
