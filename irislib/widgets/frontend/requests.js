// Requests to Python and its replies, and the state of the connection.

const FIRST_PAUSE = 1000; // milliseconds until a lost server is asked again
const LONGEST_PAUSE = 15000;
const PATIENCE = 10000; // milliseconds; a network that loses everything would leave a request waiting for minutes

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
  // Requests wait while the connection is lost: the page says so in one place, and they are answered when it is back.
  // A request or its reply may be lost with a connection; Python handles a repeated request only once.
  const resend = () => [...pending.values()].forEach(({ message, buffers }) => send(message, buffers));
  const abandon = () => [...pending.keys()].forEach((id) => receive({ id, error: texts.lost }));
  return { request, resend, abandon, close: () => model.off("msg:custom", receive) };
}

// Sends the values of a form with its files, and returns the reply; files that cannot be sent are its problems.
async function sendForm(request, fields, values, limit, texts) {
  const files = fields.filter((field) => field.files?.().length).map((field) => [field, field.files()[0]]);
  const size = files.reduce((sum, [, file]) => sum + file.size, 0);
  if (size > limit) {
    const message = formatText(texts.file_too_big, { size: formatMegabytes(size), limit: formatMegabytes(limit) });
    return { problems: Object.fromEntries(files.map(([field]) => [field.name, `${field.label} ${message}`])) };
  }
  const contents = await Promise.all(files.map(([, file]) => file.arrayBuffer())).catch(() => null);
  if (!contents) return { problems: Object.fromEntries(files.map(([field]) => [field.name, texts.file_unreadable])) };
  return request("submit", { values, files: files.map(([field, file]) => [field.name, file.name]) }, contents);
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

// Returns the status of a response of this page's server, or 0 if none comes, as from a proxy without its server.
async function statusOf(path) {
  // Of requests of this page's own: where accounts of a JupyterHub log in, those that only read need it, too.
  const headers = { "X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "" };
  const facts = { cache: "no-store", headers, signal: AbortSignal.timeout(PATIENCE) };
  const response = await fetch(new URL(path, location.href), facts).catch(() => null);
  return !response || [502, 503, 504].includes(response.status) ? 0 : response.status;
}

// Asks for the kernel after ever longer pauses, and at once when the network is back or the page is looked at.
// Calls `gone` when the server answers again but has no such kernel: it is a new one.
class Comeback {
  constructor(kernelId, gone) {
    Object.assign(this, { kernelId, gone, pause: FIRST_PAUSE, isDown: false, turn: 0 });
    this.askNow = ({ type }) => {
      if (this.timer !== undefined && (type === "online" || !document.hidden)) this.ask();
    };
    addEventListener("online", this.askNow);
    document.addEventListener("visibilitychange", this.askNow);
  }

  start() {
    if (this.timer === undefined) this.wait();
  }

  wait() {
    this.timer = setTimeout(() => this.ask(), this.pause * (0.5 + Math.random() / 2));
    this.pause = Math.min(LONGEST_PAUSE, 2 * this.pause);
  }

  async ask() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    const status = await statusOf(`api/kernels/${this.kernelId}`);
    if (turn !== this.turn) return; // stopped, or asked again
    this.isDown ||= !status;
    if (this.isDown && [401, 403, 404].includes(status)) this.gone();
    else this.wait();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.turn += 1;
    this.pause = FIRST_PAUSE;
    this.isDown = false;
  }

  end() {
    this.stop();
    removeEventListener("online", this.askNow);
    document.removeEventListener("visibilitychange", this.askNow);
  }
}

// Calls `notify` when the kernel or the connection is lost, with the key of a text, or with "gone" when a server that
// did not answer is back without the kernel; and with "" when the connection is back.
function watchConnection(model, notify) {
  const kernel = model.widget_manager?.kernel;
  if (!kernel?.connectionStatusChanged) return () => {};
  let ended = false;
  let timer;
  const end = (state) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    comeback.end();
    notify(state);
  };
  const comeback = new Comeback(kernel.id, () => end("gone"));
  const status = (_, state) => {
    if (["restarting", "autorestarting", "dead", "terminating"].includes(state)) {
      end(comeback.isDown || kernel.wasDown ? "gone" : "ended");
    }
  };
  const connection = (_, state) => {
    clearTimeout(timer);
    if (ended) return;
    if (state === "connected") {
      comeback.stop();
      notify("");
    } else {
      comeback.start();
      timer = setTimeout(() => notify("lost"), state === "connecting" ? 1500 : 0);
    }
  };
  const network = ({ type }) => ended || notify(type === "offline" ? "lost" : "");
  addEventListener("offline", network);
  addEventListener("online", network);
  kernel.statusChanged.connect(status);
  kernel.connectionStatusChanged.connect(connection);
  return () => {
    clearTimeout(timer);
    comeback.end();
    removeEventListener("offline", network);
    removeEventListener("online", network);
    kernel.statusChanged.disconnect(status);
    kernel.connectionStatusChanged.disconnect(connection);
  };
}

// Calls `notify` with the versions that this page's address has by now of models that were replaced on the server: by a
// model's name, its version and when it was trained. Returns the function that ends that.
function watchVersions(model, notify) {
  const signal = model.widget_manager?.kernel?.iopubMessage;
  const receive = (_, { header, content }) => header.msg_type === "irislib_versions" && notify(content.versions);
  signal?.connect(receive);
  return () => signal?.disconnect(receive);
}
