//! Agent Skills: directories with instructions for agents, served as resources (the extension
//! `io.modelcontextprotocol/skills`, SEP-2640).

mod described;
mod file;
mod front_matter;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use described::{DescribedSkill, Directories};

/// A skill: a directory with a `SKILL.md`, which says in its front matter what it is for, and whatever else it needs.
///
/// Skills are read from disk when the server starts, or put together from what is built into the program:
///
/// ```
/// use mcp_runtime::Skill;
/// use mcp_runtime::prelude::*;
///
/// let skill = Skill::new("acme/git-workflow")
///     .file("SKILL.md", "---\nname: git-workflow\ndescription: How we branch and commit.\n---\n\n# Git\n")
///     .file("templates/commit.md", "Why, in one sentence.");
/// let server = Server::new("acme", "1.0.0").skills([skill]);
/// assert!(server.build().is_ok());
/// ```
///
/// Each file is a resource at `skill://<path of the skill>/<path of the file>`, listed and read like any other; each
/// directory can be read by `resources/directory/read`. Clients of 2026-07-28 that know the extension find skills by
/// `skills/list` and `skills/get`, with the digest and the size of each file. To all others they are resources.
#[derive(Clone, Debug)]
#[must_use = "a skill does nothing until a server offers it"]
pub struct Skill {
    path: String,
    files: BTreeMap<String, Arc<[u8]>>,
}

/// The file that makes a directory a skill.
const MANIFEST: &str = "SKILL.md";

/// The most files of a skill that every host accepts.
const MOST_FILES: usize = 512;

/// The most bytes of a skill that every host accepts.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How deep directories are looked into.
const DEEPEST: usize = 32;

impl Skill {
    /// A skill without files so far. The last segment of its path is its name; those before it, if there are any, are a
    /// prefix of your choice: `git-workflow`, `acme/billing/refunds`.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), files: BTreeMap::new() }
    }

    /// Adds a file, at a path within the skill such as `SKILL.md` or `templates/invoice.md`.
    pub fn file(mut self, path: impl Into<String>, contents: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), contents.as_ref().into());
        self
    }

    /// Reads one skill from a directory. Hidden files and links are left out.
    ///
    /// Fails if something cannot be read; the error names what.
    pub fn read(path: impl Into<String>, directory: impl AsRef<Path>) -> io::Result<Self> {
        let mut skill = Self::new(path);
        let mut bytes = 0;
        let mut add = |path: String, file: &Path| -> io::Result<()> {
            // No more is read than what is needed to tell that it is too much.
            if skill.files.len() > MOST_FILES || bytes > MOST_BYTES {
                return Ok(());
            }
            let contents = fs::read(file).map_err(|error| about(file, &error))?;
            bytes += contents.len();
            skill.files.insert(path, contents.into());
            Ok(())
        };
        walk(directory.as_ref(), "", 0, &mut |path, file, is_directory| {
            if is_directory { Ok(()) } else { add(path, file) }
        })?;
        Ok(skill)
    }

    /// Reads every skill beneath a directory: each directory with a `SKILL.md` is one, also within another.
    ///
    /// Fails if something cannot be read; the error names what.
    pub fn read_all(directory: impl AsRef<Path>) -> io::Result<Vec<Self>> {
        let mut skills = Vec::new();
        walk(directory.as_ref(), "", 0, &mut |path, file, is_directory| {
            if is_directory && file.join(MANIFEST).is_file() {
                skills.push(Self::read(path, file)?);
            }
            Ok(())
        })?;
        Ok(skills)
    }
}

/// Calls `see` with every file and directory beneath a directory: its path from there with `/`, its path on disk, and
/// whether it is a directory. In an order that is always the same.
fn walk(
    directory: &Path,
    prefix: &str,
    depth: usize,
    see: &mut dyn FnMut(String, &Path, bool) -> io::Result<()>,
) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(about(directory, &io::Error::other(format!("there are more than {DEEPEST} levels"))));
    }
    let entries = fs::read_dir(directory).map_err(|error| about(directory, &error))?;
    let mut entries: Vec<_> =
        entries.collect::<Result<_, _>>().map_err(|error: io::Error| about(directory, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let on_disk = entry.path();
        let kind = entry.file_type().map_err(|error| about(&on_disk, &error))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(about(&on_disk, &io::Error::other("its name is not UTF-8")));
        };
        if name.starts_with('.') || kind.is_symlink() {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        see(path.clone(), &on_disk, kind.is_dir())?;
        if kind.is_dir() {
            walk(&on_disk, &path, depth + 1, see)?;
        }
    }
    Ok(())
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skills_are_read_from_disk_with_their_files_and_those_within_them() {
        let folder = std::env::temp_dir().join(format!("skills-{}", uuid::Uuid::new_v4()));
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        };
        write("acme/refunds/SKILL.md", "a");
        write("acme/refunds/examples/email.md", "b");
        write("acme/refunds/nested/SKILL.md", "c");
        write("acme/refunds/.hidden", "d");
        write("acme/readme.md", "e");
        let skills = Skill::read_all(&folder);
        fs::remove_dir_all(&folder).expect("it can be removed");
        let skills = skills.expect("they can be read");
        let paths: Vec<_> = skills.iter().map(|skill| skill.path.as_str()).collect();
        assert_eq!(paths, ["acme/refunds", "acme/refunds/nested"]);
        let files: Vec<_> = skills[0].files.keys().map(String::as_str).collect();
        assert_eq!(files, ["SKILL.md", "examples/email.md", "nested/SKILL.md"]);
        let gone = Skill::read_all(&folder).expect_err("it is gone");
        assert!(gone.to_string().contains("skills-"), "{gone}");
    }
}
