//! Finding out by which revision a server is spoken to: a probe, and the handshake of those that do not know it.

use std::pin::pin;
use std::sync::Arc;

use serde_json::{Value, json};

use super::ask::{Ask, Era};
use super::connection::{Connection, Fault, Introduction, Session, supported, within};
use super::error::Error;
use super::link::{BoxFuture, Broken, Link, Outcome, Outgoing};
use super::settings::Revisions;
use crate::protocol::ProtocolError;
use crate::protocol::names::{self, meta};

/// What a probe found.
enum Found {
    Modern(Introduction),
    Legacy,
    /// The handshake was made meanwhile.
    Settled(Session),
}

impl Connection {
    /// Opens a session with a server, by the newest revision that both know.
    pub(super) async fn settle(&self) -> Result<Session, Fault> {
        let link = self.link()?;
        let is_legacy = match (self.settings.revisions, self.known_era()) {
            (Revisions::Legacy, _) => true,
            (Revisions::Any, Some(era)) => !era.is_modern(),
            (Revisions::Any, None) | (Revisions::Modern, _) => false,
        };
        if is_legacy {
            return match self.initialize(link).await {
                // What was known of the server may have been of another one, which is there now.
                Err(Fault::Final(error)) if self.settings.revisions == Revisions::Any => {
                    tracing::debug!(%error, "the server is asked anew by which revision it is spoken to");
                    self.find_out(self.link()?).await
                }
                settled => settled,
            };
        }
        self.find_out(link).await
    }

    /// The same, with nothing known.
    async fn find_out(&self, link: Arc<dyn Link>) -> Result<Session, Fault> {
        match self.probe(&link).await {
            Ok(Found::Modern(server)) => Ok(Session { link, era: Era::Modern, server }),
            Ok(Found::Legacy) if self.settings.revisions == Revisions::Modern => {
                Err(Fault::Final(Error::Unsupported(format!("the server does not speak {}", names::MODERN))))
            }
            Ok(Found::Legacy) => self.initialize(link).await,
            Ok(Found::Settled(session)) => Ok(session),
            // A process that ended over the first message that it did not know.
            Err(Fault::Broken(Broken::Lost(_)))
                if self.is_child() && self.settings.revisions == Revisions::Any =>
            {
                drop(link);
                self.initialize(self.link()?).await
            }
            Err(fault) => Err(fault),
        }
    }

    /// Asks for what only servers of the stateless protocol know. "A recognized modern JSON-RPC error identifies a modern
    /// server; anything else identifies a legacy server."
    async fn probe(&self, link: &Arc<dyn Link>) -> Result<Found, Fault> {
        let is_forced = self.settings.revisions == Revisions::Modern;
        let mut was_refused = false;
        loop {
            let id = self.next_id();
            let ask = Ask::new("server/discover", json!({}), &self.settings);
            let request = ask.write(&Era::Modern, id, &self.settings, link.has_headers());
            let limit = if is_forced { self.settings.request_timeout } else { self.settings.probe_timeout };
            let mut answer = link.exchange(request);
            let error = match within(limit, &mut answer).await {
                Ok(Ok(result)) if is_modern(&result) => return Ok(Found::Modern(introduced(&result))),
                // It answers, in whatever words.
                Ok(Ok(result)) if is_forced && result["supportedVersions"].is_null() => {
                    return Ok(Found::Modern(introduced(&result)));
                }
                Ok(Err(error)) => error,
                Err(Broken::Status { code: code @ (401 | 403), message }) => {
                    return Err(Fault::Final(Error::Status { code, message }));
                }
                Err(Broken::Status { code: 400..=499, .. }) if is_forced => {
                    return Ok(Found::Modern(Introduction::default()));
                }
                Ok(Ok(_)) | Err(Broken::Status { code: 400..=499, .. }) => return Ok(Found::Legacy),
                // Over pipes, a server that does not know the method may say nothing.
                Err(Broken::Late(_)) if !link.has_headers() && !is_forced => {
                    return self.either(link, answer).await;
                }
                Err(broken) => return Err(broken.into()),
            };
            match error.code() {
                ProtocolError::UNSUPPORTED_VERSION => {
                    if supported(&error).any(|version| version == names::MODERN) && !was_refused {
                        was_refused = true;
                        continue;
                    }
                    // What it names is spoken as it is spoken, by a handshake.
                    if supported(&error).any(|version| names::LEGACY.contains(&version)) {
                        return Ok(Found::Legacy);
                    }
                    return Err(Fault::Final(Error::Unsupported(format!(
                        "the server speaks {}, which this client does not",
                        supported(&error).collect::<Vec<_>>().join(", ")
                    ))));
                }
                ProtocolError::HEADER_MISMATCH | ProtocolError::MISSING_CLIENT_CAPABILITY => {
                    return Err(Fault::Final(Error::Refused(error)));
                }
                _ if is_forced => return Ok(Found::Modern(Introduction::default())),
                _ => return Ok(Found::Legacy),
            }
        }
    }

    /// Makes the handshake with a server that has not answered the probe. It may also have been busy with its start; then it
    /// answers that first.
    async fn either(
        &self,
        link: &Arc<dyn Link>,
        probe: BoxFuture<'_, Result<Outcome, Broken>>,
    ) -> Result<Found, Fault> {
        let mut handshake = pin!(self.initialize(Arc::clone(link)));
        tokio::select! {
            biased;
            probed = probe => match probed {
                Ok(Ok(result)) if is_modern(&result) => Ok(Found::Modern(introduced(&result))),
                _ => handshake.await.map(Found::Settled),
            },
            session = &mut handshake => session.map(Found::Settled),
        }
    }

    /// The handshake of the revisions that have one.
    async fn initialize(&self, link: Arc<dyn Link>) -> Result<Session, Fault> {
        let params = json!({
            "protocolVersion": names::LEGACY_WITH_TASKS,
            "capabilities": self.settings.legacy_capabilities(),
            "clientInfo": self.settings.info,
        });
        let id = self.next_id();
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params });
        let request = Outgoing { id: Some(id), ..Outgoing::aside(&message) };
        let answer = within(self.settings.request_timeout, link.exchange(request)).await?;
        let result = answer.map_err(|error| Fault::Final(Error::Refused(error)))?;
        let version = result["protocolVersion"].as_str().unwrap_or_default();
        if !names::LEGACY.contains(&version) {
            let message = format!("the server speaks revision \"{version}\", which this client does not");
            return Err(Fault::Final(Error::Unsupported(message)));
        }
        link.settled(version);
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        within(self.settings.request_timeout, link.send(Outgoing::aside(&initialized))).await?;
        link.listen().await;
        let server = Introduction { info: result["serverInfo"].clone(), ..introduced(&result) };
        Ok(Session { link, era: Era::Legacy(version.to_owned()), server })
    }
}

/// Whether the answer to a probe names the stateless protocol.
fn is_modern(result: &Value) -> bool {
    let versions = result["supportedVersions"].as_array();
    versions.is_some_and(|versions| versions.iter().any(|version| version == names::MODERN))
}

/// What the answer to `server/discover` or `initialize` says of the server.
fn introduced(result: &Value) -> Introduction {
    Introduction {
        info: result["_meta"][meta::SERVER_INFO].clone(),
        capabilities: result["capabilities"].clone(),
        instructions: result["instructions"].as_str().map(str::to_owned),
    }
}
