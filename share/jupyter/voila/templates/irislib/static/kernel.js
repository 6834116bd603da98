// The connection to the kernel: a websocket that reconnects by itself, and its messages.

const MAX_RETRY_WAIT = 15000; // milliseconds between two attempts to reconnect
const PATIENCE = 10000; // milliseconds; a network that loses everything would leave a request waiting for minutes
const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const PARTS = ["header", "parent_header", "metadata", "content"];
const END_STATES = ["restarting", "autorestarting", "dead", "terminating"];

// Of requests of this page's own: where accounts of a JupyterHub log in, those that only read need it, too.
const ownHeaders = () => ({ "X-XSRFToken": document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? "" });

// As in Jupyter's front ends: slots are called with the sender and a value.
class Signal {
  constructor(sender) {
    this.sender = sender;
    this.slots = new Set();
  }

  connect(slot) {
    this.slots.add(slot);
  }

  disconnect(slot) {
    this.slots.delete(slot);
  }

  emit(value) {
    for (const slot of [...this.slots]) slot(this.sender, value);
  }
}

export class Kernel {
  constructor(base, id) {
    const socket = new URL(`${base}api/kernels/${id}/channels`, location);
    socket.protocol = socket.protocol.replace("http", "ws");
    this.id = id;
    this.session = randomName();
    socket.searchParams.set("session_id", this.session); // the server buffers messages for it while the socket is closed
    this.url = `${base}api/kernels/${id}`;
    this.socketUrl = socket.href;
    this.shutdownUrl = `${base}voila/api/shutdown/${id}`;
    this.statusChanged = new Signal(this);
    this.connectionStatusChanged = new Signal(this);
    this.iopubMessage = new Signal(this);
    this.onMessage = () => {};
    this.queue = [];
    this.attempts = 0;
    this.ended = false;
    this.isGone = false;
    this.wasDown = false; // the server did not answer since the connection was lost
    this.open();
    const retryNow = () => this.socket || this.ended || this.retry(0);
    addEventListener("online", retryNow);
    document.addEventListener("visibilitychange", () => document.hidden || retryNow());
    addEventListener("pageshow", ({ persisted }) => persisted && this.reconnect());
    addEventListener("pagehide", ({ persisted }) => persisted || this.shutDown());
  }

  open() {
    const socket = new WebSocket(this.socketUrl, PROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      const isReconnected = this.attempts > 0;
      this.attempts = 0;
      this.wasDown = false;
      for (const message of this.queue.splice(0)) socket.send(message);
      if (isReconnected) this.connectionStatusChanged.emit("connected");
    };
    socket.onmessage = ({ data }) => this.receive(unpack(data));
    socket.onclose = () => this.socket === socket && this.handleLoss();
  }

  handleLoss() {
    this.socket = null;
    if (this.ended) return;
    this.connectionStatusChanged.emit("connecting");
    this.retry(this.attempts ? Math.min(MAX_RETRY_WAIT, 250 * 2 ** this.attempts) * (0.5 + Math.random() / 2) : 0);
  }

  retry(wait) {
    clearTimeout(this.timer);
    this.attempts += 1;
    this.timer = setTimeout(async () => {
      const facts = { cache: "no-store", headers: ownHeaders(), signal: AbortSignal.timeout(PATIENCE) };
      const status = await fetch(this.url, facts).then(
        (response) => response.status,
        () => 0,
      );
      this.wasDown ||= [0, 502, 503, 504].includes(status);
      if (this.socket || this.ended) return;
      this.isGone = status === 404;
      if (this.isGone) this.end("dead");
      else if (status) this.open(); // even if it was an error: a proxy may forward nothing but the socket
      else this.handleLoss();
    }, wait);
  }

  // The page comes from the back/forward cache: its connection is closed, and its kernel may have ended.
  reconnect() {
    if (this.ended) return;
    const oldSocket = this.socket;
    this.socket = null;
    oldSocket?.close();
    this.connectionStatusChanged.emit("connecting");
    this.retry(0);
  }

  end(state) {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.statusChanged.emit(state);
  }

  shutDown() {
    if (this.isGone) return;
    this.ended = true;
    fetch(this.shutdownUrl, { method: "POST", keepalive: true, headers: ownHeaders() }).catch(() => {});
  }

  // Sends a message of a widget, the only type that the server forwards to a kernel.
  send(content, buffers = []) {
    if (this.ended) throw new Error("The kernel has ended.");
    const message = pack("shell", {
      header: {
        msg_id: randomName(),
        msg_type: "comm_msg",
        session: this.session,
        username: "",
        date: new Date().toISOString(),
        version: "5.3",
      },
      parent_header: {},
      metadata: {},
      content,
    }, buffers);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(message);
    else this.queue.push(message);
  }

  receive({ header, content, buffers }) {
    const state = header.msg_type === "status" ? content.execution_state : "";
    if (END_STATES.includes(state)) this.end(state);
    else if (state) this.statusChanged.emit(state);
    else this.onMessage(header.msg_type, content, buffers);
    this.iopubMessage.emit({ header, content });
  }
}

// Not crypto.randomUUID, which exists with https only.
function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Jupyter's framing: the number of offsets, the offsets, and between them the channel, the four parts of a
// message and its buffers. Numbers have 64 bits; no message of a page needs the upper half.
function pack(channel, message, buffers) {
  const strings = [channel, ...PARTS.map((part) => JSON.stringify(message[part]))];
  const parts = [...strings.map((text) => new TextEncoder().encode(text)), ...buffers.map(bytes)];
  const head = new DataView(new ArrayBuffer(8 * (parts.length + 2)));
  head.setUint32(0, parts.length + 1, true);
  let offset = head.byteLength;
  head.setUint32(8, offset, true);
  parts.forEach((part, i) => {
    offset += part.byteLength;
    head.setUint32(8 * (i + 2), offset, true);
  });
  // No Blob: the browser would read it in another process before it sends it.
  const packed = new Uint8Array(offset);
  packed.set(new Uint8Array(head.buffer));
  parts.forEach((part, i) => packed.set(part, head.getUint32(8 * (i + 1), true)));
  return packed;
}

function unpack(data) {
  const head = new DataView(data);
  const offsets = Array.from({ length: head.getUint32(0, true) }, (_, i) => head.getUint32(8 * (i + 1), true));
  const parts = offsets.slice(0, -1).map((start, i) => new DataView(data, start, offsets[i + 1] - start));
  const read = (part) => JSON.parse(new TextDecoder().decode(part));
  return { header: read(parts[1]), content: read(parts[4]), buffers: parts.slice(5) };
}

function bytes(buffer) {
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
