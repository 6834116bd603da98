// Displays the anywidgets of a page without JupyterLab: their models, their views, and their kernel.
import { Kernel } from "irislib/kernel.js";

const RENDER_TIMEOUT = 3000; // milliseconds, for a widget that waits for Python before it displays anything

class Model {
  constructor(id, state, manager) {
    this.id = id;
    this.state = state;
    this.widget_manager = manager;
    this.unsaved = {};
    this.listeners = [];
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    const values = typeof name === "string" ? { [name]: value } : name;
    Object.assign(this.unsaved, values);
    this.update(values);
  }

  save_changes() {
    if (!Object.keys(this.unsaved).length) return;
    const [state, paths, buffers] = withoutBuffers(this.unsaved);
    this.unsaved = {};
    this.sendToKernel({ method: "update", state, buffer_paths: paths }, buffers);
  }

  send(content, callbacks, buffers) {
    this.sendToKernel({ method: "custom", content }, buffers);
  }

  sendToKernel(data, buffers) {
    this.widget_manager.kernel.send({ comm_id: this.id, data }, buffers);
  }

  on(names, callback) {
    for (const name of names.split(/\s+/)) this.listeners.push({ name, callback });
  }

  off(names, callback) {
    const events = names?.split(/\s+/);
    this.listeners = this.listeners.filter(
      (listener) => (events && !events.includes(listener.name)) || (callback && callback !== listener.callback),
    );
  }

  emit(name, ...values) {
    for (const listener of [...this.listeners]) if (listener.name === name) listener.callback(...values);
  }

  update(values) {
    const changed = Object.keys(values).filter((name) => !isSame(values[name], this.state[name]));
    for (const name of changed) this.state[name] = values[name];
    for (const name of changed) this.emit(`change:${name}`, this, values[name], {});
    if (changed.length) this.emit("change", this, {});
  }

  // Handles a message of Python; its echo of a change made here changes nothing.
  receive(data, buffers) {
    if (data.method === "custom") this.emit("msg:custom", data.content, buffers);
    if (data.method === "update") this.update(withBuffers(data.state, data.buffer_paths ?? [], buffers));
  }
}

class Manager {
  constructor({ kernel, base_url, widgets }) {
    this.kernel = new Kernel(base_url, kernel);
    this.kernel.onMessage = (type, content, buffers) => this.receive(type, content, buffers);
    this.widgets = widgets;
    this.models = new Map(Object.entries(widgets).map(([id, { state }]) => [id, new Model(id, state, this)]));
    this.lifetimes = new Map([...this.models.keys()].map((id) => [id, new AbortController()]));
    const counts = {};
    this.started = new Map();
    for (const [id, { esm }] of Object.entries(widgets)) {
      if (!esm) continue; // a layout
      counts[esm] = (counts[esm] ?? 0) + 1;
      // a module of its own for each widget, so that they share no variables
      const started = this.start(id, counts[esm] === 1 ? esm : `${esm}#${counts[esm]}`);
      started.catch(() => {}); // `show` reports it
      this.started.set(id, started);
    }
  }

  async get_model(id) {
    if (!this.models.has(id)) throw new Error(`There is no widget ${id}.`);
    return this.models.get(id);
  }

  receive(type, { comm_id, data }, buffers) {
    if (type === "comm_msg") this.models.get(comm_id)?.receive(data, buffers);
    if (type === "comm_close") this.lifetimes.get(comm_id)?.abort();
  }

  // Returns the argument of a widget's own functions; its signal aborts when the widget is closed.
  createContext(id) {
    const model = this.models.get(id);
    const { signal } = this.lifetimes.get(id);
    return { model, signal, experimental: { invoke: (...args) => invoke(model, ...args) } };
  }

  async start(id, url) {
    const module = await import(url);
    const widget = module.render ? module : typeof module.default === "function" ? await module.default() : module.default;
    if (module.render === undefined) this.onClose(id, await widget.initialize?.(this.createContext(id)));
    return widget;
  }

