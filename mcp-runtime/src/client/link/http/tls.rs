//! Connections that are secure: who the server is, is proved by a certificate.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::super::Broken;
use super::address::Address;
use crate::client::error::Error;

/// Makes connections secure.
#[derive(Clone)]
pub(in crate::client) struct Tls(TlsConnector);

impl Tls {
    /// Trusts whom the machine trusts, and these certificates in PEM.
    pub(in crate::client) async fn trusting(own: Vec<Vec<u8>>) -> Result<Self, Error> {
        // The machine's certificates are files.
        let native = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let native = native.map_err(|error| Error::Invalid(format!("no certificates were read: {error}")))?;
        for error in native.errors {
            tracing::warn!(%error, "certificates of this machine cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(native.certs);
        for pem in own {
            for certificate in certificates(&pem)? {
                roots
                    .add(certificate)
                    .map_err(|error| Error::Invalid(format!("a root certificate cannot be used: {error}")))?;
            }
        }
        if roots.is_empty() {
            let message = "there is nobody to trust: this machine has no root certificates, and \
                           `Connect::root_certificate` gave none";
            return Err(Error::Untrusted(message.to_owned()));
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Unsupported(format!("TLS cannot be spoken: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Makes a connection secure, and has the server prove who it is.
    pub(super) async fn secure(
        &self,
        address: &Address,
        socket: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Broken> {
        let name = ServerName::try_from(address.host.clone())
            .map_err(|error| Broken::Invalid(format!("{}: {error}", address.host)))?;
        self.0.connect(name, socket).await.map_err(|error| broken(address, &error))
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// The certificates in a PEM text; at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found
        .map_err(|error| Error::Invalid(format!("a root certificate cannot be read as PEM: {error}")))?;
    if found.is_empty() {
        return Err(Error::Invalid("a root certificate is PEM, and there is none in this".to_owned()));
    }
    Ok(found)
}

/// Why a connection is not secure.
fn broken(address: &Address, error: &io::Error) -> Broken {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Address { authority, host, .. } = address;
    match tls {
        Some(rustls::Error::InvalidCertificate(wrong)) => {
            let why = match wrong {
                CertificateError::UnknownIssuer => {
                    "its certificate is of nobody that this machine trusts; if it is your own, give it by \
                     `Connect::root_certificate`"
                        .to_owned()
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("its certificate is for other names than `{host}`: {wrong}")
                }
                wrong => format!("its certificate is not valid: {wrong}"),
            };
            Broken::Untrusted(format!("{authority}: {why}"))
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            Broken::Invalid(format!("{authority}: the server does not speak https here; is it http?"))
        }
        _ => Broken::Unsent(format!("{authority}: the connection cannot be made secure: {error}")),
    }
}
