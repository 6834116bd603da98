// Questions to Python and their answers, and whether Python is still there.

// A name that no other page in this document has.
function ownName() {
  return `irislib-${Math.random().toString(36).slice(2, 10)}`;
}

// Returns ask, which never fails: what cannot be answered is answered by {failed: a sentence}.
function dialogue(model, texts) {
  const waiting = new Map();
  const mine = ownName();
  let asked = 0;
  const hear = (reply, buffers) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    asker?.done({ ...reply, buffers });
  };
  model.on("msg:custom", hear);
  const send = (message, buffers) => {
    try {
      model.send(message, undefined, buffers);
    } catch {
      hear({ id: message.id, failed: texts.lost }); // the kernel is dead
    }
  };
  const ask = (question, facts = {}, buffers = []) =>
    new Promise((done) => {
      const id = mine + ++asked;
      const message = { ...facts, ask: question, id };
      waiting.set(id, { done, message, buffers });
      send(message, buffers);
    });
  // A question or its answer may be lost with a connection; Python does nothing twice.
  const repeat = () => [...waiting.values()].forEach(({ message, buffers }) => send(message, buffers));
  const abandon = () => [...waiting.keys()].forEach((id) => hear({ id, failed: texts.lost }));
  return { ask, repeat, abandon, end: () => model.off("msg:custom", hear) };
}

// A download comes in parts, so that none is too long for a message. Returns what went wrong, if anything.
async function download(ask, what) {
  const parts = [];
  for (let part = 0; ; part += 1) {
    const reply = await ask("download", { what, part });
    if (reply.failed) return reply.failed;
    parts.push(reply.buffers[0]);
    if (reply.last) {
      const url = URL.createObjectURL(new Blob(parts, { type: reply.type }));
      h("a", { href: url, download: reply.name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      return "";
    }
  }
}

// A button that downloads; it keeps the focus while it does.
function fetching(ask, what, tell) {
  let busy = false;
  return async () => {
    if (busy) return;
    busy = true;
    const failed = await download(ask, what);
    busy = false;
    if (failed) tell(failed);
  };
}

// Calls back with the name of a text where the kernel or the way to it is lost, and with "" where it is back.
function watch(model, tell) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.connectionStatusChanged) return () => {};
  let ended = false;
  let patience;
  const status = (_, state) => {
    if (["restarting", "autorestarting", "dead", "terminating"].includes(state)) {
      ended = true;
      tell("ended");
    }
  };
  const connection = (_, state) => {
    clearTimeout(patience);
    if (ended) return;
    if (state === "connected") tell("");
    else patience = setTimeout(() => tell("lost"), state === "connecting" ? 1500 : 0);
  };
  const network = ({ type }) => ended || tell(type === "offline" ? "lost" : "");
  addEventListener("offline", network);
  addEventListener("online", network);
  kernel.statusChanged.connect(status);
  kernel.connectionStatusChanged.connect(connection);
  return () => {
    clearTimeout(patience);
    removeEventListener("offline", network);
    removeEventListener("online", network);
    kernel.statusChanged.disconnect(status);
    kernel.connectionStatusChanged.disconnect(connection);
  };
}

// An element with its attributes, properties (.name), listeners (onname) and children.
function h(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name.startsWith(".")) element[name.slice(1)] = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// How far something is, in the place of the button that began it, until it is done or cancelled.
class Progress {
  constructor(start, total, texts, isAsked = true) {
    this.stopped = false;
    this.bar = h("progress", { max: total, value: 0, "aria-label": texts.working });
    this.count = h("span");
    const cancel = h("button", { type: "button", class: "irislib-quiet" }, texts.cancel);
    this.line = h("div", { class: "irislib-progress" }, this.bar, this.count, cancel);
    this.start = start;
    cancel.addEventListener("click", () => {
      this.stopped = true;
      this.line.replaceWith(start);
      start.focus();
    });
    start.replaceWith(this.line);
    if (isAsked) cancel.focus();
  }

  show(done, words) {
    this.bar.value = done;
    this.count.textContent = words;
  }

  fail(words) {
    this.line.replaceWith(h("p", { class: "irislib-message", role: "alert" }, words), this.start);
  }
}

function put(text, facts) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

function megabytes(bytes) {
  return (Math.ceil(bytes / 1e5) / 10).toString();
}
