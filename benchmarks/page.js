// Watches a page from within, for benchmarks/pages.py and soak.py. Times are milliseconds since the navigation began.
// What is on screen is what a frame has painted: a poll from outside would round every figure up.

(() => {
  if (window !== top || !location.protocol.startsWith("http")) return;
  const bench = (window.bench = { settings: SETTINGS });
  const isSeen = (element) => Boolean(element?.checkVisibility({ visibilityProperty: true }));
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

  const within = (work, what) =>
    Promise.race([work, sleep(bench.settings.longest).then(() => Promise.reject(new Error(`${what} never came`)))]);

  // When the first frame in which the test holds has been painted.
  const shown = (test) =>
    new Promise((done) => {
      let planned = false;
      const painted = new MessageChannel();
      painted.port1.onmessage = () => {
        painted.port1.close();
        done(performance.now());
      };
      const look = () => {
        planned = false;
        if (!test()) return;
        watcher.disconnect();
        removeEventListener("load", plan, true);
        painted.port2.postMessage(0);
      };
      const plan = () => {
        if (!planned) requestAnimationFrame(look);
        planned = true;
      };
      const watcher = new MutationObserver(plan);
      watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      addEventListener("load", plan, true); // of a stylesheet, say
      plan();
    });

  const button = () => {
    const found = [...document.getElementsByTagName("button")].find((each) => each.textContent.trim() === bench.settings.action);
    return found && !found.disabled && isSeen(found) ? found : null;
  };
  const answer = () => [...document.querySelectorAll(".irislib-answer")].find(isSeen)?.textContent.trim();
  const isAnswered = () => answer() !== undefined;

  // Fills in the form, presses the button, and says how long the answer took to be on screen and what it was. It has
  // to be another one than the last, or it could not be told from it.
  bench.ask = async (values) => {
    await within(shown(button), "The button");
    const last = answer();
    for (const [name, value] of Object.entries(values)) {
      const input = document.getElementsByName(name)[0];
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    await sleep(50 + 100 * Math.random()); // at any moment between two frames
    const go = button();
    const began = performance.now();
    go.click();
    const end = await within(shown(() => isAnswered() && answer() !== last), "The answer");
    return [end - began, answer()];
  };

  // Opens every tab, waits until each has its content, and goes back to the first.
  bench.openTabs = async () => {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    for (const tab of tabs) {
      const pane = document.getElementById(tab.getAttribute("aria-controls"));
      tab.click();
      const isDrawn = () => isSeen(pane) && pane.textContent.trim() && !pane.querySelector(".irislib-empty");
      await within(shown(isDrawn), tab.textContent);
    }
    tabs[0].click();
    return tabs.length;
  };

  (async () => {
    bench.ready = await shown(button);
    bench.readyAt = performance.timeOrigin + bench.ready;
    if (!bench.settings.click) return;
    button().click();
    bench.answered = await shown(isAnswered);
    bench.answer = answer();
  })();
})();
