//! WebSocket frames as a browser reads them: none is masked, and none is cut in pieces. Read where they stand, because a
//! client with buffers of its own for each of ten thousand sockets would cost more than the server that is measured.

/// A frame from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'b> {
    Text(&'b str),
    Ping(&'b [u8]),
    /// With its code, 1005 when there is none.
    Close(u16),
    /// A binary one, a piece of one, a pong, or text that is none.
    Other,
}

/// The first frame of `bytes` and the number of bytes that it takes; `None` when it is not whole yet.
pub fn frame(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let [first, second, rest @ ..] = bytes else {
        return None;
    };
    let (length, header) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 10),
        short => (u64::from(short), 2),
    };
    // Longer than memory: it never comes to its end.
    let end = usize::try_from(length).ok()?.checked_add(header)?;
    let payload = bytes.get(header..end)?;
    let frame = match first {
        0x81 => std::str::from_utf8(payload).map_or(Frame::Other, Frame::Text),
        0x88 => Frame::Close(
            payload
                .first_chunk()
                .map_or(1005, |code| u16::from_be_bytes(*code)),
        ),
        0x89 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Some((frame, end))
}

/// A text frame as a server sends it.
pub fn text(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(u8::try_from(length).unwrap_or(0)),
        length @ 126..=0xffff => {
            frame.push(126);
            frame.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

/// The answer to a ping. The mask is all zeros, which hides nothing and is allowed.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    let length = payload.len().min(125);
    let mut frame = vec![0x8a, 0x80 | u8::try_from(length).unwrap_or(0), 0, 0, 0, 0];
    frame.extend(&payload[..length]);
    frame
}

/// The request that opens a socket at an address of `host`, with the cookie `name=value`.
pub fn handshake(host: &str, address: &str, cookie: &str) -> String {
    let cookie = if cookie.is_empty() {
        String::new()
    } else {
        format!("Cookie: {cookie}\r\n")
    };
    format!(
        "GET {address} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bG9hZHRlc3QgbG9hZHRlcw==\r\n{cookie}\r\n"
    )
}

/// The status of an answer to it and the number of bytes of its head; `None` when that is not whole yet.
pub fn answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let status = bytes
        .get(9..12)
        .and_then(|status| std::str::from_utf8(status).ok());
    Some((
        status.and_then(|status| status.parse().ok()).unwrap_or(0),
        end,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocket};

    /// As another implementation writes them.
    fn written(role: Role, messages: &[Message]) -> Vec<u8> {
        let mut socket = WebSocket::from_raw_socket(std::io::Cursor::new(Vec::new()), role, None);
        for message in messages {
            socket.send(message.clone()).unwrap();
        }
        socket.into_inner().into_inner()
    }

    #[test]
    fn frames_are_read_as_another_wrote_them_however_they_are_cut() {
        let long = "é".repeat(40_000);
        let close = CloseFrame {
            code: CloseCode::Restart,
            reason: "restart".into(),
        };
        let bytes = written(
            Role::Server,
            &[
                Message::text("short"),
                Message::text(&*"x".repeat(300)),
                Message::Ping(b"hi".to_vec().into()),
                Message::text(&*long),
                Message::Close(Some(close)),
            ],
        );
        let mut at = 0;
        let mut seen = Vec::new();
        for end in (0..=bytes.len()).filter(|end| end % 7 == 0 || *end == bytes.len()) {
            while let Some((frame, length)) = frame(&bytes[at..end]) {
                at += length;
                seen.push(format!("{frame:?}"));
            }
        }
        let expected = [
            Frame::Text("short"),
            Frame::Text(&"x".repeat(300)),
            Frame::Ping(b"hi"),
            Frame::Text(&long),
            Frame::Close(1012),
        ];
        assert_eq!(seen, expected.map(|frame| format!("{frame:?}")));
    }

    #[test]
    fn our_text_is_read_as_anothers() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let words = "x".repeat(length);
            assert_eq!(
                text(&words),
                written(Role::Server, &[Message::text(&*words)])
            );
        }
    }

    #[test]
    fn a_server_reads_our_pong() {
        let mut server =
            WebSocket::from_raw_socket(std::io::Cursor::new(pong(b"hi")), Role::Server, None);
        assert_eq!(server.read().unwrap(), Message::Pong(b"hi".to_vec().into()));
    }

    #[test]
    fn an_answer_has_a_status_and_an_end() {
        let bytes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x";
        let (status, end) = answer(bytes).unwrap();
        assert_eq!(
            (status, frame(&bytes[end..])),
            (101, Some((Frame::Text("x"), 3)))
        );
        assert_eq!(answer(&bytes[..40]), None);
    }
}
