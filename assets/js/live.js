// The live connection's conscience: it keeps the cursor, tells the reader the truth about how fresh the page is, and
// notices what a socket does not say (half-open connections, hung handshakes, a page that comes back from the bfcache).
// Event names and their fields were read in the vendored hx-ws 4.0.1; pages about its betas are wrong.
(() => {
  const TICK = 1000;
  const SILENCE = 12000;    // more than two heartbeats
  const DEAF = 6000;        // a sweep this old: the server is up and hears nothing
  const HANDSHAKE = 15;     // ticks
  const LONG = 10000;       // after this, "Reconnecting…" also says since when
  const GRACE = 300;        // an open socket that says nothing yet
  const FLAP = 5000;        // a connection shorter than this did not count
  const REPAIR = 60000;     // a swap that always throws must not become a reconnect loop
  const RELOAD = 10000;     // nor "another viewer" a reload loop

  let cursor;               // undefined: the page's own, as its URL has it. null: none, send everything
  let state = '', timer, conn = null, seen = null, heardAt = 0, heardOn = 0;
  let liveOn = Date.now(), stuck = 0, repairedAt = -Infinity, leaving = false;
  let slow = false;         // staff only: other instances' changes are found, not heard
  let grace, openedAt = -Infinity, flaps = 0;

  const now = () => performance.now();
  const pauses = () => conn ? conn.config.pauseOnBackground : !document.getElementById('live')?.hasAttribute('hx-config');
  const clock = ms => { const d = new Date(ms); return [d.getHours(), d.getMinutes()].map(n => String(n).padStart(2, '0')).join(':'); };
  const words = {
    live: () => slow ? 'Live, up to 3 s late' : 'Live',
    connecting: () => Date.now() - liveOn > LONG ? `Reconnecting… not live since ${clock(liveOn)}` : 'Reconnecting…',
    offline: () => `Not live since ${clock(liveOn)}`,
    paused: () => 'Paused',
    expired: () => 'Signed out, sign in again',
    stopped: () => 'Live updates stopped, reload',
  };

  function write() {
    document.documentElement.dataset.live = state;
    for (const e of document.querySelectorAll('#live-status, [data-live-status]')) {
      // An unchanged text written again is read aloud again.
      if (e.textContent !== words[state]()) e.textContent = words[state]();
    }
  }
  function show(s) {
    if (s === state) return;
    state = s;
    clearTimeout(timer);
    // A reconnect of a blink is not worth a word; and the reload for another viewer comes before "signed out" shows.
    timer = setTimeout(write, s === 'connecting' ? 1500 : 0);
  }

  function heard() { heardAt = now(); heardOn = Date.now(); }
  // Two clocks: one stands still while a laptop sleeps, the other may be set back.
  const silence = () => Math.max(now() - heardAt, Date.now() - heardOn);
  const down = () => show(navigator.onLine ? 'connecting' : 'offline');
  function up(age) { clearTimeout(grace); liveOn = Date.now() - age; show('live'); }

  function stamp(c) {
    if (cursor === undefined) return;
    const url = new URL(c.url);
    if (cursor === null) url.searchParams.delete('since'); else url.searchParams.set('since', cursor);
    c.url = url.href;
  }
  function restart() {
    stuck = 0;
    const e = document.getElementById('live');
    if (e) htmx.process(e, true);         // the public "reconnect now": tears the element down and wires it again
  }

  // hx-ws tells the close code but not its reason, and only the reason tells "another person" from "nobody".
  function closed(event) {
    if (event.target !== conn?.socket || event.code !== 4401 || event.reason !== 'viewer') return;
    try {
      const last = Number(sessionStorage.getItem('portico-reload')) || 0;
      if (Math.abs(Date.now() - last) < RELOAD) return show('stopped');
      sessionStorage.setItem('portico-reload', String(Date.now()));
    } catch { return show('stopped'); }   // without a memory the reload could repeat for ever
    clearTimeout(timer);                  // else "Signed out" flashes on the way
    // Not reload(): on a page that answered a POST it would offer to send the other person's form again.
    location.replace(location.pathname + location.search);
  }

  const on = (name, f) => document.addEventListener('htmx:ws:' + name, e => f(e.detail, e));

  on('before:connection', d => { conn = d.connection; stamp(conn); if (state !== 'live') down(); });
  on('after:connection', d => {
    conn = d.connection;
    stuck = 0;
    heard();
    openedAt = now();
    if (conn.socket !== seen) { seen = conn.socket; seen.addEventListener('close', closed); }
    // Not at once: a server that drains accepts and closes, and the page would say "Live" at each try.
    clearTimeout(grace);
    grace = setTimeout(() => up(0), GRACE);
  });
  on('before:message:incoming', (d, e) => {
    // Frames queue behind slow swaps: one of a socket that we gave up would put its old state over the new one's.
    if (d.connection !== conn) { d.cancelled = true; e.preventDefault(); return; }
    heard();
  });
  on('after:message:incoming', d => {
    let m;
    try { m = JSON.parse(d.message.data); } catch { return; }
    if (!m || typeof m !== 'object') return;
    if (m.v !== undefined) { cursor = m.v; stamp(d.connection); }
    if (typeof m.hb === 'number') {
      if (slow !== (m.slow === true)) { slow = !slow; if (state === 'live') write(); }
      // The age counts, not the heartbeat: a server whose database went deaf still beats.
      if (m.hb > DEAF) { clearTimeout(grace); if (state !== 'offline') liveOn = Date.now() - m.hb; show('offline'); }
      else up(m.hb);
    } else if (state === 'live') liveOn = Date.now();
  });
  on('close', d => {
    if (d.connection === conn) clearTimeout(grace);
    if (d.reason === 'removed' || d.connection !== conn || leaving) return;   // our own doing, or the page goes
    // hx-ws forgets its back-off as soon as a socket opens: closed at once, over and over, it would knock twice a second.
    flaps = now() - openedAt < FLAP ? Math.min(flaps + 1, 8) : 0;
    if (flaps > 1) conn.attempt = Math.max(conn.attempt, flaps - 1);
    if (d.code === 4401) show('expired');
    else if (document.hidden && pauses()) show('paused');
    else if (conn.config.reconnectCodes.includes(d.code)) down();
    else show('stopped');
  });
  on('error', d => {
    // A socket's own trouble comes as an Event, and is followed by a close. An Error is a swap that threw: what it
    // should have shown is lost as soon as the next frame moves the cursor, so ask for everything, from nothing.
    if (!(d.error instanceof Error) || d.connection !== conn || now() - repairedAt < REPAIR) return;
    repairedAt = now();
    cursor = null;
    setTimeout(restart);
  });

  addEventListener('pagehide', () => { leaving = true; });
  addEventListener('pageshow', e => { leaving = false; if (e.persisted) restart(); });   // hx-ws closed it on the way out
  addEventListener('offline', () => { if (state !== 'expired' && state !== 'stopped') show('offline'); });
  addEventListener('online', () => {
    // Spread: a whole office comes back at one instant.
    if (state !== 'live' && state !== 'expired') setTimeout(restart, Math.random() * 1000);
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && state === 'live' && silence() > SILENCE) { show('connecting'); restart(); }   // woke from sleep
  });
  setInterval(() => {
    if ((document.hidden && pauses()) || state === 'expired' || state === 'stopped') return;
    const socket = conn?.socket;
    if (socket?.readyState === WebSocket.OPEN && silence() > SILENCE) {
      if (state === 'live') show('connecting');
      heard();                                            // one restart a silence, not one a second
      restart();                                          // half-open: the other end is gone and nobody said so
    } else if (socket?.readyState === WebSocket.CONNECTING) {
      if (++stuck > HANDSHAKE) restart();                 // a handshake that hangs never fails by itself
    } else stuck = 0;
    if (state === 'connecting' && Date.now() - liveOn > LONG) write();
  }, TICK);
})();
