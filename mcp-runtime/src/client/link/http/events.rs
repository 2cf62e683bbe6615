//! Server-sent events, as they come in.

/// What an event says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    /// After how many milliseconds to come back, if the stream ends.
    pub(super) retry: Option<u64>,
    /// The message, if there is one.
    pub(super) data: String,
}

/// Puts events together from the pieces of a stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
    /// How much of the buffer has been looked at and has no line end.
    searched: usize,
    event: Event,
    has_data: bool,
}

/// An event that is larger than it may be.
#[derive(Debug)]
pub(super) struct TooLarge;

impl Events {
    /// Takes a piece, and gives the events that end in it.
    pub(super) fn push(&mut self, piece: &[u8], limit: usize) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        self.buffer.extend_from_slice(piece);
        let mut start = 0;
        while let Some(length) = memchr::memchr2(b'\n', b'\r', &self.buffer[start + self.searched..]) {
            let end = start + self.searched + length;
            let is_return = self.buffer[end] == b'\r';
            if is_return && end + 1 == self.buffer.len() {
                // Whether this is half of a line end is not known yet.
                self.searched = end - start;
                break;
            }
            let line = String::from_utf8_lossy(&self.buffer[start..end]).into_owned();
            start = end + if is_return && self.buffer[end + 1] == b'\n' { 2 } else { 1 };
            self.searched = 0;
            if let Some(event) = self.line(&line) {
                events.push(event);
            }
        }
        self.buffer.drain(..start);
        if self.buffer.last() != Some(&b'\r') {
            self.searched = self.buffer.len();
        }
        if self.buffer.len() + self.event.data.len() > limit { Err(TooLarge) } else { Ok(events) }
    }

    /// Takes a line; an empty one ends an event.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            self.has_data = false;
            let event = std::mem::take(&mut self.event);
            return (event != Event::default()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" => self.event.retry = value.parse().ok(),
            // Comments have an empty field, and the type of an event says nothing here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, retry: Option<u64>, data: &str) -> Event {
        Event { id: id.map(str::to_owned), retry, data: data.to_owned() }
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = b": hello\n\nid: 1-0\nretry: 500\ndata: \n\nevent: message\r\ndata:{\"a\":1}\r\n\r\ndata: x\ndata: y\n\n";
        let expected =
            [event(Some("1-0"), Some(500), ""), event(None, None, "{\"a\":1}"), event(None, None, "x\ny")];
        for size in 1..stream.len() {
            let mut events = Events::default();
            let pieces = stream.chunks(size).flat_map(|piece| events.push(piece, 1024).expect("small"));
            assert_eq!(pieces.collect::<Vec<_>>(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut events = Events::default();
        assert!(events.push(&[b'x'; 64], 100).is_ok());
        assert!(events.push(&[b'x'; 64], 100).is_err());
    }
}
