//! Resources and resource templates: which one a URI means, how it is read, and how the lists show it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Check;
use super::listing::{Pages, Writing};
use super::named::places;
use crate::prompt::DescribedArgument;
use crate::protocol::ProtocolError;
use crate::protocol::content::Annotations;
use crate::protocol::jsonrpc::write_json;
use crate::protocol::payload::{self, Ending};
use crate::resource::{DescribedResource, Resource, ResourceCall, Template};
use crate::server::callee::{Callee, Traits};
use crate::server::run::{Begin, Work};
use crate::task::Context;
use crate::tool::States;
use crate::tool::{Arguments, Icon, Of};
use crate::wire::Call;

/// One resource, or one template.
pub(crate) struct ResourceEntry {
    resource: Arc<dyn Resource>,
    described: Arc<DescribedResource>,
    traits: Traits,
}

impl ResourceEntry {
    pub(super) fn new(resource: Arc<dyn Resource>, check: &mut Check<'_>) -> Self {
        let (described, wrong) = resource.definition().describe();
        check(("resource", &described.uri, &described.states), wrong);
        let traits = Traits::new(described.uri.as_ref().into(), described.task, true);
        Self { resource, described: Arc::new(described), traits }
    }

    /// The variables of a template.
    pub(super) fn variables(&self) -> &Arc<[DescribedArgument]> {
        &self.described.variables
    }

    fn template(&self) -> Option<&Template> {
        self.described.template.as_ref()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let about = &*self.described;
        let is_template = about.template.is_some();
        let listed = Listed {
            uri: Some(&*about.uri).filter(|_| !is_template),
            uri_template: Some(&*about.uri).filter(|_| is_template),
            name: &about.name,
            title: about.title.as_deref(),
            description: about.description.as_deref(),
            mime_type: about.mime_type.as_deref(),
            size: about.size.filter(|_| !is_template),
            annotations: about.annotations.as_ref(),
            icons: &about.icons,
        };
        write_json(out, &listed);
    }
}

impl Callee for ResourceEntry {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn begin(&self, call: &Call<'_>, states: &States, cx: &Context) -> Result<Begin, ProtocolError> {
        let uri = &*call.name;
        let variables = match self.template() {
            None => None,
            Some(template) => {
                let values = template.matches(uri).ok_or_else(|| ProtocolError::resource_not_found(uri))?;
                let values = values.into_iter().map(Value::from);
                let named: Map<String, Value> = template.names().map(str::to_owned).zip(values).collect();
                Some(payload::encode(&named).map_err(|error| ProtocolError::internal(error.to_string()))?)
            }
        };
        let arguments = Arguments::new(Of::Resource, variables.as_deref(), &self.described.input);
        let reading =
            self.resource.read(ResourceCall { uri, arguments, states }, cx.clone()).map_err(|invalid| {
                let data = serde_json::json!({ "uri": uri });
                ProtocolError::invalid_params(invalid.to_string()).with_data(data)
            })?;
        let (uri, about) = (uri.to_owned(), Arc::clone(&self.described));
        Ok(Begin::Work(Work::Other(Box::pin(async move {
            let read = reading
                .await
                .and_then(|result| result.ok_or_else(|| ProtocolError::resource_not_found(&uri)));
            Ending::encoded(
                read.map(|result| result.into_payload(&uri, about.mime_type.as_deref(), about.cache)),
            )
        }))))
    }
}

/// Templates in the order in which they are tried. Each has its place among a few.
fn narrowest_first(entries: Vec<Arc<ResourceEntry>>) -> Vec<Arc<ResourceEntry>> {
    let weight = |entry: &ResourceEntry| entry.template().map_or(0, Template::weight);
    let mut ordered = Vec::with_capacity(entries.len());
    for entry in entries {
        let own = weight(&entry);
        let place = ordered.partition_point(|other: &Arc<ResourceEntry>| weight(other) >= own);
        ordered.insert(place, entry);
    }
    ordered
}

/// All resources and templates.
pub(super) struct Resources {
    in_order: Vec<Arc<ResourceEntry>>,
    /// Where in the order each is, by URI, and by template as it is written.
    by_uri: HashMap<Arc<str>, usize>,
    /// Those that match most narrowly first.
    templates: Vec<Arc<ResourceEntry>>,
    pages: Pages,
    template_pages: Pages,
}

impl Resources {
    pub(super) fn new(in_order: Vec<Arc<ResourceEntry>>, writing: Writing<'_>) -> Self {
        let by_uri = places(in_order.iter().map(|entry| &entry.traits.name));
        let (templates, fixed): (Vec<_>, Vec<_>) =
            in_order.iter().cloned().partition(|entry| entry.template().is_some());
        let pages = Pages::new("resources", &fixed, |out, entry, _| entry.write(out), writing);
        let template_pages =
            Pages::new("resourceTemplates", &templates, |out, entry, _| entry.write(out), writing);
        let templates = narrowest_first(templates);
        Self { in_order, by_uri, templates, pages, template_pages }
    }

    /// The same with more. What could not be told apart by its URI is an error.
    pub(super) fn with(
        self: &Arc<Self>,
        more: Vec<ResourceEntry>,
        writing: Writing<'_>,
        errors: &mut Vec<String>,
    ) -> Arc<Self> {
        if more.is_empty() {
            return Arc::clone(self);
        }
        let mut in_order = self.in_order.clone();
        for entry in more {
            let uri = &entry.traits.name;
            let alike = |other: &&Arc<ResourceEntry>| match (entry.template(), other.template()) {
                (Some(template), Some(other)) => template.is_like(other),
                _ => *uri == other.traits.name,
            };
            if let Some(other) = in_order.iter().find(alike) {
                let other = &other.traits.name;
                errors.push(if uri == other {
                    format!("two resources have the URI `{uri}`: give one of them another")
                } else {
                    format!("the URI templates `{uri}` and `{other}` match the same URIs: give one of them another")
                });
            }
            in_order.push(Arc::new(entry));
        }
        Arc::new(Self::new(in_order, writing))
    }

    /// The same without one, if it is there.
    pub(super) fn without(&self, uri: &str, writing: Writing<'_>) -> Option<Arc<Self>> {
        self.by_uri.get(uri)?;
        let in_order = self.in_order.iter().filter(|entry| &*entry.traits.name != uri).cloned().collect();
        Some(Arc::new(Self::new(in_order, writing)))
    }

    fn named(&self, uri: &str) -> Option<&Arc<ResourceEntry>> {
        self.in_order.get(*self.by_uri.get(uri)?)
    }

    /// What is read when this URI is asked for.
    pub(super) fn find(&self, uri: &str) -> Option<&Arc<ResourceEntry>> {
        let fixed = self.named(uri).filter(|entry| entry.template().is_none());
        let matches = |entry: &&Arc<ResourceEntry>| {
            entry.template().is_some_and(|template| template.matches(uri).is_some())
        };
        fixed.or_else(|| self.templates.iter().find(matches))
    }

    /// What is meant by a URI or a template.
    pub(super) fn get(&self, uri: &str) -> Option<&Arc<ResourceEntry>> {
        self.named(uri).or_else(|| self.find(uri))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<ResourceEntry>> {
        self.in_order.iter()
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    pub(super) fn template_pages(&self) -> &Pages {
        &self.template_pages
    }
}

/// A resource as `resources/list` shows it, or a template as `resources/templates/list` does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a Annotations>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
}
