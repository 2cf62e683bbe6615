//! What a server has to bear: broken messages, calls that are cancelled, floods, and clients that are gone.

mod answers;
mod calls;
mod ending;
mod floods;
mod framing;

use tests::{LEGACY, Process, Wire, fixture};

/// The fixture, once with a session and once without.
fn both_ways() -> [Process; 2] {
    let mut opened = fixture!();
    opened.initialize(LEGACY);
    [opened, fixture!().speaking(Wire::Modern)]
}

/// The fixture with a session.
fn opened() -> Process {
    let [opened, _] = both_ways();
    opened
}
