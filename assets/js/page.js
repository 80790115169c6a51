// What a strict CSP leaves to a script of our own: the sheet, the phone's day picker, the tint of what just changed, and
// buttons that are there but do nothing. Each part only adds to a page that works without it, and each listens on the
// document: whatever a push replaces, nothing has to be wired again.
(() => {
  const byId = id => (id ? document.getElementById(id) : null);

  // --- Buttons that are aria-disabled. `disabled` would drop the focus when a push takes the slot under the finger.
  document.addEventListener('click', e => {
    if (!e.target.closest?.('[aria-disabled="true"]')) return;
    e.preventDefault();
    e.stopImmediatePropagation();
  }, true);

  // --- The sheet: one <dialog id="sheet">, empty until htmx swaps a fragment into it.
  const sheet = () => byId('sheet');
  let opener = null, openerId = '', pressedOutside = false;

  function close() { const s = sheet(); if (s?.open) s.close(); }
  function outside(e, s) {
    const r = s.getBoundingClientRect();
    return e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom;
  }

  document.addEventListener('htmx:config:request', e => {
    const { ctx } = e.detail, s = sheet();
    if (!s || s.open || ctx.target !== s) return;         // from inside an open sheet the opener stays who it was
    opener = ctx.sourceEvent?.submitter ?? document.activeElement ?? ctx.sourceElement;
    openerId = opener?.id ?? '';
  });
  document.addEventListener('htmx:after:settle', e => {
    const s = sheet();
    if (!s || e.target !== s) return;
    if (!s.textContent.trim()) return close();
    keep();
    if (!s.open) return s.showModal();                    // focuses [autofocus], else the first that can have it
    if (s.contains(document.activeElement) && document.activeElement !== s) return;
    // The button that was pressed is gone with the old content; on <body> the next Tab would start from nowhere.
    s.tabIndex = -1;
    (s.querySelector('[autofocus]') ?? s).focus();
  });
  document.addEventListener('pointerdown', e => {
    const s = sheet();
    pressedOutside = !!s?.open && e.target === s && outside(e, s);
  });
  document.addEventListener('click', e => {
    const s = sheet();
    if (!s?.open) return;
    if (s.contains(e.target) && e.target.closest?.('[data-close]')) { e.preventDefault(); close(); }
    // Pressed outside too: who selects text in the sheet and lets go beyond its edge does not mean to leave.
    else if (e.target === s && pressedOutside && outside(e, s)) close();
  });
  document.addEventListener('sheet-close', close);        // the server's HX-Trigger, after its swap
  document.addEventListener('close', e => {               // also Escape; `close` does not bubble, hence the capture
    if (e.target !== sheet()) return;
    release(e.target);
    e.target.replaceChildren();                           // an old form must not flash up under the next one's title
    // The push that came meanwhile may have replaced the element, and then the browser's own memory of it is void.
    const back = byId(openerId) ?? (opener?.isConnected ? opener : null) ?? byId('main');
    opener = null;
    back?.focus({ preventScroll: true });
  }, true);

  // --- The time that an open sheet holds is given back with it: closed, or left with the page, which a plain fetch would not
  // outlive. What was booked meanwhile is no hold any more.
  function release(root) {
    const form = root.querySelector('#sheet-release');
    if (!form) return false;
    fetch(form.action, { method: 'POST', keepalive: true, headers: { 'HX-Request': 'true' }, body: new URLSearchParams(new FormData(form)) }).catch(() => {});
    form.remove();
    return true;
  }
  // Its two minutes end while it is open: the sheet says so and stays as it is. There is nothing to give back any more.
  function keep() {
    const p = byId('sheet-kept'), left = p?.dataset.left;
    if (!left) return;
    delete p.dataset.left;                                // one clock for each hold, however often its sheet settles
    setTimeout(() => {
      p.textContent = p.dataset.over;
      if (sheet()?.contains(p)) sheet().querySelector('#sheet-release')?.remove();
    }, left);
  }
  keep();                                                 // a sheet that is a page of its own
  // Whoever comes back to the page as it was must not be told that it still holds.
  addEventListener('pagehide', () => { if (release(document)) close(); });

  // --- The day picker: the chosen day is on [data-days], outside every region, so that no push can undo the choice.
  function mark(box) {
    for (const a of box.querySelectorAll('.daypick a[data-d]')) {
      const is = a.dataset.d === box.dataset.day;
      if (is === (a.getAttribute('aria-current') === 'date')) continue;
      if (is) a.setAttribute('aria-current', 'date'); else a.removeAttribute('aria-current');
    }
  }
  function pick(a) {
    const box = a.closest('[data-days]');
    if (!box) return false;
    box.dataset.day = a.dataset.d;
    box.dataset.ready = '';                               // from here on :target has no say (layout of .day)
    mark(box);
    return true;
  }
  const narrow = matchMedia('(max-width: 760px)');        // the same width as in the stylesheets
  document.addEventListener('click', e => {
    const a = e.target.closest?.('.daypick a[data-d]');
    if (!a || e.ctrlKey || e.metaKey || e.shiftKey || !narrow.matches) return;
    if (pick(a)) e.preventDefault();
  });
  for (const box of document.querySelectorAll('[data-days]')) {
    const linked = [...box.querySelectorAll('.daypick a[data-d]')].find(a => a.hash && a.hash === location.hash);
    if (linked) pick(linked); else { box.dataset.ready = ''; mark(box); }
    // A push may bring the links anew, with the server's idea of the current one.
    new MutationObserver(() => mark(box)).observe(box, { subtree: true, childList: true, attributeFilter: ['aria-current'] });
  }

  // --- The thread: it is read when it is looked at, Ctrl+Enter sends, and what is older comes without losing the place.
  let told = '';                                          // what was sent as read: once, however often it is pushed again
  function read() {
    const form = byId('read'), upto = form?.elements.upto?.value;
    if (!upto || document.hidden || told === form.action + upto) return;
    told = form.action + upto;
    form.requestSubmit();
  }
  document.addEventListener('visibilitychange', () => { told = ''; read(); });   // what failed is tried again
  document.addEventListener('htmx:after:swap', read);     // also of a push
  addEventListener('pageshow', read);
  addEventListener('online', () => { told = ''; read(); });
  document.addEventListener('keydown', e => {
    if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey) || e.isComposing) return;
    const form = e.target.closest?.('#composer');
    if (!form) return;
    e.preventDefault();
    form.requestSubmit();
  });
  // Whoever pressed the button goes on writing; htmx gives the focus to the new form's field of the same id. What is typed
  // before that comes would go with the old form.
  document.addEventListener('submit', e => {
    if (e.target.id === 'composer') byId('composer-body')?.focus({ preventScroll: true });
  });
  const hold = is => e => {
    if (e.target.id === 'composer') e.target.elements.body.readOnly = is;
  };
  document.addEventListener('htmx:before:request', hold(true));
  document.addEventListener('htmx:finally:request', hold(false));

  // --- Not saved: no answer came, or one that says "not now". The form stays as it was filled in, with its key: sent again it
  // counts once, also when only the answer was lost.
  function unsaved(e) {
    const ctx = e.detail.ctx, form = ctx?.sourceElement?.closest?.('form');
    // A hidden one saves nothing that somebody filled in, and its answer is shown.
    if (!form || form.hidden || form.method !== 'post' || ctx.response?.status < 500) return;
    ctx.swap = 'none';
    if (form.getAttribute('hx-swap') === 'none') return;   // nobody sent it by hand, and it is tried again
    const note = Object.assign(document.createElement('p'), { className: 'note bad unsaved', textContent: 'It may not be saved. Try again: sent twice, it counts once.' });
    note.setAttribute('role', 'alert');
    form.prepend(note);
  }
  document.addEventListener('htmx:error', unsaved);
  document.addEventListener('htmx:response:error', unsaved);
  document.addEventListener('htmx:before:request', e => e.target.querySelector?.('.unsaved')?.remove());

  // --- The tint of what just changed. The server never renders `just`; a morph in between takes it away, which is fine.
  const KEYED = '[data-booking],[data-invoice],[data-message],[data-notification],[data-todo],[data-activity]';
  const news = [];
  let unread = 0, telling = null;
  function tint(e) {
    e.classList.remove('just');
    void e.offsetWidth;                                   // restarts the animation of one that changes twice
    e.classList.add('just');
    // A timer, not `animationend`: on a day that is not shown the animation would wait, and play when it is.
    setTimeout(() => e.classList.remove('just'), 1500);
  }

  // One sentence for many changes, and not more than one in five seconds: a busy morning must not talk without a pause.
  function tell() {
    telling = null;
    const e = byId('live-news');
    if (!e || !(news.length || unread)) return;
    const told = news.length > 1 ? [`${news.length} times changed`] : [...news];
    if (unread) told.push(`Unread notifications: ${unread}`);
    e.textContent = told.join('. ');
    news.length = unread = 0;
    telling = setTimeout(tell, 5000);
  }
  new MutationObserver(records => {
    const gone = new Set(), changed = new Set();
    for (const r of records) for (const n of r.removedNodes) if (n.id) gone.add(n.id);
    for (const r of records) {
      if (!r.target.closest?.('[data-region]')) continue;
      if (r.type === 'attributes') {
        // No old value: a new node that is just being built.
        const now = r.target.getAttribute(r.attributeName);
        if (r.oldValue !== null && r.oldValue !== now) changed.add(r.target);
        if (r.target.id === 'bell-side' && r.attributeName === 'data-count') unread = now > Number(r.oldValue) ? now : 0;
      } else for (const n of r.addedNodes) {
        // A morph moves nodes by taking them out and in again, an upsert replaces: neither is new.
        if (n.id && !gone.has(n.id) && n.matches?.(KEYED)) changed.add(n);
      }
    }
    for (const e of changed) {
      if (!e.isConnected) continue;
      tint(e);
      if (e.dataset.slot && e.getAttribute('aria-label')) news.push(e.getAttribute('aria-label'));
    }
    if ((news.length || unread) && !telling) telling = setTimeout(tell, 1000);
    count();
    look();
  }).observe(document.body, { subtree: true, childList: true, attributeOldValue: true, attributeFilter: ['data-state', 'data-status', 'data-count'] });

  // --- The title counts what is unread while the page is behind another; in front of it the bell does.
  const title = document.title;
  function count() {
    const n = document.hidden ? Number(byId('bell-side')?.dataset.count) : 0;
    const words = n ? `(${n}) ${title}` : title;
    if (document.title !== words) document.title = words;
  }

  // --- What is shown is seen: the list's own button is pressed, once there was a moment to tell the new lines apart.
  const LOOK = 1000;
  let looking = null, pressed = '';
  const seen = () => { const form = byId('seen'); return form?.elements.upto ? form : null; };
  function press() {
    looking = null;
    const form = seen();
    // Once for each state: what the server refuses must not be asked for ever.
    if (!form || form.elements.upto.value === pressed) return;
    pressed = form.elements.upto.value;
    form.requestSubmit();
  }
  function look() {
    if (document.hidden) { clearTimeout(looking); looking = null; pressed = ''; }
    else if (!looking && seen()) looking = setTimeout(press, LOOK);
  }
  addEventListener('pagehide', () => {
    if (!looking) return;                                 // who follows a line at once has seen the list too
    clearTimeout(looking);
    looking = null;
    const form = seen();
    if (form) fetch(form.action, { method: 'POST', keepalive: true, headers: { 'HX-Request': 'true' }, body: new URLSearchParams(new FormData(form)) });
  });
  for (const [target, event] of [[document, 'visibilitychange'], [window, 'pageshow']]) {
    target.addEventListener(event, () => { count(); look(); });
  }
})();
