//! `ours_http <plain|hundred|tasks> <address>`: this framework over Streamable HTTP.

#[path = "../fillers.rs"]
mod fillers;
#[path = "../ours.rs"]
mod ours;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tools, address] = &arguments[..] else {
        return Err("usage: ours_http <plain|hundred|tasks> <address>".into());
    };
    let server = ours::server(tools).ok_or("there are no such tools")?;
    server.serve_http(address).await?;
    Ok(())
}
