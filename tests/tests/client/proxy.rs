//! A proxy that does to connections what networks do: refuses, delays, cuts, swallows and repeats them, as a seed says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Nothing.
    Passed,
    /// It is closed before anything is read.
    Refused,
    /// Each piece of an answer takes some time.
    Delayed(Duration),
    /// It ends after so many bytes of answers.
    Cut(usize),
    /// Requests arrive, and answers do not.
    Swallowed,
    /// All that was sent is sent again over another connection, whose answers nobody sees.
    Repeated,
}

/// The proxy, until it is dropped.
pub(crate) struct Proxy {
    url: String,
    accepting: JoinHandle<()>,
    troubled: Arc<AtomicU64>,
}

impl Proxy {
    /// A proxy before the server at this URL. Without `swallows`, what would be swallowed is refused: nobody can tell a
    /// stream on which nothing is said from one on which nothing arrives.
    pub(crate) async fn before(url: &str, seed: u64, swallows: bool) -> Self {
        let (address, path) = url.trim_start_matches("http://").split_once('/').expect("a URL with a path");
        let server = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/{path}", listener.local_addr().expect("it is bound"));
        let troubled = Arc::new(AtomicU64::new(0));
        let counting = Arc::clone(&troubled);
        let accepting = tokio::spawn(async move {
            let mut dice = Dice(seed);
            while let Ok((client, _)) = listener.accept().await {
                let fate = match dice.fate() {
                    Fate::Swallowed if !swallows => Fate::Refused,
                    fate => fate,
                };
                if !matches!(fate, Fate::Passed) {
                    counting.fetch_add(1, Ordering::Relaxed);
                }
                tokio::spawn(serve(client, server.clone(), fate));
            }
        });
        Self { url, accepting, troubled }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many connections something happened to.
    pub(crate) fn troubled(&self) -> u64 {
        self.troubled.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(client: TcpStream, server: String, fate: Fate) {
    if matches!(fate, Fate::Refused) {
        return;
    }
    let Ok(upstream) = TcpStream::connect(&server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = upstream.into_split();
    let requests = tokio::spawn(requests(from_client, to_server));
    answers(from_server, to_client, fate).await;
    // Whichever end closes first, so does the other.
    let sent = if requests.is_finished() {
        requests.await.unwrap_or_default()
    } else if matches!(fate, Fate::Repeated) {
        tokio::time::timeout(Duration::from_secs(1), requests)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default()
    } else {
        requests.abort();
        return;
    };
    if matches!(fate, Fate::Repeated)
        && let Ok(mut again) = TcpStream::connect(&server).await
    {
        let _ = again.write_all(&sent).await;
        let mut unread = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(1), again.read_to_end(&mut unread)).await;
    }
}

/// Hands on what the client says, and gives all of it once the client is gone.
async fn requests(mut client: OwnedReadHalf, mut server: OwnedWriteHalf) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    while let Ok(count @ 1..) = client.read(&mut piece).await {
        all.extend_from_slice(&piece[..count]);
        if server.write_all(&piece[..count]).await.is_err() {
            break;
        }
    }
    all
}

/// Hands on what the server says, as fate has it.
async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, fate: Fate) {
    let (mut left, mut piece) = (usize::MAX, vec![0; 16 * 1024]);
    if let Fate::Cut(bytes) = fate {
        left = bytes;
    }
    while let Ok(count @ 1..) = server.read(&mut piece).await {
        match fate {
            Fate::Swallowed => continue,
            Fate::Delayed(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        let count = count.min(left);
        left -= count;
        if client.write_all(&piece[..count]).await.is_err() || left == 0 {
            return;
        }
    }
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }

    fn fate(&mut self) -> Fate {
        match self.roll(10) {
            0 => Fate::Refused,
            1 => Fate::Delayed(Duration::from_millis(self.roll(30))),
            2 | 3 => Fate::Cut(usize::try_from(self.roll(1500)).unwrap_or_default().max(1)),
            4 => Fate::Swallowed,
            5 => Fate::Repeated,
            _ => Fate::Passed,
        }
    }
}
