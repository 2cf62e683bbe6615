//! What a server offers, as far as it decides which methods there are and what the handshake announces.

/// One thing that a server may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Tools,
    Prompts,
    Resources,
    /// Suggestions for arguments.
    Completions,
    /// What is offered may change, and whoever asks to be told is told.
    Changes,
    /// Calls of tools that can be tasks; the same for prompts and resources.
    ToolTasks,
    PromptTasks,
    ResourceTasks,
    /// `tasks/list`, for whoever can be told from others.
    TaskList,
    /// What a server asks its client, as tasks of the client's: of its model, and of its people.
    #[cfg(feature = "client")]
    MessageTasks,
    #[cfg(feature = "client")]
    ElicitationTasks,
    #[cfg(feature = "skills")]
    Skills,
}

/// Everything that a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Offered(u16);

impl Offered {
    /// Whether this is offered.
    pub(crate) fn has(self, offer: Offer) -> bool {
        self.0 & Self::bit(offer) != 0
    }

    /// The same with this, if it is so.
    #[must_use]
    pub(crate) fn with(self, offer: Offer, is_offered: bool) -> Self {
        if is_offered { Self(self.0 | Self::bit(offer)) } else { self }
    }

    /// The same without this.
    #[must_use]
    pub(crate) fn without(self, offer: Offer) -> Self {
        Self(self.0 & !Self::bit(offer))
    }

    /// Everything of both.
    #[must_use]
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether anything can be a task.
    pub(crate) fn has_tasks(self) -> bool {
        const TASKS: &[Offer] = &[
            Offer::ToolTasks,
            Offer::PromptTasks,
            Offer::ResourceTasks,
            #[cfg(feature = "client")]
            Offer::MessageTasks,
            #[cfg(feature = "client")]
            Offer::ElicitationTasks,
        ];
        TASKS.iter().any(|offer| self.has(*offer))
    }

    /// What is in here and not in `others`, in the capabilities' words.
    pub(crate) fn beyond(self, others: Self) -> impl Iterator<Item = &'static str> {
        [
            (Offer::Tools, "tools"),
            (Offer::Prompts, "prompts"),
            (Offer::Resources, "resources"),
            (Offer::Completions, "completions"),
            (Offer::ToolTasks, "tasks of tools"),
            (Offer::PromptTasks, "tasks of prompts"),
            (Offer::ResourceTasks, "tasks of resources"),
        ]
        .into_iter()
        .filter(move |(offer, _)| self.has(*offer) && !others.has(*offer))
        .map(|(_, word)| word)
    }

    fn bit(offer: Offer) -> u16 {
        1 << offer as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_beyond_something_has_names() {
        let few = Offered::default().with(Offer::Tools, true).with(Offer::Prompts, false);
        let more = few.with(Offer::ResourceTasks, true);
        assert!(more.has(Offer::Tools) && !more.has(Offer::Prompts) && more.has_tasks() && !few.has_tasks());
        assert_eq!(more.beyond(few).collect::<Vec<_>>(), ["tasks of resources"]);
    }
}
