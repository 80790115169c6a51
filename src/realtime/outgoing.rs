//! A frame on its way out: a head of its own, content that thousands share, and the end. The kernel takes all of them in one
//! call from where they stand, so that a change is in memory once however many watch.

use super::cursor::Cursor;
use bytes::Buf;
use std::io::IoSlice;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The longest header of a frame that is not masked (RFC 6455, 5.2).
const HEADER: usize = 10;

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
        Self::new(
            &format!(r#"{{"v":"{cursor}","content":""#),
            content,
            r#""}"#,
        )
    }

    /// A frame without anything shared.
    pub(super) fn text(json: &str) -> Self {
        Self::new(json, Vec::new(), "")
    }

    fn new(begin: &str, content: Vec<Arc<str>>, tail: &'static str) -> Self {
        let length =
            begin.len() + content.iter().map(|piece| piece.len()).sum::<usize>() + tail.len();
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            ..FrameHeader::default()
        };
        let mut head = Vec::with_capacity(HEADER + begin.len());
        header
            .format(length as u64, &mut head)
            .expect("a vector takes everything");
        let remaining = head.len() + length;
        head.extend(begin.as_bytes());
        Self {
            head,
            content,
            tail,
            piece: 0,
            gone: 0,
            remaining,
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
            content in prop::collection::vec("[a-z]{0,200}", 0..5), cuts in prop::collection::vec(1usize..90, 0..60),
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
