//! How long to wait before trying again.

use std::time::Duration;

/// Waits that grow from try to try, none of them quite as long as anybody else's.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

/// The first wait.
const FIRST: Duration = Duration::from_millis(50);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next wait.
    pub(super) fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        // Between half of it and all of it, so that many clients of a server that comes back do not come all at once.
        wait.mul_f64(0.5 + random() / 2.0)
    }
}

/// This long or up to a fifth longer, so that many who ask at an interval do not ask at the same time.
pub(super) fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(1.0 + random() / 5.0)
}

/// A number from 0 to 1.
fn random() -> f64 {
    let bits = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..12).map(|_| backoff.wait()).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2);
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        assert!(waits[11] >= LONGEST / 2);
    }

    #[test]
    fn an_interval_is_honoured() {
        let interval = Duration::from_secs(1);
        assert!(
            (0..100).map(|_| jittered(interval)).all(|wait| wait >= interval && wait <= interval * 6 / 5)
        );
    }
}
