//! A skill as a server knows it: its entry, its files as resources, and its directories.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::file::SkillFile;
use super::{MANIFEST, MOST_BYTES, MOST_FILES, Skill, front_matter};
use crate::protocol::payload;

/// A skill, checked.
#[derive(Debug)]
pub(crate) struct DescribedSkill {
    /// The URI of its `SKILL.md`.
    pub(crate) uri: String,
    /// What `skills/list` and `skills/get` say of it.
    pub(crate) entry: Box<RawValue>,
    pub(crate) files: Vec<SkillFile>,
}

#[derive(Serialize)]
struct Entry<'a> {
    uri: &'a str,
    frontmatter: &'a Value,
    resources: Vec<super::file::Listed<'a>>,
}

impl Skill {
    /// Everything that a server needs to know, made once; the errors say all that is wrong.
    pub(crate) fn describe(self) -> Result<DescribedSkill, Vec<String>> {
        let mut errors = Vec::new();
        check_path(&self.path, &mut errors);
        let root = format!("skill://{}", encoded(&self.path));
        let uri = format!("{root}/{MANIFEST}");
        for path in self.files.keys().filter(|path| !is_path(path)) {
            errors.push(format!("`{path}` is no path of a file: write segments with `/` between them"));
        }
        let front_matter = match self.files.get(MANIFEST).map(|manifest| std::str::from_utf8(manifest)) {
            None => Err("it has no SKILL.md".to_owned()),
            Some(Err(_)) => Err("its SKILL.md is not UTF-8".to_owned()),
            Some(Ok(manifest)) => front_matter::read(manifest),
        };
        let front_matter = front_matter.unwrap_or_else(|error| {
            errors.push(error);
            Value::Null
        });
        if !front_matter.is_null() {
            check_front_matter(&front_matter, &self.path, &mut errors);
        }
        let mut files: Vec<SkillFile> = self
            .files
            .into_iter()
            .map(|(path, contents)| SkillFile::new(format!("{root}/{}", encoded(&path)), &path, contents))
            .collect();
        let bytes: usize = files.iter().map(SkillFile::size).sum();
        if files.len() > MOST_FILES || bytes > MOST_BYTES {
            errors.push(format!(
                "it has {} files of {bytes} bytes or more; hosts need not take more than {MOST_FILES} of {MOST_BYTES}",
                files.len()
            ));
        }
        let text = |key: &str| front_matter.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(manifest) = files.iter_mut().find(|file| file.uri == uri) {
            manifest.name = text("name").unwrap_or_default();
            manifest.description = text("description");
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let resources =
            files.iter().map(SkillFile::listed).collect::<Result<_, _>>().map_err(|error| vec![error])?;
        let entry = payload::encode(&Entry { uri: &uri, frontmatter: &front_matter, resources })
            .map_err(|error| vec![error.to_string()])?;
        Ok(DescribedSkill { uri, entry, files })
    }

    /// By which an error names it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// The rules of the Agent Skills specification on names, and this extension's on what stands before one.
fn check_path(path: &str, errors: &mut Vec<String>) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        errors.push("its name must have 1 to 64 of `a-z`, `0-9` and `-`".to_owned());
    } else if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        errors.push("its name must not begin or end with `-`, nor have two of them in a row".to_owned());
    }
    if !is_path(path) {
        errors.push("its path has an empty segment, or one that is `.` or `..`".to_owned());
    }
}

fn check_front_matter(front_matter: &Value, path: &str, errors: &mut Vec<String>) {
    let name = path.rsplit('/').next().unwrap_or(path);
    match front_matter.get("name").and_then(Value::as_str) {
        Some(own) if own == name => {}
        Some(own) => errors
            .push(format!("its SKILL.md says that it is named `{own}`, and its path that it is `{name}`")),
        None => errors.push("the front matter of its SKILL.md has no `name`".to_owned()),
    }
    if front_matter.get("description").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) {
        errors.push("the front matter of its SKILL.md has no `description`".to_owned());
    }
}

fn is_path(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "" | "." | "..") && !segment.contains(['\\', '\0']))
}

