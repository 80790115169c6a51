// Run in a watched page, over the debugging protocol: tells of each key that came or went, and when. `KEYS` is a function
// from the document to the keys that stand in it now.
(() => {
  const keys = KEYS;
  let before = new Set(keys());
  new MutationObserver(() => {
    const at = performance.timeOrigin + performance.now();
    const after = new Set(keys());
    const came = [...after].filter(key => !before.has(key));
    const went = [...before].filter(key => !after.has(key));
    before = after;
    if (came.length || went.length) loadtestSaw(JSON.stringify({ at, came, went }));
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true });
})()
