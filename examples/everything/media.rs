//! A picture and a sound, for what shows that results may hold them.

/// A red dot.
pub(crate) const DOT: &[u8] = include_bytes!("media/dot.png");

/// A beep.
pub(crate) const BEEP: &[u8] = include_bytes!("media/beep.wav");