/// A path as a URI has it.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte);
    path.bytes().fold(String::new(), |mut uri, byte| {
        if plain(byte) {
            uri.push(char::from(byte));
        } else {
            // Writing into text cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}

/// The directories of all skills, each with what is directly in it.
#[derive(Debug, Default)]
pub(crate) struct Directories(HashMap<String, BTreeMap<String, Child>>);

/// A file or a directory in a directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Child {
    uri: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    mime_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
}

impl Directories {
    /// Adds the directories of one skill.
    pub(crate) fn add(&mut self, skill: &DescribedSkill) {
        let root = skill.uri.strip_suffix(MANIFEST).map_or("", |root| root.trim_end_matches('/'));
        for file in &skill.files {
            let mut child = Child {
                uri: file.uri.clone(),
                name: file.name.clone(),
                description: file.description.clone(),
                mime_type: file.mime_type,
                size: Some(file.size()),
            };
            while let Some((directory, name)) =
                child.uri.rsplit_once('/').filter(|(directory, _)| directory.len() >= root.len())
            {
                let (directory, name) = (directory.to_owned(), name.to_owned());
                self.0.entry(directory.clone()).or_default().insert(name, child);
                let name = directory.rsplit('/').next().unwrap_or_default().to_owned();
                child = Child {
                    uri: directory,
                    name,
                    description: None,
                    mime_type: "inode/directory",
                    size: None,
                };
            }
        }
    }

    /// Each directory with its children, in a fixed order.
    pub(crate) fn into_children(self) -> impl Iterator<Item = (String, Vec<Child>)> {
        self.0.into_iter().map(|(uri, children)| (uri, children.into_values().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(path: &str, manifest: &str) -> Skill {
        Skill::new(path).file(MANIFEST, manifest)
    }

    const RIGHT: &str = "---\nname: refunds\ndescription: Refunds.\n---\n";

    #[test]
    fn an_entry_has_the_front_matter_and_every_file() {
        let described =
            skill("acme/refunds", RIGHT).file("examples/a b.md", "x").describe().expect("it is right");
        assert_eq!(described.uri, "skill://acme/refunds/SKILL.md");
        let entry: Value = serde_json::from_str(described.entry.get()).expect("JSON");
        assert_eq!(entry["frontmatter"], serde_json::json!({ "name": "refunds", "description": "Refunds." }));
        assert_eq!(entry["resources"][0]["size"], RIGHT.len());
        assert_eq!(entry["resources"][1]["uri"], "skill://acme/refunds/examples/a%20b.md");
    }

    #[test]
    fn directories_have_their_direct_children() {
        let described = skill("acme/refunds", RIGHT)
            .file("a/b/c.md", "x")
            .file("a/d.md", "y")
            .describe()
            .expect("it is right");
        let mut directories = Directories::default();
        directories.add(&described);
        let children: BTreeMap<_, _> = directories
            .into_children()
            .map(|(uri, children)| (uri, children.into_iter().map(|child| child.name).collect::<Vec<_>>()))
            .collect();
        let expected = [
            ("skill://acme/refunds", vec!["refunds", "a"]),
            ("skill://acme/refunds/a", vec!["b", "d.md"]),
            ("skill://acme/refunds/a/b", vec!["c.md"]),
        ];
        assert_eq!(children.len(), expected.len(), "{children:?}");
        for (uri, names) in expected {
            assert_eq!(children[uri], names, "{uri}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_skill_is_told() {
        for (skill, says) in [
            (Skill::new("refunds"), "no SKILL.md"),
            (skill("Refunds", RIGHT), "a-z"),
            (skill("re--funds", RIGHT), "in a row"),
            (skill("acme//refunds", RIGHT), "empty segment"),
            (skill("returns", RIGHT), "named `refunds`"),
            (skill("refunds", "---\nname: refunds\n---\n"), "no `description`"),
            (skill("refunds", RIGHT).file("../a", ""), "no path"),
        ] {
            let path = skill.path().to_owned();
            let errors = skill.describe().expect_err("it is wrong").join("\n");
            assert!(errors.contains(says), "{path}: {errors}");
        }
    }
}
