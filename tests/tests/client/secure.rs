//! Over HTTPS: a server proves who it is, or is not spoken to.

use std::sync::Arc;

use mcp_runtime::client::{Client, Connect, Error, Revisions};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tests::Listening;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, pki_types::CertificateDer};

use crate::restarts::free_address;
use crate::{open, pass};

/// The fixture behind HTTPS, until it is dropped.
struct Secure {
    _fixture: Listening,
    port: u16,
    /// The server's certificate.
    pem: String,
    accepting: JoinHandle<()>,
}

impl Secure {
    /// With a certificate of its own for this name, which the change is made to.
    async fn start(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let fixture = Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &["--http", "127.0.0.1:0"]);
        let behind = fixture.url().trim_start_matches("http://").split('/').next().expect("a URL").to_owned();
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let pem = certificate.pem();
        let acceptor = acceptor(certificate.der().clone(), &key);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    // A client that does not trust the server leaves.
                    let Ok(mut client) = acceptor.accept(socket).await else { return };
                    assert_eq!(client.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
                    let mut server = TcpStream::connect(&behind).await.expect("the fixture is there");
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { _fixture: fixture, port, pem, accepting }
    }

    fn connect(&self) -> Connect {
        Client::http(format!("https://localhost:{}/mcp", self.port))
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring knows them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// What is told of a server that is not trusted.
async fn untrusted(connect: Connect) -> String {
    match connect.connect().await {
        Err(error @ Error::Untrusted(_)) => error.to_string(),
        other => panic!("it was trusted: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_with_a_certificate_that_was_given_is_a_server() {
    for revisions in [Revisions::Modern, Revisions::Legacy] {
        let server = Secure::start("localhost", |_| ()).await;
        let connect = server.connect().root_certificate(&*server.pem).revisions(revisions);
        let client = connect.connect().await.expect("it is trusted");
        let sum = client.call_tool("add", json!({ "a": 1, "b": 2 })).await.expect("a sum");
        assert_eq!(sum.text(), "3");
        let call = client.call_tool("wait", json!({ "gate": "g" })).create_task(true);
        let mut task = call.send().await.expect("a task");
        pass(&client, "g-reached").await;
        open(&client, "g").await;
        assert_eq!(task.result().await.expect("a result").text(), "passed g");
        client.close().await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_who_it_is_is_not_spoken_to() {
    let server = Secure::start("localhost", |_| ()).await;
    let told = untrusted(server.connect()).await;
    // A machine without certificates trusts nobody at all.
    assert!(told.contains("nobody") && told.contains("`Connect::root_certificate`"), "{told}");

    let other = Secure::start("other.example", |_| ()).await;
    let told = untrusted(other.connect().root_certificate(&*other.pem)).await;
    assert!(told.contains("for other names than `localhost`") && told.contains("other.example"), "{told}");

    let old = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let expired = Secure::start("localhost", old).await;
    let told = untrusted(expired.connect().root_certificate(&*expired.pem)).await;
    assert!(told.contains("is not valid") && told.contains("expired"), "{told}");
}

#[tokio::test]
async fn a_mistake_in_the_address_or_the_certificate_is_told() {
    let server = Secure::start("localhost", |_| ()).await;
    for (pem, told) in [("", "there is none in this"), ("-----BEGIN CERTIFICATE-----\n!", "as PEM")] {
        let refused = server.connect().root_certificate(pem).connect().await;
        assert!(matches!(&refused, Err(Error::Invalid(what)) if what.contains(told)), "{refused:?}");
    }
    // Each spoken to as if it were the other.
    let plain = Listening::start_with(env!("CARGO_BIN_EXE_fixture"), &["--http", "127.0.0.1:0"]);
    let secured = Client::http(plain.url().replacen("http", "https", 1)).root_certificate(&*server.pem);
    let refused = secured.connect().await;
    assert!(matches!(&refused, Err(Error::Invalid(what)) if what.contains("is it http?")), "{refused:?}");
    let plain = Client::http(format!("http://localhost:{}/mcp", server.port)).connect().await;
    assert!(plain.is_err(), "{plain:?}");
    let nobody = Client::http(format!("https://{}/mcp", free_address())).root_certificate(&*server.pem);
    assert!(matches!(nobody.connect().await, Err(Error::Lost(_))));
}
