//! Skills: their entries, and the directories that they are in.

use std::collections::HashMap;
use std::sync::Arc;

use super::listing::{Audience, Pages, Writing};
use crate::ProtocolError;
use crate::protocol::jsonrpc::write_json;
use crate::skill::{DescribedSkill, Directories};

/// All skills.
pub(super) struct Skills {
    pages: Pages,
    by_uri: HashMap<String, Arc<[u8]>>,
    directories: HashMap<String, Pages>,
}

impl Skills {
    pub(super) fn new(skills: &[DescribedSkill], writing: Writing<'_>) -> Self {
        let pages = Pages::new(
            "skills",
            skills,
            |out, skill, _| out.extend_from_slice(skill.entry.get().as_bytes()),
            writing,
        );
        let answer = |skill: &DescribedSkill| {
            let mut out = format!(r#"{{"skill":{}"#, skill.entry.get()).into_bytes();
            writing.write_modern_members(&mut out);
            out.push(b'}');
            (skill.uri.clone(), out.into())
        };
        let mut directories = Directories::default();
        for skill in skills {
            directories.add(skill);
        }
        let listed = |(uri, children): (String, Vec<_>)| {
            (uri, Pages::new("resources", &children, |out, child, _| write_json(out, child), writing))
        };
        Self {
            pages,
            by_uri: skills.iter().map(answer).collect(),
            directories: directories.into_children().map(listed).collect(),
        }
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// The answer to `skills/get`.
    pub(super) fn get(&self, uri: &str) -> Result<Arc<[u8]>, ProtocolError> {
        self.by_uri.get(uri).cloned().ok_or_else(|| unknown("no skill is served at this URI", uri))
    }

    /// The answer to `resources/directory/read`.
    pub(super) fn directory(
        &self,
        uri: &str,
        audience: Audience,
        cursor: Option<&str>,
    ) -> Result<Arc<[u8]>, ProtocolError> {
        let pages = self.directories.get(uri).ok_or_else(|| unknown("this URI is no directory", uri))?;
        pages.get(audience, cursor)
    }
}

fn unknown(message: &'static str, uri: &str) -> ProtocolError {
    ProtocolError::invalid_params(message).with_data(serde_json::json!({ "uri": uri }))
}
