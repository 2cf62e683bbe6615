//! Which files may be named by a client: any, for one that started this program, or those below one folder.

use std::path::{Path, PathBuf};

use crate::error::GraphError;

/// Where files may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Files {
    /// Anywhere: the client is on this machine, and could read them itself.
    Anywhere,
    /// Below this folder, from which paths are read.
    Below(PathBuf),
    /// Nowhere.
    Nowhere,
}

impl Files {
    /// The path of a file that is there.
    pub(crate) fn existing(&self, path: &Path) -> Result<PathBuf, GraphError> {
        if path.as_os_str().is_empty() {
            return Err(GraphError::NoFile);
        }
        self.resolve(path, path)
    }

    /// The path of a file that is to be written, in a folder that is there.
    pub(crate) fn writable(&self, path: &Path) -> Result<PathBuf, GraphError> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(GraphError::NoFile);
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Ok(self.resolve(folder, path)?.join(name))
    }

    /// `path` without detours, if it may be used; errors name what the client `named`.
    fn resolve(&self, path: &Path, named: &Path) -> Result<PathBuf, GraphError> {
        let root = match self {
            Self::Nowhere => return Err(GraphError::NoImports),
            Self::Anywhere => return Ok(path.to_owned()),
            Self::Below(root) => root,
        };
        let outside = || GraphError::OutsideOfImports { path: named.to_owned() };
        // What is not there and what is elsewhere are told alike: nobody learns what lies outside.
        let root = root.canonicalize().map_err(|_| outside())?;
        let path = root.join(path).canonicalize().map_err(|_| outside())?;
        if path.starts_with(&root) { Ok(path) } else { Err(outside()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryId;

    #[test]
    fn only_what_lies_below_the_folder_may_be_named() {
        let root = std::env::temp_dir().join(format!("memorygraph-files-{}", MemoryId::random()));
        std::fs::create_dir_all(root.join("in/deep")).expect("can be made");
        std::fs::write(root.join("in/deep/a.json"), "{}").expect("can be written");
        std::fs::write(root.join("secret.json"), "{}").expect("can be written");
        let files = Files::Below(root.join("in"));
        files.existing("deep/a.json".as_ref()).expect("lies below");
        files.existing(&root.join("in/deep/a.json")).expect("lies below");
        files.writable("deep/b.json".as_ref()).expect("its folder lies below");
        for wrong in ["../secret.json", "deep/../../secret.json", "deep/none.json"] {
            let error = files.existing(wrong.as_ref()).expect_err("lies elsewhere");
            assert_eq!(error.to_string(), format!("{wrong} does not lie below the folder for imports"));
        }
        for none in ["", "/", ".."] {
            files.writable(none.as_ref()).expect_err("is no file");
        }
        let error = Files::Anywhere.existing("".as_ref()).expect_err("is no file");
        assert_eq!(error.to_string(), "'file' must be the path of a file");
        files.existing(&root.join("secret.json")).expect_err("lies elsewhere");
        files.writable("../b.json".as_ref()).expect_err("its folder lies elsewhere");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("secret.json"), root.join("in/link.json"))
                .expect("can be made");
            files.existing("link.json".as_ref()).expect_err("leads elsewhere");
        }
        Files::Nowhere.existing("deep/a.json".as_ref()).expect_err("no folder");
        std::fs::remove_dir_all(root).expect("was made");
    }
}
