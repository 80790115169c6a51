//! A WebSocket as this engine uses it: it hardly listens, because a page has nothing to say, and writes frames past
//! tungstenite, which would copy each.

use super::bell::Bell;
use super::close::Close;
use super::line::Line;
use super::outgoing::Outgoing;
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

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
    /// A frame of ours is: what is written next must be its rest.
    is_torn: bool,
}

/// What a look at the line brought.
#[derive(PartialEq, Eq)]
pub(super) enum Heard {
    /// It ends.
    End(Close),
    /// Whoever is there has answered.
    Pong,
    /// Something that no page has reason to say.
    Noise,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Takes over a connection that was upgraded; `bell` is rung when there is something to [hear](Self::hear).
    pub(super) async fn new(io: S, bell: Arc<Bell>) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(INBOUND))
            .max_frame_size(Some(INBOUND))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(OUTBOUND);
        Self {
            ws: WebSocketStream::from_raw_socket(Line::new(io), Role::Server, Some(config)).await,
            ear: Waker::from(bell),
            is_heard: true,
            is_flushed: true,
            is_torn: false,
        }
    }

    /// What the browser has said; when it has not, the bell is rung once it does.
    pub(super) fn hear(&mut self) -> Poll<Heard> {
        // Whoever has something to send need not look whether there is something to read: the bell tells.
        if !self.is_heard {
            return Poll::Pending;
        }
        self.is_flushed = false;
        let mut cx = Context::from_waker(&self.ear);
        let heard = self.ws.poll_next_unpin(&mut cx);
        self.is_heard = heard.is_ready();
        if let Poll::Ready(Some(Ok(Message::Close(_)))) = heard {
            // Who says goodbye is answered (RFC 6455, 5.5.1), if that goes at once.
            let _ = self.ws.poll_flush_unpin(&mut cx);
        }
        heard.map(|heard| match heard {
            None | Some(Ok(Message::Close(_))) => Heard::End(Close::GONE),
            Some(Err(error)) => Heard::End(Close::to_blame(&error)),
            Some(Ok(Message::Pong(_))) => Heard::Pong,
            Some(Ok(_)) => Heard::Noise,
        })
    }

    /// Writes what the other side takes at once of a frame, and gives back what is left to [finish](Self::poll_rest): an idle
    /// page has no room for waiting.
    pub(super) fn send(&mut self, mut frame: Outgoing) -> Result<Option<Outgoing>, Close> {
        let ear = self.ear.clone();
        match self.poll_rest(&mut frame, &mut Context::from_waker(&ear)) {
            Poll::Ready(Ok(())) => Ok(None),
            Poll::Ready(Err(close)) => Err(close),
            Poll::Pending => Ok(Some(frame)),
        }
    }

    /// Writes the rest of a frame; fails when the other side took nothing for too long, or is gone.
    pub(super) fn poll_rest(
        &mut self,
        rest: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Close>> {
        // A pong that was written by half must not have a frame in its middle.
        if !self.is_flushed {
            let flushed = ready!(self.ws.poll_flush_unpin(cx));
            flushed.map_err(|_| Close::GONE)?;
            self.is_flushed = true;
        }
        self.is_torn = true;
        let written = ready!(rest.poll_write(self.ws.get_mut(), cx));
        written.map_err(|_| Close::GONE)?;
        self.is_torn = false;
        Poll::Ready(Ok(()))
    }

    /// Asks whether anybody is there. What does not go at once goes before the next frame.
    pub(super) fn ping(&mut self) -> Result<(), Close> {
        self.is_flushed = false;
        let ping = Message::Ping(Vec::new().into());
        let queued = self.ws.start_send_unpin(ping);
        queued.map_err(|_| Close::GONE)?;
        let flushed = self
            .ws
            .poll_flush_unpin(&mut Context::from_waker(&self.ear));
        self.is_flushed = flushed.is_ready();
        match flushed {
            Poll::Ready(Err(_)) => Err(Close::GONE),
            _ => Ok(()),
        }
    }

    /// Says why it ends, and waits a moment for the answer. In the middle of a frame nothing can be said.
    pub(super) async fn close(&mut self, why: Close) {
        if self.is_torn {
            return;
        }
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
