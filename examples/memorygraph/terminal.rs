//! Words and a progress bar for a person at a terminal, in plain ANSI.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// What is used where nobody can say how wide the terminal is.
const USUAL_WIDTH: usize = 80;
/// Beyond this a line of text is hard to read.
const READABLE_WIDTH: usize = 100;
/// Back to the start of the line, and nothing on it.
const CLEAR_LINE: &str = "\r\x1b[2K";
/// The parts of a character that a bar fills, from an eighth to seven.
const EIGHTHS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A terminal that is written to.
#[derive(Debug)]
pub(crate) struct Terminal<W: Write> {
    out: W,
    width: usize,
    /// Whether a bar stands on the last line.
    bar: bool,
}

impl Terminal<io::Stdout> {
    /// The terminal of this program.
    pub(crate) fn of_stdout() -> Self {
        Self::new(io::stdout(), width_of_this_terminal())
    }
}

impl<W: Write> Terminal<W> {
    pub(crate) fn new(out: W, width: usize) -> Self {
        Self { out, width, bar: false }
    }

    /// Writes a heading.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.clear_bar()?;
        writeln!(self.out, "\n\x1b[1m{text}\x1b[0m")
    }

    /// Writes a paragraph, wrapped between words. A line that begins with a blank stays as it is.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        self.clear_bar()?;
        let width = self.width.min(READABLE_WIDTH);
        text.lines()
            .flat_map(|line| wrapped(line, width))
            .try_for_each(|line| writeln!(self.out, "{line}"))?;
        self.out.flush()
    }

    /// Draws a bar in the place of the one before. `part` is what is done, from 0 to 1.
    pub(crate) fn draw_bar(&mut self, part: f64, message: &str) -> io::Result<()> {
        self.bar = true;
        write!(self.out, "{CLEAR_LINE}{}", bar(self.width, part, message))?;
        self.out.flush()
    }

    /// Leaves the bar where it is, with a last word, and goes on below.
    pub(crate) fn finish_bar(&mut self, part: f64, message: &str) -> io::Result<()> {
        self.draw_bar(part, message)?;
        self.bar = false;
        writeln!(self.out)
    }

    fn clear_bar(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.bar) { write!(self.out, "{CLEAR_LINE}") } else { Ok(()) }
    }
}

impl<W: Write> Drop for Terminal<W> {
    fn drop(&mut self) {
        // A bar that nobody finished would stand in the way of the prompt; a terminal that is gone has none.
        let _ = self.clear_bar().and_then(|()| self.out.flush());
    }
}

/// One line that fits into `width`: the bar, how much of it is full, and a message, as far as there is room.
fn bar(width: usize, part: f64, message: &str) -> String {
    let part = part.clamp(0.0, 1.0);
    let cells = (width / 3).clamp(8, 40);
    let eighths = (part * (cells * 8) as f64) as usize;
    let mut line = String::from("  ");
    line.extend(std::iter::repeat_n('█', eighths / 8));
    line.extend((eighths % 8).checked_sub(1).map(|partly| EIGHTHS[partly]));
    line.extend(std::iter::repeat_n('·', cells - eighths.div_ceil(8)));
    line.extend(format!(" {:3.0} %  ", part * 100.0).chars());
    // The last column stays free, since some terminals go on to the next line when it is written.
    let room = width.saturating_sub(line.chars().count() + 1);
    line.extend(cut(message, room));
    line
}

/// The first characters of a text, and an ellipsis where it goes on.
fn cut(text: &str, room: usize) -> impl Iterator<Item = char> {
    let fits = text.chars().count() <= room;
    let kept = if fits { room } else { room.saturating_sub(1) };
    let ellipsis = (!fits && room > 0).then_some('…');
    text.chars().take(kept).chain(ellipsis)
}

fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.starts_with(' ') || line.is_empty() {
        return vec![line.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() < width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// As `COLUMNS` says, or `stty`, which asks the terminal behind its standard input.
fn width_of_this_terminal() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.or_else(width_by_stty).filter(|width| *width > 0).unwrap_or(USUAL_WIDTH)
}

fn width_by_stty() -> Option<usize> {
    let asked =
        Command::new("stty").arg("size").stdin(Stdio::inherit()).stderr(Stdio::null()).output().ok()?;
    let size = String::from_utf8(asked.stdout).ok()?;
    size.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Terminal<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut Terminal::new(&mut out, 40)).expect("memory can be written");
        String::from_utf8(out).expect("text was written")
    }

    #[test]
    fn a_bar_fills_as_the_work_goes_on() {
        assert_eq!(bar(40, 0.0, "x"), "  ·············   0 %  x");
        assert_eq!(bar(40, 0.5, "x"), "  ██████▌······  50 %  x");
        assert_eq!(bar(40, 1.0, "x"), "  █████████████ 100 %  x");
    }

    #[test]
    fn a_bar_fits_into_its_line_whatever_is_said() {
        for width in [20, 40, 80, 200] {
            for part in [-1.0, 0.0, 0.013, 0.999, 1.0, 7.0, f64::NAN] {
                let line = bar(width, part, &"long ".repeat(80));
                assert!(line.chars().count() < width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_message_that_is_too_long_ends_in_an_ellipsis() {
        let cut = |text, room| cut(text, room).collect::<String>();
        assert_eq!([cut("timeout", 7), cut("timeout", 4), cut("timeout", 0)], ["timeout", "tim…", ""]);
    }

    #[test]
    fn words_take_the_place_of_a_bar() {
        let text = written(|terminal| {
            terminal.draw_bar(0.5, "x")?;
            terminal.say("done")
        });
        assert!(text.ends_with(&format!("x{CLEAR_LINE}done\n")), "{text:?}");
    }

    #[test]
    fn a_bar_that_is_left_alone_is_taken_away_and_a_finished_one_stays() {
        assert!(written(|terminal| terminal.draw_bar(0.5, "x")).ends_with(CLEAR_LINE));
        assert!(written(|terminal| terminal.finish_bar(1.0, "done")).ends_with("done\n"));
    }

    #[test]
    fn text_is_wrapped_between_words_but_what_is_set_in_stays() {
        assert_eq!(wrapped("one two three", 9), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensible", 9), ["incomprehensible"]);
        assert_eq!(wrapped("  one  two  three", 9), ["  one  two  three"]);
    }
}
