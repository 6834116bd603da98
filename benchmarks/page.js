// Measures a page from within, for benchmarks/pages.py and soak.py. Times are milliseconds since the navigation began.
// A change counts when a frame has painted it: polling from outside would round every figure up.

(() => {
  if (window !== top || !location.protocol.startsWith("http")) return;
  const bench = (window.bench = { settings: SETTINGS });
  const isVisible = (element) => Boolean(element?.checkVisibility({ visibilityProperty: true }));
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const withTimeout = (work, name) =>
    Promise.race([work, sleep(bench.settings.longest).then(() => Promise.reject(new Error(`${name} never came`)))]);

  // Resolves to the time at which the first frame in which the test holds has been painted.
  const waitForPaint = (test) =>
    new Promise((resolve) => {
      let planned = false;
      const painted = new MessageChannel();
      painted.port1.onmessage = () => {
        painted.port1.close();
        resolve(performance.now());
      };
      const check = () => {
        planned = false;
        if (!test()) return;
        watcher.disconnect();
        removeEventListener("load", plan, true);
        painted.port2.postMessage(0);
      };
      const plan = () => {
        if (!planned) requestAnimationFrame(check);
        planned = true;
      };
      const watcher = new MutationObserver(plan);
      watcher.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      addEventListener("load", plan, true); // of a stylesheet, say
      plan();
    });

  const button = () => {
    const element = [...document.querySelectorAll(bench.settings.button)].find(({ textContent }) => textContent.trim() === bench.settings.action);
    return element && !element.disabled && isVisible(element) ? element : null;
  };
  const prediction = () => [...document.querySelectorAll(bench.settings.answer)].find(isVisible)?.textContent.trim();
  const isPredicted = () => Boolean(prediction());
  const isAnother = (last) => isPredicted() && prediction() !== last;

  // Other tools' fields have no names of ours: they are taken in their order.
  const fields = (values) =>
    bench.settings.fields
      ? [...document.querySelectorAll(bench.settings.fields)]
      : Object.keys(values).map((name) => document.getElementsByName(name)[0]);

  // Types a value and leaves the field: each tool hears one of these events, React's the last once it has worked off the first.
  const setValue = async (input, value) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, value);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (!bench.settings.fields) return;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await sleep(0);
    input.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  };
  const fillIn = (values) =>
    Promise.all(Object.values(values).map((value, i) => setValue(fields(values)[i], value)));
  // On a busy machine a tool may still work the new values off; a click would then submit the old ones.
  const waitUntilIdle = () => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 5000 }));

  // Fills in the form, presses the button, and returns the time until the prediction was on screen, and the prediction.
  // It must differ from the last one, or it could not be distinguished from it.
  bench.submitRow = async (values) => {
    await withTimeout(waitForPaint(() => button() && Object.keys(values).every((_, i) => fields(values)[i])), "The form");
    const last = prediction();
    await fillIn(values);
    await waitUntilIdle();
    await sleep(50 + 100 * Math.random()); // at a random moment between two frames
    const submitButton = button();
    const start = performance.now();
    submitButton.click();
    const end = await withTimeout(waitForPaint(() => isAnother(last)), "The prediction");
    return [end - start, prediction()];
  };

  bench.hasFields = () => fields(bench.settings.names).every(isVisible) && fields(bench.settings.names).length >= Object.keys(bench.settings.names).length;

  // Changes one field of a form that answers without a button; returns the time until the answer was on screen, and the answer.
  bench.changeValue = async (i, value) => {
    const input = fields(bench.settings.names)[i];
    const last = prediction();
    await sleep(50 + 100 * Math.random());
    const start = performance.now();
    setValue(input, value);
    const end = await withTimeout(waitForPaint(() => isAnother(last)), "The answer");
    return [end - start, prediction()];
  };

  // Opens every tab, waits until each has its content, and goes back to the first.
  bench.openTabs = async () => {
    const tabs = [...document.querySelectorAll("[role=tab]")];
    for (const tab of tabs) {
      const pane = document.getElementById(tab.getAttribute("aria-controls"));
      tab.click();
      const isDrawn = () => isVisible(pane) && pane.textContent.trim() && !pane.querySelector(".irislib-empty");
      await withTimeout(waitForPaint(isDrawn), tab.textContent);
    }
    tabs[0].click();
    return tabs.length;
  };

  (async () => {
    bench.ready = await waitForPaint(button);
    bench.readyAt = performance.timeOrigin + bench.ready;
    if (!bench.settings.click) return;
    button().click();
    bench.predicted = await waitForPaint(isPredicted);
    bench.prediction = prediction();
  })();
})();
