//! Text for a terminal: nothing in it that a terminal would obey, and no longer than there is room.

use console::measure_text_width;
use serde_json::Value;

/// A text of the server's without what a terminal would obey: of the control characters, line ends and tabs alone are left.
/// What turns the direction of writing goes as well, since it can make a text read as another one.
pub(crate) fn clean(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    text.replace("\r\n", "\n").chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As much of a line as there is room for.
pub(crate) fn cut(line: &str, room: usize) -> String {
    console::truncate_str(line, room, "…").into_owned()
}

/// A value on one line: a text as it is, anything else as JSON.
pub(crate) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        value => one_line(&value.to_string()),
    }
}

/// A value over as many lines as it takes.
pub(crate) fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        value => clean(&serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())),
    }
}

/// A text with each of its lines set in.
pub(crate) fn set_in(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n")
}

/// Rows as a table whose columns are as wide as they must be, apart from the last.
pub(crate) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        rows.iter().map(|row| measure_text_width(&row[column])).max().unwrap_or_default()
    });
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            format!("{cell}{}", " ".repeat(width.saturating_sub(measure_text_width(cell))))
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_cannot_command_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\td\u{7}\u{9b}"), "a\u{fffd}[2Jb\nc\td\u{fffd}\u{fffd}");
        assert_eq!(clean("safe\u{202e}exe.txt"), "safe\u{fffd}exe.txt");
        assert_eq!(one_line(" a\n  b\tc "), "a b c");
        assert_eq!(short(&json!({ "a": "\u{1b}" })), r#"{"a":"\u001b"}"#);
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(
            table(&[row("a", "x"), row("größe", ""), row("", "y")]),
            ["a      x", "größe", "       y"]
        );
        assert_eq!(cut("a long line", 6), "a lon…");
        assert_eq!(set_in("a\nb", "  "), "  a\n  b");
    }
}
