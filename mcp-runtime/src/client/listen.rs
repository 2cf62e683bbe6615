//! Hearing of what changes on the server: its lists, and what resources hold.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::Client;
use super::ask::Ask;
use super::backoff::Backoff;
use super::connection::{Connection, Fault, Session};
use super::error::Error;

/// How often a session is looked after in which nothing else says that it is over.
const LOOK: Duration = Duration::from_secs(30);

/// How long a subscription lasts that counts as one.
const LASTING: Duration = Duration::from_secs(5);

/// Something that may change on the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources, or of their templates.
    Resources,
    /// What the resource at this URI holds.
    Resource(String),
}

/// What changes on the server, from [`Client::listen`], until it is dropped.
///
/// It reconnects by itself, for as long as it is there. What was missed meanwhile nobody knows, so that everything counts as
/// changed then.
pub struct Changes {
    client: Client,
    told: Arc<Told>,
    keeping: AbortHandle,
}

/// What was told and not read yet. Something that changes twice meanwhile has changed.
#[derive(Debug, Default)]
pub(super) struct Told {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    wanted: BTreeSet<Change>,
    /// What the server tells of; none before it has said so.
    granted: Option<BTreeSet<Change>>,
    unread: BTreeSet<Change>,
    /// Why nothing is told any more.
    failed: Option<Error>,
}

impl Client {
    /// Hears of these changes on the server.
    ///
    /// ```no_run
    /// # async fn f(client: mcp_runtime::client::Client) -> Result<(), mcp_runtime::client::Error> {
    /// use mcp_runtime::client::Change;
    ///
    /// let mut changes = client.listen([Change::Tools, Change::Resource("memory://1".into())]).await?;
    /// let mut tools = client.list_tools().await?;
    /// loop {
    ///     match changes.next().await? {
    ///         Change::Resource(uri) => println!("{uri} is now {}", client.read_resource(&uri).await?),
    ///         _ => tools = client.list_tools().await?,
    ///     }
    /// #   let _ = &tools;
    /// }
    /// # }
    /// ```
    ///
    /// Read what is to be watched after this has returned, so that nothing is missed in between. On the stateless protocol
    /// this is `subscriptions/listen`; before it, servers tell of their lists unasked, and of resources by
    /// `resources/subscribe`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the server tells of none of them, [`Error::TimedOut`] if it does not say whether it does.
    pub async fn listen(&self, wanted: impl IntoIterator<Item = Change>) -> Result<Changes, Error> {
        let wanted: BTreeSet<Change> = wanted.into_iter().collect();
        if wanted.is_empty() {
            return Err(Error::Invalid("there is nothing to listen for".to_owned()));
        }
        let told = Arc::new(Told::default());
        told.state().wanted = wanted;
        let keeping = tokio::spawn(keep(self.clone(), Arc::clone(&told))).abort_handle();
        let changes = Changes { client: self.clone(), told, keeping };
        let limit = self.settings().request_timeout.max(self.settings().persistence);
        let granted = tokio::time::timeout(limit, changes.told.granted()).await;
        if granted.unwrap_or(Err(Error::TimedOut(limit)))?.is_empty() {
            return Err(Error::Unsupported("the server does not tell of such changes".to_owned()));
        }
        Ok(changes)
    }
}

impl Changes {
    /// Waits for something that has changed.
    ///
    /// Cancel safe: what was not given is given by the next call.
    ///
    /// # Errors
    ///
    /// What the server refuses the subscription with, when it was to be opened again. It is not tried any more then.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            let news = self.told.news.notified();
            {
                let mut state = self.told.state();
                if let Some(change) = state.unread.pop_first() {
                    return Ok(change);
                }
                if let Some(error) = &state.failed {
                    return Err(error.clone());
                }
            }
            news.await;
        }
    }

    /// What the server tells of, of all that was asked for.
    pub fn granted(&self) -> Vec<Change> {
        self.told.state().granted.iter().flatten().cloned().collect()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.keeping.abort();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        // On the stateless protocol the subscription ends with its request.
        if self.client.connection().known_era().is_none_or(|era| era.is_modern()) {
            return;
        }
        let (client, told) = (self.client.clone(), Arc::clone(&self.told));
        runtime.spawn(async move {
            client.connection().peer.leave(&told);
            let subscribed: Vec<Change> = told.state().granted.take().into_iter().flatten().collect();
            for uri in uris(&subscribed) {
                if client.connection().peer.is_watched(&Change::Resource(uri.clone())) {
                    continue;
                }
                let ask = Ask::new("resources/unsubscribe", json!({ "uri": uri }), client.settings());
                if let Err(error) = client.connection().request(&ask).await {
                    tracing::debug!(%error, uri, "a resource is still subscribed to");
                }
            }
        });
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("granted", &self.granted()).finish_non_exhaustive()
    }
}

/// The addresses of the resources among these.
fn uris<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<String> {
    let uri = |change: &Change| match change {
        Change::Resource(uri) => Some(uri.clone()),
        _ => None,
    };
    changes.into_iter().filter_map(uri).collect()
}

impl Told {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is listened for.
    pub(super) fn wants(&self, change: &Change) -> bool {
        self.state().wanted.contains(change)
    }

    /// Something has changed.
    pub(super) fn tell(&self, change: Change) {
        let mut state = self.state();
        if state.wanted.contains(&change) {
            state.unread.insert(change);
            self.news.notify_one();
        }
    }

    /// The server tells of these from now on. If it did so before, whatever changed in between was missed.
    pub(super) fn grant(&self, granted: BTreeSet<Change>) {
        let mut state = self.state();
        let granted = &granted & &state.wanted;
        if state.granted.is_some() {
            state.unread.extend(granted.iter().cloned());
        }
        state.granted = Some(granted);
        self.news.notify_one();
    }

