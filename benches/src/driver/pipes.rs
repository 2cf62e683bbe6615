//! A message a line, on the standard streams of a child.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use super::{Request, Wire, is_answer, received};
use crate::Result;

pub(super) struct Pipes {
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Pipes {
    pub(super) fn of(child: &mut Child) -> Result<Self> {
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child without pipes".into());
        };
        Ok(Self { input: Some(input), output: BufReader::with_capacity(1 << 18, output) })
    }

    pub(super) fn send(&mut self, lines: &[u8]) -> Result<()> {
        let input = self.input.as_mut().ok_or("the connection is closed")?;
        input.write_all(lines).map_err(|error| format!("sending a request: {error}").into())
    }

    /// Reads up to the next answer; what else a server says on the way is not awaited and not counted.
    pub(super) fn receive(&mut self, answer: &mut String) -> Result<()> {
        loop {
            answer.clear();
            if self.output.read_line(answer)? == 0 {
                return Err("the server closed its output".into());
            }
            received(answer)?;
            if is_answer(answer) {
                return Ok(());
            }
        }
    }

    pub(super) fn stream(
        &mut self,
        wire: Wire,
        first_id: u64,
        count: u32,
        window: u32,
        request: &Request,
    ) -> Result<Vec<String>> {
        let (mut sent, mut lines, mut answer) = (0, Vec::new(), String::new());
        let mut answers: Vec<String> = Vec::with_capacity(count as usize);
        while answers.len() < count as usize {
            lines.clear();
            while sent < count && sent < answers.len() as u32 + window {
                request.write(wire, first_id + u64::from(sent), &mut lines);
                lines.push(b'\n');
                sent += 1;
            }
            if !lines.is_empty() {
                self.send(&lines)?;
            }
            // All answers that have come are taken before the window is filled up again: a client does not hold back.
            loop {
                self.receive(&mut answer)?;
                answers.push(answer.clone());
                if answers.len() == sent as usize || !self.output.buffer().contains(&b'\n') {
                    break;
                }
            }
        }
        Ok(answers)
    }

    /// Ends the server's input.
    pub(super) fn end(&mut self) {
        drop(self.input.take());
    }
}
