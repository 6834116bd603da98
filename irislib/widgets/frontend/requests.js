// Requests to Python and its replies, and the state of the connection.

// Returns request(), which never rejects: without a reply it resolves to {error: a sentence}.
function createClient(model, texts) {
  const pending = new Map();
  const prefix = uniqueId();
  let count = 0;
  const receive = (reply, buffers) => {
    const entry = pending.get(reply.id);
    pending.delete(reply.id);
    entry?.resolve({ ...reply, buffers });
  };
  model.on("msg:custom", receive);
  const send = (message, buffers) => {
    try {
      model.send(message, undefined, buffers);
    } catch {
      receive({ id: message.id, error: texts.lost }); // the kernel is dead
    }
  };
  const request = (method, parameters = {}, buffers = []) =>
    new Promise((resolve) => {
      const id = prefix + ++count;
      const message = { ...parameters, method, id };
      pending.set(id, { resolve, message, buffers });
      send(message, buffers);
    });
  // A request or its reply may be lost with a connection; Python handles a repeated request only once.
  const resend = () => [...pending.values()].forEach(({ message, buffers }) => send(message, buffers));
  const abandon = () => [...pending.keys()].forEach((id) => receive({ id, error: texts.lost }));
  return { request, resend, abandon, close: () => model.off("msg:custom", receive) };
}

// Receives a file in parts that fit into messages, and saves it. Returns an error message, or "".
async function download(request, file) {
  const parts = [];
  for (let part = 0; ; part += 1) {
    const reply = await request("download", { file, part });
    if (reply.error) return reply.error;
    parts.push(reply.buffers[0]);
    if (reply.last) {
      const url = URL.createObjectURL(new Blob(parts, { type: reply.type }));
      h("a", { href: url, download: reply.name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      return "";
    }
  }
}

// Returns the click handler of a download button, which keeps its focus meanwhile.
function downloadHandler(request, file, showError) {
  let busy = false;
  return async () => {
    if (busy) return;
    busy = true;
    const error = await download(request, file);
    busy = false;
    if (error) showError(error);
  };
}

// Calls `notify` with the key of a text when the kernel or the connection is lost, and with "" when it is back.
function watchConnection(model, notify) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.connectionStatusChanged) return () => {};
  let ended = false;
  let timer;
  const status = (_, state) => {
    if (["restarting", "autorestarting", "dead", "terminating"].includes(state)) {
      ended = true;
      notify("ended");
    }
  };
  const connection = (_, state) => {
    clearTimeout(timer);
    if (ended) return;
    if (state === "connected") notify("");
    else timer = setTimeout(() => notify("lost"), state === "connecting" ? 1500 : 0);
  };
  const network = ({ type }) => ended || notify(type === "offline" ? "lost" : "");
  addEventListener("offline", network);
  addEventListener("online", network);
  kernel.statusChanged.connect(status);
  kernel.connectionStatusChanged.connect(connection);
  return () => {
    clearTimeout(timer);
    removeEventListener("offline", network);
    removeEventListener("online", network);
    kernel.statusChanged.disconnect(status);
    kernel.connectionStatusChanged.disconnect(connection);
  };
}