    /// The same, as an acknowledgement says it.
    pub(super) fn grant_all_of(&self, acknowledged: &Value) {
        let lists = [
            ("toolsListChanged", Change::Tools),
            ("promptsListChanged", Change::Prompts),
            ("resourcesListChanged", Change::Resources),
        ];
        let lists = lists.into_iter().filter(|(name, _)| acknowledged[name] == true).map(|(_, list)| list);
        let uris = acknowledged["resourceSubscriptions"].as_array().into_iter().flatten();
        let resources = uris.filter_map(|uri| Some(Change::Resource(uri.as_str()?.to_owned())));
        self.grant(lists.chain(resources).collect());
    }

    fn fail(&self, error: Error) {
        self.state().failed = Some(error);
        self.news.notify_one();
    }

    /// Waits until the server has said what it tells of.
    async fn granted(&self) -> Result<BTreeSet<Change>, Error> {
        loop {
            let news = self.news.notified();
            {
                let state = self.state();
                if let Some(granted) = &state.granted {
                    return Ok(granted.clone());
                }
                if let Some(error) = &state.failed {
                    return Err(error.clone());
                }
            }
            news.await;
        }
    }

    /// What is to be heard of, as `subscriptions/listen` says it.
    fn filter(&self) -> Value {
        let state = self.state();
        let mut filter = json!({});
        for change in &state.wanted {
            match change {
                Change::Tools => filter["toolsListChanged"] = true.into(),
                Change::Prompts => filter["promptsListChanged"] = true.into(),
                Change::Resources => filter["resourcesListChanged"] = true.into(),
                Change::Resource(_) => filter["resourceSubscriptions"] = uris(&state.wanted).into(),
            }
        }
        filter
    }
}

/// Keeps the subscription open, until the server refuses it.
async fn keep(client: Client, told: Arc<Told>) {
    let mut backoff = Backoff::new();
    loop {
        let since = Instant::now();
        let ended = match client.is_modern().await {
            Ok(true) => client.connection().subscribe(told.filter(), Arc::clone(&told).into()).await,
            Ok(false) => client.connection().listen(&told).await,
            // A server that is not there may be there again.
            Err(Error::Lost(_) | Error::TimedOut(_)) => Ok(()),
            Err(error) => Err(Fault::Final(error)),
        };
        tracing::debug!(?ended, "what the server tells of changes has ended");
        match ended {
            Err(Fault::Final(error)) => return told.fail(error),
            Err(Fault::Broken(_)) | Ok(()) => {}
        }
        if since.elapsed() > LASTING {
            backoff = Backoff::new();
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

impl Connection {
    /// Hears of changes in the session that there is, until it is over. Only resources have to be subscribed to.
    async fn listen(&self, told: &Arc<Told>) -> Result<(), Fault> {
        let session = self.session().await?;
        let _listening = self.peer.on_subscription(self.next_id(), Arc::clone(told).into());
        let capabilities = &session.server.capabilities;
        let mut granted = BTreeSet::new();
        let lists =
            [("tools", Change::Tools), ("prompts", Change::Prompts), ("resources", Change::Resources)];
        granted.extend(
            lists
                .into_iter()
                .filter(|(name, _)| capabilities[name]["listChanged"] == true)
                .map(|(_, list)| list),
        );
        let uris = if capabilities["resources"]["subscribe"] == true {
            uris(&told.state().wanted)
        } else {
            Vec::new()
        };
        for uri in uris {
            let ask = Ask::new("resources/subscribe", json!({ "uri": uri }), &self.settings);
            match self.attempt_in(&session, &ask).await? {
                Ok(_) => drop(granted.insert(Change::Resource(uri))),
                Err(error) => tracing::warn!(%error, uri, "a resource cannot be subscribed to"),
            }
        }
        told.grant(granted);
        loop {
            let opened = self.opened.notified();
            if !self.is_current(&session).await {
                return Ok(());
            }
            tokio::select! {
                () = session.link.closed() => {
                    self.forget(&session).await;
                    return Ok(());
                }
                () = opened => continue,
                () = tokio::time::sleep(LOOK) => {}
            }
            // What a server that was started again does not know is the session.
            let ping = Ask::new("ping", json!({}), &self.settings);
            if let Err(fault) = self.attempt_in(&session, &ping).await {
                tracing::debug!(?fault, "the session is looked after");
            }
        }
    }

    /// Whether this session is the one that requests go over.
    async fn is_current(&self, session: &Arc<Session>) -> bool {
        self.session().await.is_ok_and(|current| Arc::ptr_eq(&current, session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: impl IntoIterator<Item = Change>) -> Told {
        let told = Told::default();
        told.state().wanted = wanted.into_iter().collect();
        told
    }

    #[test]
    fn what_is_wanted_is_said_in_the_protocols_words() {
        let uri = |uri: &str| Change::Resource(uri.to_owned());
        let filter = told([Change::Tools, uri("a"), uri("b")]).filter();
        assert_eq!(filter, json!({ "toolsListChanged": true, "resourceSubscriptions": ["a", "b"] }));
    }

    #[test]
    fn what_was_granted_before_counts_as_changed_when_it_is_granted_again() {
        let told = told([Change::Tools, Change::Prompts]);
        told.grant_all_of(&json!({ "toolsListChanged": true, "resourcesListChanged": true }));
        assert!(told.state().unread.is_empty());
        told.grant_all_of(&json!({ "toolsListChanged": true }));
        told.tell(Change::Tools);
        told.tell(Change::Resources);
        assert_eq!(told.state().unread, BTreeSet::from([Change::Tools]));
    }
}
