//! The table at the end: a row for each piece of work, with what was measured, the bar, and the peers.

use std::fmt;

#[derive(Clone, Copy)]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// There is a bar, but no value to hold against it.
    Unmeasured,
    /// The row is there to be read.
    NoBar,
}

impl Verdict {
    pub(crate) fn at_most(bar: f64, value: Option<f64>) -> Self {
        match value {
            Some(value) if value <= bar => Self::Met,
            Some(_) => Self::Missed,
            None => Self::Unmeasured,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::Unmeasured => "not measured",
            Self::NoBar => "",
        })
    }
}

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) ours: String,
    pub(crate) bar: &'static str,
    pub(crate) verdict: Verdict,
    /// Whether the value is the same on each run, so that the bar can be a condition.
    pub(crate) exact: bool,
    pub(crate) rmcp: String,
    pub(crate) rmcp_tuned: String,
    pub(crate) bare: String,
}

impl Row {
    /// A row with nothing measured yet.
    pub(crate) fn new(name: &'static str, bar: &'static str) -> Self {
        Self {
            name,
            ours: String::new(),
            bar,
            verdict: Verdict::NoBar,
            exact: false,
            rmcp: String::new(),
            rmcp_tuned: String::new(),
            bare: String::new(),
        }
    }

    fn cells(&self) -> [String; 7] {
        let Self { name, ours, bar, verdict, rmcp, rmcp_tuned, bare, .. } = self;
        [name, ours.as_str(), bar, &verdict.to_string(), rmcp, rmcp_tuned, bare].map(str::to_owned)
    }
}

pub(crate) fn print(rows: &[Row]) {
    let head = ["row", "ours", "bar", "", "rmcp", "rmcp tuned", "bare"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let widths: [usize; 7] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    println!();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
    }
}

/// A value, written as `write` says, or a dash.
pub(crate) fn cell<T>(value: Option<T>, write: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), write)
}

/// A count with its thousands apart.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
