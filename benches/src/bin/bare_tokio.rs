//! What a request costs on tokio's own standard streams, without a framework.

#[path = "../bare.rs"]
mod bare;
#[path = "../fillers.rs"]
mod fillers;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = bare::Bare::new();
    let (mut input, mut output) = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    let (mut line, mut answer) = (Vec::new(), Vec::new());
    while input.read_until(b'\n', &mut line).await? > 0 {
        server.answer(&line, &mut answer)?;
        output.write_all(&answer).await?;
        output.flush().await?;
        line.clear();
        answer.clear();
    }
    Ok(())
}
