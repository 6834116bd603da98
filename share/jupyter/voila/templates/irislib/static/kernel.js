// The way to the kernel: a websocket that comes back by itself, and the messages on it.

const LONGEST_WAIT = 15000; // between two attempts to connect again
const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const PARTS = ["header", "parent_header", "metadata", "content"];
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
    const socket = new WebSocket(this.channels, PROTOCOL);
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

// Jupyter's framing: how many offsets there are, the offsets, and what lies between them: the channel, the
// four parts of a message, its buffers. Numbers have 64 bits, of which nothing that fits into a page needs the upper half.
function pack(channel, message, buffers) {
  const written = [channel, ...PARTS.map((part) => JSON.stringify(message[part]))];
  const parts = [...written.map((text) => new TextEncoder().encode(text)), ...buffers.map(bytes)];
  const head = new DataView(new ArrayBuffer(8 * (parts.length + 2)));
  head.setUint32(0, parts.length + 1, true);
  let offset = head.byteLength;
  head.setUint32(8, offset, true);
  parts.forEach((part, i) => {
    offset += part.byteLength;
    head.setUint32(8 * (i + 2), offset, true);
  });
  return new Blob([head, ...parts]);
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
