//! Ctrl-C, and being told to end.

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    CtrlC,
    /// To end now (SIGTERM).
    Stop,
}

/// Hears of interrupts from when it is made on; none in between is lost.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Interrupts {
    /// They are missing where the system does not let one listen; then it ends the program by itself.
    ctrl_c: Option<tokio::signal::unix::Signal>,
    stop: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Interrupts {
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self { ctrl_c: signal(SignalKind::interrupt()).ok(), stop: signal(SignalKind::terminate()).ok() }
    }

    /// The next interrupt. Cancel safe.
    pub(crate) async fn next(&mut self) -> Interrupt {
        async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = heard(&mut self.ctrl_c) => Interrupt::CtrlC,
            () = heard(&mut self.stop) => Interrupt::Stop,
        }
    }
}

/// Hears of interrupts.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    pub(crate) fn listen() -> Self {
        Self
    }

    /// The next interrupt. Cancel safe.
    pub(crate) async fn next(&mut self) -> Interrupt {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interrupt::CtrlC,
            // Nobody can interrupt.
            Err(_) => std::future::pending().await,
        }
    }
}
