// The one place where html from the server becomes nodes: no script in a fragment ever runs, nothing is evaluated,
// and a push cannot rename the page or take the reader's focus. Runs before htmx's first swap.
(() => {
  const pass = s => s, none = () => '';
  // Without the policy every swap throws: the CSP requires trusted types, and names this one.
  const policy = window.trustedTypes?.createPolicy('htmx', { createHTML: pass, createScript: none })
              ?? { createHTML: pass, createScript: none };
  function NoEval() { throw new Error('eval is off'); }
  htmx.registerExtension('no-scripts', {
    init(api) { api.initSecurity(policy, NoEval, NoEval); },
    htmx_before_swap(_, detail) {
      const pushed = detail.ctx.sourceElement?.id === 'live';
      // htmx sets a title even under hx-swap="none": a message called <title> would rename the tab.
      if (pushed) detail.ctx.title = null;
      for (const { fragment } of detail.tasks) {
        for (const s of fragment.querySelectorAll('script')) s.remove();
        if (pushed) for (const e of fragment.querySelectorAll('[autofocus]')) e.removeAttribute('autofocus');
      }
    },
  });
})();
