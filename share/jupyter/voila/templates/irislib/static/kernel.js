// The way to the kernel: a websocket that comes back by itself, and the messages on it.

const LONGEST_WAIT = 15000; // between two attempts to connect again
const ENDS = ["restarting", "autorestarting", "dead", "terminating"];

// As Jupyter's front ends have it: called with the sender and what is new.
class Signal {
  constructor(sender) {
    this.sender = sender;
    this.heard = new Set();
  }

  connect(slot) {
    this.heard.add(slot);
  }

  disconnect(slot) {
    this.heard.delete(slot);
  }

  emit(value) {
    for (const slot of [...this.heard]) slot(this.sender, value);
  }
}

export class Kernel {
  constructor(base, id) {
    const socket = new URL(`${base}api/kernels/${id}/channels`, location);
    socket.protocol = socket.protocol.replace("http", "ws");
    this.session = randomName();
    socket.searchParams.set("session_id", this.session); // the server keeps for it what comes while we are away
    this.address = `${base}api/kernels/${id}`;
    this.channels = socket.href;
    this.farewell = `${base}voila/api/shutdown/${id}`;
    this.statusChanged = new Signal(this);
    this.connectionStatusChanged = new Signal(this);
    this.hear = () => {};
    this.waiting = [];
    this.attempts = 0;
    this.ended = false;
    this.gone = false;
    this.open();
    const hurry = () => this.socket || this.ended || this.retry(0);
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", () => document.hidden || hurry());
    addEventListener("pageshow", ({ persisted }) => persisted && this.comeBack());
    addEventListener("pagehide", ({ persisted }) => persisted || this.shutDown());
  }

  open() {
    const socket = new WebSocket(this.channels);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      const again = this.attempts > 0;
      this.attempts = 0;
      for (const message of this.waiting.splice(0)) socket.send(message);
      if (again) this.connectionStatusChanged.emit("connected");
    };
    socket.onmessage = ({ data }) => this.receive(unpack(data));
    socket.onclose = () => this.socket === socket && this.lose();
  }

  lose() {
    this.socket = null;
    if (this.ended) return;
    this.connectionStatusChanged.emit("connecting");
    this.retry(this.attempts ? Math.min(LONGEST_WAIT, 250 * 2 ** this.attempts) * (0.5 + Math.random() / 2) : 0);
  }

  retry(wait) {
    clearTimeout(this.timer);
    this.attempts += 1;
    this.timer = setTimeout(async () => {
      const status = await fetch(this.address, { cache: "no-store" }).then((answer) => answer.status, () => 0);
      if (this.socket || this.ended) return;
      this.gone = status === 404;
      if (this.gone) this.end("dead");
      else if (status) this.open(); // also where it was no success: a proxy may let nothing but the socket through
      else this.lose();
    }, wait);
  }

  // Out of the browser's cache of pages, in which a connection does not survive, and a kernel may not.
  comeBack() {
    if (this.ended) return;
    const old = this.socket;
    this.socket = null;
    old?.close();
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
    if (this.gone) return;
    const [, token] = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/) ?? [];
    this.ended = true;
    fetch(this.farewell, { method: "POST", keepalive: true, headers: { "X-XSRFToken": token ?? "" } }).catch(() => {});
  }

  // A message of a widget: all that a server of apps lets through to a kernel.
  send(content, buffers = []) {
    if (this.ended) throw new Error("The kernel has ended.");
    const message = pack({
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
      channel: "shell",
    }, buffers);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(message);
    else this.waiting.push(message);
  }

  receive({ header, content, buffers }) {
    const state = header.msg_type === "status" ? content.execution_state : "";
    if (ENDS.includes(state)) this.end(state);
    else if (state) this.statusChanged.emit(state);
    else this.hear(header.msg_type, content, buffers);
  }
}

// Not crypto.randomUUID, which there is with https only.
function randomName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Jupyter's first framing, which every server takes: JSON as text, and with buffers their number, where each
// begins, and one after the other, JSON first.
function pack(message, buffers) {
  if (!buffers.length) return JSON.stringify(message);
  const parts = [new TextEncoder().encode(JSON.stringify(message)), ...buffers.map(bytes)];
  const head = new DataView(new ArrayBuffer(4 * (parts.length + 1)));
  head.setUint32(0, parts.length);
  let offset = head.byteLength;
  parts.forEach((part, i) => {
    head.setUint32(4 * (i + 1), offset);
    offset += part.byteLength;
  });
  return new Blob([head, ...parts]);
}

function unpack(data) {
  if (typeof data === "string") return { buffers: [], ...JSON.parse(data) };
  const head = new DataView(data);
  const starts = Array.from({ length: head.getUint32(0) }, (_, i) => head.getUint32(4 * (i + 1)));
  const parts = starts.map((start, i) => new DataView(data, start, (starts[i + 1] ?? data.byteLength) - start));
  return { ...JSON.parse(new TextDecoder().decode(parts[0])), buffers: parts.slice(1) };
}

function bytes(buffer) {
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
