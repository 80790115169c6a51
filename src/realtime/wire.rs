//! A WebSocket as this engine uses it: it hardly listens, because a page has nothing to say, and writes frames past
//! tungstenite, which would copy each.

use super::bell::Bell;
use super::close::Close;
use super::line::Line;
use super::outgoing::Outgoing;
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The most that a browser may send at a time; it has no reason to send anything.
const INBOUND: usize = 64 * 1024;
/// What is read at a time. A page says nothing but that it is there, and the buffer is cleared before each look.
const READ_BUFFER: usize = 64;
/// The most of our own control frames that waits for a browser to read.
const OUTBOUND: usize = 1024;

/// An accepted connection. It belongs to one task.
pub(super) struct Wire<S> {
    ws: WebSocketStream<Line<S>>,
    /// Rings the socket's own bell.
    ear: Waker,
    /// The bell was rung by the line, or the last look found something: there may be more.
    pub(super) is_heard: bool,
    /// Nothing of tungstenite's own, like a pong, is written by half.
    is_flushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Takes over a connection that was upgraded; `bell` is rung when there is something to [hear](Self::hear).
    pub(super) async fn new(io: S, bell: &Arc<Bell>) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(INBOUND))
            .max_frame_size(Some(INBOUND))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(OUTBOUND);
        Self {
            ws: WebSocketStream::from_raw_socket(Line::new(io), Role::Server, Some(config)).await,
            ear: Waker::from(Arc::clone(bell)),
            is_heard: true,
            is_flushed: true,
        }
    }

    /// What the browser has said; when it has not, the bell is rung once it does.
    pub(super) fn hear(&mut self) -> Poll<Option<Result<Message, Error>>> {
        // Whoever has something to send need not look whether there is something to read: the bell tells.
        if !self.is_heard {
            return Poll::Pending;
        }
        self.is_flushed = false;
        let heard = self.ws.poll_next_unpin(&mut Context::from_waker(&self.ear));
        self.is_heard = heard.is_ready();
        heard
    }

    /// Writes a frame; false when the other side took nothing for too long, or is gone.
    pub(super) async fn write(&mut self, frame: &mut Outgoing) -> bool {
        // A pong that was written by half must not have a frame in its middle.
        if !self.is_flushed {
            self.is_flushed = self.ws.flush().await.is_ok();
        }
        self.is_flushed && frame.write(self.ws.get_mut()).await.is_ok()
    }

    /// Asks whether anybody is there; false when nobody can be.
    pub(super) async fn ping(&mut self) -> bool {
        self.ws.send(Message::Ping(Vec::new().into())).await.is_ok()
    }

    /// Says why it ends, and waits a moment for the answer.
    pub(super) async fn close(&mut self, why: Close) {
        let frame = CloseFrame {
            code: why.code().into(),
            reason: why.reason().into(),
        };
        let close = self.ws.send(Message::Close(Some(frame)));
        if !matches!(timeout(Duration::from_secs(1), close).await, Ok(Ok(()))) {
            // Nobody answers what they were not told.
            return;
        }
        // Whoever closes first and leaves at once may cut off its own close frame: wait for the answer.
        let answered = async { while let Some(Ok(_)) = self.ws.next().await {} };
        let _ = timeout(Duration::from_secs(1), answered).await;
    }
}
