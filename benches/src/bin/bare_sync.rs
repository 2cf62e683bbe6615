//! The floor in system calls: a blocking read, an answer, a blocking write.

#[path = "../bare.rs"]
mod bare;
#[path = "../fillers.rs"]
mod fillers;

use std::io::{BufRead, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = bare::Bare::new();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut line, mut answer) = (Vec::new(), Vec::new());
    while input.read_until(b'\n', &mut line)? > 0 {
        server.answer(&line, &mut answer)?;
        output.write_all(&answer)?;
        output.flush()?;
        line.clear();
        answer.clear();
    }
    Ok(())
}
