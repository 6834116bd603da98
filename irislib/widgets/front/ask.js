// Questions to Python and their answers, and whether Python is still there.

let views = 0;

function dialogue(model) {
  const waiting = new Map();
  const mine = `${Date.now()}-${Math.random()}-`;
  let asked = 0;
  const hear = (reply, buffers) => {
    const done = waiting.get(reply.id);
    waiting.delete(reply.id);
    done?.({ ...reply, buffers });
  };
  model.on("msg:custom", hear);
  const ask = (question, facts = {}, buffers = []) =>
    new Promise((done) => {
      const id = mine + ++asked;
      waiting.set(id, done);
      model.send({ ...facts, ask: question, id }, undefined, buffers);
    });
  return [ask, () => model.off("msg:custom", hear)];
}

// A long download comes in parts. A server drops what goes beyond its rate, so each part is asked
// for again until it is there.
async function download(ask, what) {
  const parts = [];
  for (let part = 0; ; part += 1) {
    let reply = null;
    while (!reply) reply = await Promise.race([ask("download", { what, part }), pause(8000)]);
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

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
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

function put(text, facts) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

function megabytes(bytes) {
  return (Math.ceil(bytes / 1e5) / 10).toString();
}
