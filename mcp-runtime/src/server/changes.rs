//! Tells a client that what the server offers has changed: coalesced, to whoever asked for it, and to nobody else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Shared;
use super::connection::Connection;
use super::subscription::Say;
use crate::limit;
use crate::protocol::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::params::SubscriptionFilter;
use crate::task::Watch;
use crate::transport::Outbox;
use crate::wire::{Change, LONGEST_URI, Offer, write_change};

/// Changes within this time are told once.
const ROUND: Duration = Duration::from_millis(50);

/// What one client, or one subscription of it, wants to hear of.
pub(super) struct Changes {
    watch: Watch<Change>,
    subscription: Option<RequestId>,
}

impl Changes {
    pub(super) fn new(shared: &Shared, subscription: Option<RequestId>) -> Self {
        Self { watch: shared.changes.watch(), subscription }
    }

    /// Takes up as much of a filter as there is something to say on, and takes the rest out of it.
    pub(super) fn follow(&self, filter: &mut SubscriptionFilter, shared: &Shared) {
        let catalogue = shared.catalogue();
        if let Some(uris) = &mut filter.resource_subscriptions {
            let mut seen = BTreeSet::new();
            uris.retain(|uri| {
                uri.len() <= LONGEST_URI && catalogue.has_resource(uri) && seen.insert(uri.clone())
            });
        }
        let lists = [
            (filter.tools_list_changed, Change::Tools),
            (filter.prompts_list_changed, Change::Prompts),
            (filter.resources_list_changed, Change::Resources),
        ];
        let lists = lists.into_iter().filter(|(wanted, _)| *wanted).map(|(_, change)| change);
        let uris = filter.resource_subscriptions.iter().flatten();
        for change in lists.chain(uris.map(|uri| Change::Resource(uri.as_str().into()))) {
            self.watch.add_unchanged(change);
        }
    }

    /// Takes up every list, for a client that hears of them unasked.
    pub(super) fn follow_lists(&self, shared: &Shared) {
        let lists = [
            (Offer::Tools, Change::Tools),
            (Offer::Prompts, Change::Prompts),
            (Offer::Resources, Change::Resources),
        ];
        for (_, change) in lists.into_iter().filter(|(offer, _)| shared.offered.has(*offer)) {
            self.watch.add_unchanged(change);
        }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(&self, outbox: &dyn Outbox, say: &Say<'_>) {
        loop {
            let mut changes = self.watch.changed().await;
            tokio::time::sleep(ROUND).await;
            if outbox.is_congested() {
                // What congests it may be this very one's, which nobody has sent yet.
                outbox.flush();
                outbox.drained().await;
            }
            changes.extend(self.watch.take_changed());
            for change in &changes {
                let mut message = Vec::with_capacity(160);
                write_change(&mut message, change, self.subscription.as_ref());
                say(&message);
            }
            outbox.flush();
        }
    }
}

impl Connection {
    /// Tells a client of the legacy wires of every list that changes, from now on.
    pub(super) fn announce_changes(&self) {
        if let Some(changes) = self.changes().filter(|_| self.shared().offered.has(Offer::Changes)) {
            changes.follow_lists(self.shared());
        }
    }

    /// `resources/subscribe`.
    pub(super) fn subscribe(&self, uri: &str) -> Result<(), ProtocolError> {
        let most = self.shared().limits.max_resource_subscriptions;
        let Some(changes) = self.changes() else {
            return Err(ProtocolError::invalid_request(
                "there is no channel on which updates could be told: subscribe within a session",
            ));
        };
        if !self.shared().catalogue().has_resource(uri) {
            return Err(ProtocolError::resource_not_found(uri));
        }
        // The lists count as well, but there are only three.
        if changes.watch.len() >= most {
            return Err(limit::reached("max_resource_subscriptions", most, ""));
        }
        changes.watch.add_unchanged(Change::Resource(uri.into()));
        Ok(())
    }

    /// `resources/unsubscribe`. To unsubscribe from what nobody subscribed to changes nothing.
    pub(super) fn unsubscribe(&self, uri: &str) {
        if let Some(changes) = self.changes() {
            changes.watch.remove(&Change::Resource(uri.into()));
        }
    }
}
