//! A connection's bytes: what was read before anybody knew what it speaks comes first, then the line itself. It holds its
//! place at the door for as long as it lives.

use super::door::Inside;
use crate::realtime::Line;
use bytes::{Buf as _, Bytes};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// An accepted connection.
#[derive(Debug)]
pub(in crate::http) struct Stream {
    line: Line<TcpStream>,
    early: Bytes,
    _inside: Inside,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, inside: Inside) -> Self {
        Self {
            line: Line::new(tcp),
            early: Bytes::new(),
            _inside: inside,
        }
    }

    /// Gives bytes back that are to be read again.
    pub(in crate::http) fn put_back(mut self, early: Bytes) -> Self {
        // An empty slice of a buffer would hold all of it for as long as the page is open.
        self.early = if early.is_empty() {
            Bytes::new()
        } else {
            early
        };
        self
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.line).poll_read(cx, buf);
        }
        let count = self.early.len().min(buf.remaining());
        buf.put_slice(&self.early[..count]);
        self.early.advance(count);
        if self.early.is_empty() {
            // As above.
            self.early = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.line.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(cx)
    }
}
