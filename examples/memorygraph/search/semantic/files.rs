//! The two files of a model, in a folder or in a wheel, as `WordLlama` lays them out.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use miniz_oxide::inflate;
use rawzip::{CompressionMethod, ZipArchive, ZipSliceEntry, ZipVerification, crc32};

use super::error::Wrong;

/// Where a matrix may lie, and where a tokenizer, seen from the folder or from the root of the wheel.
const MATRIX_FOLDERS: [&str; 3] = ["", "weights/", "wordllama/weights/"];
const TOKENIZER_FOLDERS: [&str; 3] = ["", "tokenizers/", "wordllama/tokenizers/"];
/// Whatever claims to be larger, when it is unpacked, is no model.
const MAX_SIZE: u64 = 1 << 30;

/// A file and what it holds.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// The files of a model.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) matrix: Content,
    pub(super) tokenizer: Content,
}

impl Files {
    /// Reads them from a folder or from a wheel.
    pub(super) fn read(path: &Path) -> Result<Self, Wrong> {
        if path.is_dir() {
            let read = |name: &str| fs::read(path.join(name)).map_err(Wrong::Unreadable);
            return Self::choose(&names_below(path)?, read);
        }
        let bytes = fs::read(path).map_err(Wrong::Unreadable)?;
        let archive = ZipArchive::from_slice(&bytes[..]).map_err(Wrong::NoArchive)?;
        let (mut names, mut packed) = (Vec::new(), HashMap::new());
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(Wrong::BadArchive)? {
            // A name that leads out of the archive, or is none, is not one of those that are looked for.
            if let Ok(name) = entry.file_path().try_normalize() {
                names.push(name.as_str().to_owned());
                let packing = (entry.compression_method(), entry.wayfinder());
                packed.insert(name.as_str().to_owned(), packing);
            }
        }
        Self::choose(&names, |name| {
            let (method, place) = packed[name];
            let entry = archive.get_entry(place).map_err(Wrong::BadArchive)?;
            unpacked(&entry, method).map_err(|what| Wrong::BadEntry { file: name.to_owned(), what })
        })
    }

    fn choose(names: &[String], read: impl Fn(&str) -> Result<Vec<u8>, Wrong>) -> Result<Self, Wrong> {
        let matrix = one(names, "matrix of vectors", MATRIX_FOLDERS, "weights/*.safetensors", |name| {
            name.ends_with(".safetensors")
        })?;
        let places = "tokenizers/*tokenizer_config.json or tokenizer.json";
        // Where both lie side by side, `tokenizer_config.json` is about something else.
        let whole = names.iter().any(|name| name == "tokenizer.json");
        let tokenizer = one(names, "tokenizer", TOKENIZER_FOLDERS, places, |name| {
            if whole { name == "tokenizer.json" } else { name.ends_with("tokenizer_config.json") }
        })?;
        let content = |name: &str| Ok(Content { name: name.to_owned(), bytes: read(name)? });
        Ok(Self { matrix: content(matrix)?, tokenizer: content(tokenizer)? })
    }
}

/// The one file in one of these folders whose name is as it should be.
fn one<'n>(
    names: &'n [String],
    what: &'static str,
    folders: [&str; 3],
    places: &'static str,
    fits: impl Fn(&str) -> bool,
) -> Result<&'n str, Wrong> {
    let lies_there = |name: &&String| {
        let start = name.rfind('/').map_or(0, |slash| slash + 1);
        folders.contains(&&name[..start]) && fits(&name[start..])
    };
    let mut found = names.iter().filter(lies_there);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Wrong::Missing { what, places }),
        (Some(one), Some(other)) => Err(Wrong::Several { what, one: one.clone(), other: other.clone() }),
    }
}

/// The files in the folders in which those of a model may lie, in order.
fn names_below(root: &Path) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    for folder in MATRIX_FOLDERS.into_iter().chain(TOKENIZER_FOLDERS) {
        let entries = match fs::read_dir(root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Wrong::Unreadable(error)),
        };
        for entry in entries {
            let name = entry.map_err(Wrong::Unreadable)?.file_name();
            names.extend(name.to_str().map(|name| format!("{folder}{name}")));
        }
    }
    names.sort_unstable();
    // The root is looked into for both.
    names.dedup();
    Ok(names)
}

/// What a file in an archive holds, or what is wrong with it.
fn unpacked(entry: &ZipSliceEntry<'_>, method: CompressionMethod) -> Result<Vec<u8>, String> {
    let claim = entry.claim_verifier();
    if claim.uncompressed_size > MAX_SIZE {
        return Err(format!("it claims to hold {} bytes", claim.uncompressed_size));
    }
    let bytes = match method {
        CompressionMethod::STORE => entry.data().to_vec(),
        CompressionMethod::DEFLATE => {
            let size = claim.uncompressed_size as usize;
            inflate::decompress_to_vec_with_limit(entry.data(), size).map_err(|error| error.to_string())?
        }
        other => return Err(format!("it is packed by an unusual method ({other:?})")),
    };
    let found = ZipVerification { crc: crc32(&bytes), uncompressed_size: bytes.len() as u64 };
    claim.valid(found).map_err(|error| error.to_string())?;
    Ok(bytes)
}
