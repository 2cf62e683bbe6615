//! A small file that several programs change, one at a time, and that is whole at any moment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::failure::Failure;

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) tasks: Vec<Entry>,
}

impl Kept {
    /// What there is. A file that is not there holds nothing.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(trouble(file, "cannot be read", &error)),
        };
        serde_json::from_str(&text)
            .map_err(|error| trouble(file, "is no file of tasks; move it away to begin a new one", &error))
    }

    /// Changes what there is, while nobody else does. A reader sees all of the change or nothing of it, and so does whoever
    /// comes after a crash.
    pub(super) fn change<T>(file: &Path, change: impl FnOnce(&mut Vec<Entry>) -> T) -> Result<T, Failure> {
        let wrong = |error: io::Error| trouble(file, "cannot be written", &error);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        // The file itself is replaced, so what is locked is one beside it. The lock ends with `_lock`.
        let _lock = lock(&beside(file, "lock")).map_err(wrong)?;
        let mut kept = Self::read(file)?;
        let before = kept.tasks.clone();
        let changed = change(&mut kept.tasks);
        if kept.tasks != before {
            replace(file, &kept).map_err(wrong)?;
        }
        Ok(changed)
    }
}

fn trouble(file: &Path, what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::File(format!("{} {what}: {error}", file.display()))
}

/// A file beside another.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    file.with_file_name(name)
}

fn lock(path: &Path) -> io::Result<File> {
    let file = own(OpenOptions::new().create(true).truncate(false).write(true)).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Writes all of it beside, and puts it into the other's place. Only whoever has the lock may do so.
fn replace(file: &Path, kept: &Kept) -> io::Result<()> {
    let new = beside(file, "new");
    let mut writer = own(OpenOptions::new().create(true).truncate(true).write(true)).open(&new)?;
    writer.write_all(&serde_json::to_vec_pretty(kept)?)?;
    writer.sync_all()?;
    fs::rename(&new, file)?;
    // That it has this name now is on the disk once the folder is.
    #[cfg(unix)]
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Arguments are nobody else's business.
fn own(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
