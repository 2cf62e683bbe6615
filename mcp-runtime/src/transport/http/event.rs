//! Server-sent events: how messages are written as such, and their ids.

use std::fmt::Write as _;

/// A comment, which keeps a connection from being taken for dead.
pub(super) const KEEP_ALIVE: &[u8] = b":\n\n";

/// An event with this message, on one line. The id is the stream's number and the event's.
pub(super) fn message(id: Option<(u64, u64)>, message: &[u8]) -> Vec<u8> {
    let mut event = Vec::with_capacity(message.len() + 48);
    write_id(&mut event, id);
    event.extend_from_slice(b"data: ");
    let start = event.len();
    event.extend_from_slice(message);
    // In JSON a line end can only be a blank, and what stands for one elsewhere is escaped.
    if memchr::memchr2(b'\n', b'\r', message).is_some() {
        for byte in event.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
    }
    event.extend_from_slice(b"\n\n");
    event
}

/// An event that says nothing, by whose id a client can come back; after this many milliseconds, if it can wait.
pub(super) fn prime(stream: u64, number: u64, retry: u32) -> Vec<u8> {
    let mut event = Vec::with_capacity(48);
    write_id(&mut event, Some((stream, number)));
    event.extend_from_slice(format!("retry: {retry}\ndata: \n\n").as_bytes());
    event
}

fn write_id(event: &mut Vec<u8>, id: Option<(u64, u64)>) {
    if let Some((stream, number)) = id {
        let mut line = String::with_capacity(24);
        // Writing into a `String` does not fail.
        let _ = writeln!(line, "id: {stream}-{number}");
        event.extend_from_slice(line.as_bytes());
    }
}

/// Reads `Last-Event-ID`: the numbers of a stream and of an event, as they were given.
pub(crate) fn read_id(text: &[u8]) -> Option<(u64, u64)> {
    let (stream, number) = std::str::from_utf8(text.trim_ascii()).ok()?.split_once('-')?;
    let read = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    Some((read(stream)?, read(number)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_data() {
        assert_eq!(message(None, b"{\"a\":1}"), b"data: {\"a\":1}\n\n");
        assert_eq!(message(Some((3, 12)), b"{\n\"a\":\r\n1}"), b"id: 3-12\ndata: { \"a\":  1}\n\n");
        assert_eq!(prime(3, 0, 500), b"id: 3-0\nretry: 500\ndata: \n\n");
    }

    #[test]
    fn only_ids_that_were_given_are_read() {
        assert_eq!(read_id(b" 3-12 "), Some((3, 12)));
        for wrong in ["", "3", "-", "3-", "-3", "a-1", "1-2-3", "+1-2", "1-99999999999999999999", "1 - 2"] {
            assert_eq!(read_id(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read_id(b"\xff-1"), None);
    }
}
