//! The YAML at the beginning of a `SKILL.md`, as JSON.

use serde_json::Value;

/// What stands between the `---` lines, as the author wrote it; the error says what is wrong.
pub(super) fn read(manifest: &str) -> Result<Value, String> {
    let yaml =
        between_lines(manifest).ok_or("its SKILL.md does not begin with front matter between `---` lines")?;
    match yaml_serde::from_str(yaml) {
        Ok(Value::Object(front_matter)) => Ok(Value::Object(front_matter)),
        Ok(_) => Err("the front matter of its SKILL.md is no mapping".to_owned()),
        Err(error) => Err(format!("the front matter of its SKILL.md is not YAML: {error}")),
    }
}

fn between_lines(manifest: &str) -> Option<&str> {
    let manifest = manifest.strip_prefix('\u{feff}').unwrap_or(manifest);
    let rest = manifest.strip_prefix("---")?;
    let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'))?;
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(&rest[..end]);
        }
        end += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn front_matter_is_json_with_everything_that_was_written() {
        let text = "---\nname: refunds\ndescription: >-\n  Long\n  text\nmetadata:\n  version: \"2\"\n  list: [1, 2.5, true, null]\n---\n# Body\n---\n";
        let read = read(text).expect("front matter");
        assert_eq!(
            read,
            json!({
                "name": "refunds", "description": "Long text",
                "metadata": { "version": "2", "list": [1, 2.5, true, null] }
            })
        );
        assert!(super::read("---\r\nname: a\r\n---\r\n").is_ok());
    }

    #[test]
    fn what_is_no_front_matter_is_told() {
        for (text, says) in [
            ("# Body", "begin"),
            ("---\nname: a\n", "begin"),
            ("---\n- a\n---\n", "mapping"),
            ("---\n: [\n---\n", "YAML"),
        ] {
            assert!(read(text).is_err_and(|error| error.contains(says)), "{text}");
        }
    }
}