  async show(id, container) {
    const { render } = await this.started.get(id);
    const el = document.createElement("div");
    const model = this.models.get(id);
    applyDomTraits(el, model, this.models.get(model.get("layout")?.replace("IPY_MODEL_", "")));
    container.append(el);
    this.onClose(id, () => el.remove());
    this.onClose(id, await render?.({ ...this.createContext(id), el }));
  }

  onClose(id, cleanUp) {
    if (typeof cleanUp === "function") this.lifetimes.get(id).signal.addEventListener("abort", cleanUp);
  }
}

// Calls a method of the widget in Python.
function invoke(model, name, msg, { buffers = [], signal = AbortSignal.timeout(3000) } = {}) {
  const id = Math.random().toString(36).slice(2);
  return new Promise((resolve, reject) => {
    const listener = (reply, received) => {
      if (reply.id !== id) return;
      model.off("msg:custom", listener);
      resolve([reply.response, received]);
    };
    signal.addEventListener("abort", () => {
      model.off("msg:custom", listener);
      reject(signal.reason);
    });
    model.on("msg:custom", listener);
    model.send({ id, kind: "anywidget-command", name, msg }, undefined, buffers);
  });
}

// Applies the traits of every ipywidgets widget: layout, classes, tooltip and tabindex.
function applyDomTraits(el, model, layout) {
  let classes = [];
  const apply = () => {
    el.classList.remove(...classes);
    classes = model.get("_dom_classes") ?? [];
    el.classList.add(...classes);
    const attributes = { title: model.get("tooltip"), tabindex: { true: "0", false: "-1" }[model.get("tabbable")] };
    for (const [name, value] of Object.entries(attributes)) {
      if (value) el.setAttribute(name, value);
      else el.removeAttribute(name);
    }
    for (const [name, value] of Object.entries(layout?.state ?? {})) {
      if (!name.startsWith("_")) el.style.setProperty(name.replaceAll("_", "-"), value ?? "");
    }
  };
  apply();
  model.on("change:_dom_classes change:tooltip change:tabbable", apply);
  layout?.on("change", apply);
}

function isSame(one, other) {
  if (Object.is(one, other)) return true;
  const shape = (value) => (Array.isArray(value) ? "list" : value?.constructor === Object && "object");
  if (!shape(one) || shape(one) !== shape(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

// Separates binary values from a state, as widgets are sent: [state without them, their paths, buffers].
function withoutBuffers(state) {
  const paths = [];
  const buffers = [];
  const split = (value, path) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      paths.push(path);
      buffers.push(value);
      return null; // Python inserts the buffer here
    }
    if (Array.isArray(value)) return value.map((item, i) => split(item, [...path, i]));
    if (value?.constructor !== Object) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, split(item, [...path, name])]));
  };
  return [split(state, []), paths, buffers];
}

function withBuffers(state, paths, buffers) {
  paths.forEach((path, i) => {
    const parent = path.slice(0, -1).reduce((value, name) => value[name], state);
    parent[path.at(-1)] = buffers[i];
  });
  return state;
}

async function showPage(facts) {
  const manager = new Manager(facts);
  const containers = [...document.querySelectorAll("[data-irislib-model]")];
  const views = containers.map((container) =>
    manager.show(container.dataset.irislibModel, container).catch((error) => {
      console.error(error);
      const line = document.createElement("p");
      line.className = "irislib-page";
      line.setAttribute("role", "alert");
      line.textContent = facts.not_loaded;
      container.append(line);
    }),
  );
  await Promise.race([Promise.all(views), new Promise((resolve) => setTimeout(resolve, RENDER_TIMEOUT))]);
  document.getElementById("loading").remove();
  document.getElementById("rendered_cells").style.display = "";
}

showPage(JSON.parse(document.getElementById("irislib-page").textContent));
