//! A frame on its way out: a head of its own, content that thousands share, and the end. The kernel takes a long one in one
//! call from where its pieces stand, so that it is in memory once however many wait for it.

use super::cursor::Cursor;
use bytes::Buf;
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The longest header of a frame that is not masked (RFC 6455, 5.2).
const HEADER: usize = 10;
/// A frame up to this long is put together before it is sent, and forgotten as soon as it is: handing the kernel several
/// pieces takes it about a microsecond more than one, and joining so few bytes a tenth of that.
const JOINED: usize = 4096;

/// A text frame, as far as it has not been written yet.
#[derive(Debug)]
pub(super) struct Outgoing {
    head: Vec<u8>,
    /// Already escaped, as the inside of a JSON string.
    content: Vec<Arc<str>>,
    tail: &'static str,
    /// The piece that is next, and how much of it has gone.
    piece: usize,
    gone: usize,
    remaining: usize,
}

impl Outgoing {
    /// What a page does not have yet, and the cursor that it has then.
    pub(super) fn changes(cursor: &Cursor, content: Vec<Arc<str>>) -> Self {
        let cursor = cursor.encode();
        Self::new(
            &[r#"{"v":""#, &cursor, r#"","content":""#],
            content,
            r#""}"#,
        )
    }

    /// A frame without anything shared.
    pub(super) fn text(json: &str) -> Self {
        Self::new(&[json], Vec::new(), "")
    }

    fn new(begin: &[&str], content: Vec<Arc<str>>, tail: &'static str) -> Self {
        let begins: usize = begin.iter().map(|piece| piece.len()).sum();
        let shared: usize = content.iter().map(|piece| piece.len()).sum();
        let length = begins + shared + tail.len();
        let is_joined = length <= JOINED;
        let mut head = Vec::with_capacity(HEADER + if is_joined { length } else { begins });
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            ..FrameHeader::default()
        };
        header
            .format(length as u64, &mut head)
            .expect("a vector takes everything");
        let remaining = head.len() + length;
        for piece in begin {
            head.extend_from_slice(piece.as_bytes());
        }
        let mut frame = Self {
            head,
            content,
            tail,
            piece: 0,
            gone: 0,
            remaining,
        };
        if is_joined {
            for piece in frame.content.drain(..) {
                frame.head.extend_from_slice(piece.as_bytes());
            }
            frame.head.extend_from_slice(tail.as_bytes());
            frame.tail = "";
        }
        frame
    }

    /// Writes it to the end.
    pub(super) async fn write(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if self.remaining == self.head.len() {
            to.write_all(&self.head).await
        } else {
            to.write_all_buf(self).await
        }
    }

    /// What is left of the pieces from the next one on.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let all = std::iter::once(self.head.as_slice())
            .chain(self.content.iter().map(|piece| piece.as_bytes()))
            .chain(std::iter::once(self.tail.as_bytes()));
        let mut gone = self.gone;
        all.skip(self.piece)
            .map(move |piece| &piece[std::mem::take(&mut gone)..])
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        self.pieces()
            .find(|piece| !piece.is_empty())
            .unwrap_or_default()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(self.pieces());
        filled
            .map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    fn advance(&mut self, mut count: usize) {
        self.remaining -= count;
        loop {
            let Some(left) = self.pieces().next().map(<[u8]>::len) else {
                return;
            };
            if count < left {
                self.gone += count;
                return;
            }
            count -= left;
            self.piece += 1;
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
    use tokio_tungstenite::tungstenite::{self, Message};

    fn read(bytes: Vec<u8>) -> tungstenite::Result<Message> {
        WebSocket::from_raw_socket(std::io::Cursor::new(bytes), Role::Client, None).read()
    }

    proptest! {
        /// However the kernel cuts it.
        #[test]
        fn a_frame_is_one_text_whatever_it_is_made_of(
            content in prop::collection::vec("[a-z]{0,2000}", 0..5), cuts in prop::collection::vec(1usize..900, 0..60),
        ) {
            let shared: Vec<Arc<str>> = content.iter().map(|piece| piece.as_str().into()).collect();
            let mut frame = Outgoing::changes(&Cursor::default(), shared);
            let mut bytes = Vec::new();
            let mut cuts = cuts.into_iter();
            while frame.has_remaining() {
                let mut slices = [IoSlice::new(&[]); 4];
                let filled = frame.chunks_vectored(&mut slices);
                let offered: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
                prop_assert!(offered.starts_with(frame.chunk()) && !frame.chunk().is_empty());
                let taken = offered.len().min(cuts.next().unwrap_or(usize::MAX));
                bytes.extend(&offered[..taken]);
                frame.advance(taken);
            }
            let json: serde_json::Value = serde_json::from_str(read(bytes).unwrap().to_text().unwrap()).unwrap();
            prop_assert_eq!(json["content"].as_str().unwrap(), content.concat());
            prop_assert_eq!(json["v"].as_str().and_then(Cursor::parse), Some(Cursor::default()));
        }
    }
}
