"use strict";
// Pages of apps that the server is still preparing: the list shows their states as they are, an app's page opens it.
{
  const script = document.currentScript;
  const before = JSON.parse(script.dataset.states);
  const list = document.querySelector(".irislib-apps");
  const WAIT = 1000;

  const update = async () => {
    if (!list) {
      location.reload();
      return true;
    }
    // Of requests of this page's own: where accounts of a JupyterHub log in, those that only read need it, too.
    const headers = { "X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "" };
    const page = new DOMParser().parseFromString(await (await fetch(location.href, { headers })).text(), "text/html");
    list.replaceChildren(...page.querySelector(".irislib-apps").children);
    return false;
  };

  const look = async () => {
    try {
      const response = await fetch(`${script.dataset.server}readyz`, { cache: "no-store" });
      const { pages } = await response.json();
      const changed = Object.keys(before).filter((name) => pages[name] !== before[name]);
      if (changed.length && (await update())) return;
      for (const name of changed) before[name] = pages[name];
      if (list && response.ok) return;
    } catch {
      // the server does not answer at the moment
    }
    setTimeout(look, WAIT);
  };
  setTimeout(look, WAIT);
}
