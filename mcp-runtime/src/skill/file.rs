//! One file of a skill, as a resource.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use orion::hazardous::hash::sha2::sha256::Sha256;
use serde::Serialize;

use crate::Context;
use crate::protocol::cache::CacheHint;
use crate::resource::{Resource, ResourceCall, ResourceDefinition, ResourceFuture, ResourceResult};
use crate::tool::InvalidArguments;

/// How long what is read of a skill is fresh: it does not change while the server runs.
pub(super) const FRESH: Duration = Duration::from_secs(300);

/// One file of a skill.
#[derive(Clone, Debug)]
pub(crate) struct SkillFile {
    pub(crate) uri: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) mime_type: &'static str,
    contents: Arc<[u8]>,
}

/// What an entry says of a file.
#[derive(Debug, Serialize)]
pub(super) struct Listed<'a> {
    uri: &'a str,
    digest: String,
    size: usize,
}

impl SkillFile {
    pub(super) fn new(uri: String, path: &str, contents: Arc<[u8]>) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        let mime_type = mime_type(&name, &contents);
        Self { uri, name, description: None, mime_type, contents }
    }

    pub(super) fn size(&self) -> usize {
        self.contents.len()
    }

    /// The file in the list of its skill; the error says that it has no digest.
    pub(super) fn listed(&self) -> Result<Listed<'_>, String> {
        let digest = Sha256::digest(&self.contents).map_err(|_| format!("`{}` has no digest", self.uri))?;
        let digest = digest.as_ref().iter().fold("sha256:".to_owned(), |mut text, byte| {
            // Writing into text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Listed { uri: &self.uri, digest, size: self.contents.len() })
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.contents).ok()
    }
}

/// The media type of a file, by the end of its name, or else by whether it is text.
fn mime_type(name: &str, contents: &[u8]) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "md" | "markdown" => "text/markdown",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "yaml" | "yml" => "application/yaml",
        "toml" => "application/toml",
        "xml" => "application/xml",
        "py" => "text/x-python",
        "rs" => "text/x-rust",
        "sh" => "application/x-sh",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ if std::str::from_utf8(contents).is_ok() => "text/plain",
        _ => "application/octet-stream",
    }
}

impl Resource for SkillFile {
    fn definition(&self) -> ResourceDefinition {
        let definition = ResourceDefinition::new(self.uri.clone(), self.name.clone())
            .mime_type(self.mime_type)
            .size(self.contents.len() as u64)
            .cache(CacheHint::public(FRESH));
        match &self.description {
            Some(description) => definition.description(description.clone()),
            None => definition,
        }
    }

    fn read(&self, _: ResourceCall<'_>, _: Context) -> Result<ResourceFuture, InvalidArguments> {
        let file = self.clone();
        Ok(Box::pin(async move {
            Ok(Some(match file.text() {
                Some(text) => ResourceResult::text(text),
                None => ResourceResult::bytes(&file.contents),
            }))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_listed_with_its_digest_and_its_size() {
        let file = SkillFile::new("skill://a/b.txt".to_owned(), "b.txt", b"abc"[..].into());
        let listed = serde_json::to_value(file.listed().expect("a digest")).expect("JSON");
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(listed, serde_json::json!({ "uri": "skill://a/b.txt", "digest": digest, "size": 3 }));
    }

    #[test]
    fn a_media_type_goes_by_the_name_or_else_by_what_is_in_it() {
        let of = |name: &str, contents: &[u8]| {
            SkillFile::new(format!("skill://a/{name}"), name, contents.into()).mime_type
        };
        assert_eq!(
            (of("x/y.MD", b""), of("y", b"text"), of("y.bin", b"\xff")),
            ("text/markdown", "text/plain", "application/octet-stream")
        );
    }
}
