//! What a result holds, for people to read, and the files in it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::failure::Failure;
use crate::screen::text::{clean, one_line, pretty};

/// A file in a result.
#[derive(Debug)]
struct Blob<'a> {
    mime_type: &'a str,
    bytes: Vec<u8>,
}

/// A result as people read it. Files in it are written below `folder`, if there is one; those come with it.
pub(crate) fn shown(
    content: &[Value],
    structured: Option<&Value>,
    tool: &str,
    folder: Option<&Path>,
) -> Result<(String, Vec<PathBuf>), Failure> {
    let (mut lines, mut files) = (Vec::new(), Vec::new());
    for item in content {
        match (item["type"].as_str(), item["text"].as_str()) {
            // Structured content is repeated as text, for clients that do not know it.
            (Some("text"), Some(text)) if structured.is_some_and(|structured| repeats(text, structured)) => {}
            (Some("text"), Some(text)) => lines.push(clean(text)),
            _ => lines.push(self::item(item, tool, folder, &mut files)?),
        }
    }
    lines.extend(structured.map(pretty));
    if lines.is_empty() {
        lines.push("(nothing)".to_owned());
    }
    Ok((lines.join("\n"), files))
}

/// Whether a text says the same as the structured content, which legacy servers put into an object as its `result` if it is
/// none.
fn repeats(text: &str, structured: &Value) -> bool {
    let is_same = |value: &Value| value == structured || structured.get("result") == Some(value);
    serde_json::from_str(text).is_ok_and(|value| is_same(&value)) || is_same(&text.into())
}

/// An item of content that is no text.
fn item(
    item: &Value,
    tool: &str,
    folder: Option<&Path>,
    files: &mut Vec<PathBuf>,
) -> Result<String, Failure> {
    let text = |key: &str| item[key].as_str().map(one_line);
    Ok(match item["type"].as_str() {
        Some(kind @ ("image" | "audio")) => blob(kind, item, "data", tool, folder, files)?,
        Some("resource_link") => {
            let name = text("title").or_else(|| text("name")).unwrap_or_default();
            let about = [text("mimeType"), text("description")].into_iter().flatten().collect::<Vec<_>>();
            let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
            format!("[link to a resource: {name} <{}>{about}]", text("uri").unwrap_or_default())
        }
        Some("resource") => {
            let resource = &item["resource"];
            let name = format!("resource {}", one_line(resource["uri"].as_str().unwrap_or_default()));
            match resource["text"].as_str() {
                Some(text) => format!("[{name}]\n{}", clean(text)),
                None => blob(&name, resource, "blob", tool, folder, files)?,
            }
        }
        _ => pretty(item),
    })
}

/// A line about a file, which is written if there is a folder for it.
fn blob(
    what: &str,
    item: &Value,
    member: &str,
    tool: &str,
    folder: Option<&Path>,
    files: &mut Vec<PathBuf>,
) -> Result<String, Failure> {
    let mime_type = item["mimeType"].as_str().unwrap_or("application/octet-stream");
    let Ok(bytes) = BASE64.decode(item[member].as_str().unwrap_or_default()) else {
        return Ok(format!("[{what}: {}, which is no base64]", one_line(mime_type)));
    };
    let about = format!("{what}: {}, {}", one_line(mime_type), indicatif::HumanBytes(bytes.len() as u64));
    let Some(folder) = folder else { return Ok(format!("[{about}]")) };
    let file = save(&Blob { mime_type, bytes }, tool, folder)
        .map_err(|error| Failure::File(format!("{} cannot be written to: {error}", folder.display())))?;
    let line = format!("[{about}, saved as {}]", file.display());
    files.push(file);
    Ok(line)
}

/// Writes a file that was not there. What it is called is not for the server to say.
fn save(blob: &Blob<'_>, tool: &str, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let stem: String = tool.chars().map(|c| if is_safe(c) { c } else { '_' }).take(64).collect();
    let ending = ending(blob.mime_type);
    let mut number = 1_u32;
    loop {
        let file = folder.join(format!("{stem}-{number}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).open(&file) {
            Ok(mut open) => return open.write_all(&blob.bytes).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// How the name of a file of this type ends.
fn ending(mime_type: &str) -> String {
    let kind = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let ending = match kind.as_str() {
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        "text/plain" => "txt",
        "text/markdown" => "md",
        _ => kind.split_once('/').map_or("", |(_, name)| name.trim_start_matches("x-")),
    };
    let is_usual =
        !ending.is_empty() && ending.len() <= 8 && ending.chars().all(|c| c.is_ascii_alphanumeric());
    if is_usual { ending.to_owned() } else { "bin".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_said_twice_is_shown_once() {
        let text = |text: &str| [json!({ "type": "text", "text": text })];
        let shown = |content: &[Value], structured: Value| {
            shown(content, Some(&structured), "give", None).expect("shown").0
        };
        assert_eq!(shown(&text("{\"a\":1}"), json!({ "a": 1 })), "{\n  \"a\": 1\n}");
        assert_eq!(shown(&text("7"), json!({ "result": 7 })), "{\n  \"result\": 7\n}");
        assert_eq!(shown(&text("one\u{1b}[2J"), json!([])), "one\u{fffd}[2J\n[]");
        assert_eq!(self::shown(&[], None, "give", None).expect("shown").0, "(nothing)");
    }

    #[test]
    fn files_are_told_of_and_written_where_one_says() {
        let folder = std::env::temp_dir().join(format!("host-{}", uuid::Uuid::new_v4()));
        let image = [json!({ "type": "image", "data": "AAEC", "mimeType": "image/png" })];
        let (text, files) = shown(&image, None, "../give", None).expect("shown");
        assert_eq!((text.as_str(), files.len()), ("[image: image/png, 3 B]", 0));
        for number in 1..=2 {
            let (text, files) = shown(&image, None, "../give", Some(&folder)).expect("shown");
            assert_eq!(files, [folder.join(format!("___give-{number}.png"))]);
            assert!(text.contains("saved as"), "{text}");
            assert_eq!(fs::read(&files[0]).ok(), Some(vec![0, 1, 2]));
        }
        fs::remove_dir_all(folder).expect("it is there");
    }

    #[test]
    fn a_name_ends_as_its_type_says() {
        let endings =
            ["image/PNG; a=b", "audio/x-wav", "application/../../x", "nonsense", "image/svg+xml"].map(ending);
        assert_eq!(endings, ["png", "wav", "bin", "bin", "svg"]);
    }

    #[test]
    fn links_and_resources_are_told_of() {
        let mut files = Vec::new();
        let mut line = |item: Value| self::item(&item, "t", None, &mut files).expect("a line");
        let link =
            json!({ "type": "resource_link", "uri": "file:///a", "name": "a", "mimeType": "text/plain" });
        assert_eq!(line(link), "[link to a resource: a <file:///a> (text/plain)]");
        let text = json!({ "type": "resource", "resource": { "uri": "test://a", "text": "hello" } });
        assert_eq!(line(text), "[resource test://a]\nhello");
        let blob = json!({ "type": "resource", "resource": { "uri": "test://b", "blob": "!" } });
        assert_eq!(line(blob), "[resource test://b: application/octet-stream, which is no base64]");
    }
}
