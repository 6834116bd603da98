// Shows the anywidgets of a page without JupyterLab: their models, their views, and their kernel.
import { Kernel } from "irislib/kernel.js";

const PATIENCE = 3000; // with a widget that waits for Python before it shows anything

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
    this.take(values);
  }

  save_changes() {
    if (!Object.keys(this.unsaved).length) return;
    const [state, paths, buffers] = withoutBuffers(this.unsaved);
    this.unsaved = {};
    this.tell({ method: "update", state, buffer_paths: paths }, buffers);
  }

  send(content, callbacks, buffers) {
    this.tell({ method: "custom", content }, buffers);
  }

  tell(data, buffers) {
    this.widget_manager.kernel.send({ comm_id: this.id, data }, buffers);
  }

  on(names, callback) {
    for (const name of names.split(/\s+/)) this.listeners.push({ name, callback });
  }

  off(names, callback) {
    const listed = names?.split(/\s+/);
    this.listeners = this.listeners.filter(
      (each) => (listed && !listed.includes(each.name)) || (callback && callback !== each.callback),
    );
  }

  emit(name, ...facts) {
    for (const each of [...this.listeners]) if (each.name === name) each.callback(...facts);
  }

  take(values) {
    const changed = Object.keys(values).filter((name) => !isSame(values[name], this.state[name]));
    for (const name of changed) this.state[name] = values[name];
    for (const name of changed) this.emit(`change:${name}`, this, values[name], {});
    if (changed.length) this.emit("change", this, {});
  }

  // What Python says. Its echo of our own changes tells nothing new.
  hear(data, buffers) {
    if (data.method === "custom") this.emit("msg:custom", data.content, buffers);
    if (data.method === "update") this.take(withBuffers(data.state, data.buffer_paths ?? [], buffers));
  }
}

class Manager {
  constructor({ kernel, base_url, widgets }) {
    this.kernel = new Kernel(base_url, kernel);
    this.kernel.hear = (type, content, buffers) => this.hear(type, content, buffers);
    this.widgets = widgets;
    this.models = new Map(Object.entries(widgets).map(([id, { state }]) => [id, new Model(id, state, this)]));
    this.lives = new Map([...this.models.keys()].map((id) => [id, new AbortController()]));
    const used = {};
    this.started = new Map();
    for (const [id, { esm }] of Object.entries(widgets)) {
      if (!esm) continue; // a layout
      used[esm] = (used[esm] ?? 0) + 1;
      // each widget has variables of its own, as if it were the only one
      const started = this.start(id, used[esm] === 1 ? esm : `${esm}#${used[esm]}`);
      started.catch(() => {}); // told where it is shown
      this.started.set(id, started);
    }
  }

  async get_model(id) {
    if (!this.models.has(id)) throw new Error(`There is no widget ${id}.`);
    return this.models.get(id);
  }

  hear(type, { comm_id, data }, buffers) {
    if (type === "comm_msg") this.models.get(comm_id)?.hear(data, buffers);
    if (type === "comm_close") this.lives.get(comm_id)?.abort();
  }

  // What a widget's own functions are called with, for as long as it lives.
  facts(id) {
    const model = this.models.get(id);
    const { signal } = this.lives.get(id);
    return { model, signal, experimental: { invoke: (...asked) => invoke(model, ...asked) } };
  }

  async start(id, address) {
    const module = await import(address);
    const widget = module.render ? module : typeof module.default === "function" ? await module.default() : module.default;
    if (module.render === undefined) this.atEnd(id, await widget.initialize?.(this.facts(id)));
    return widget;
  }

  async show(id, place) {
    const { render } = await this.started.get(id);
    const el = document.createElement("div");
    const model = this.models.get(id);
    dress(el, model, this.models.get(model.get("layout")?.replace("IPY_MODEL_", "")));
    place.append(el);
    this.atEnd(id, () => el.remove());
    this.atEnd(id, await render?.({ ...this.facts(id), el }));
  }

  atEnd(id, clean) {
    if (typeof clean === "function") this.lives.get(id).signal.addEventListener("abort", clean);
  }
}

// A question to a method of the widget in Python.
function invoke(model, name, msg, { buffers = [], signal = AbortSignal.timeout(3000) } = {}) {
  const id = Math.random().toString(36).slice(2);
  return new Promise((done, fail) => {
    const hear = (answer, received) => {
      if (answer.id !== id) return;
      model.off("msg:custom", hear);
      done([answer.response, received]);
    };
    signal.addEventListener("abort", () => {
      model.off("msg:custom", hear);
      fail(signal.reason);
    });
    model.on("msg:custom", hear);
    model.send({ id, kind: "anywidget-command", name, msg }, undefined, buffers);
  });
}

// What every widget of ipywidgets has: a layout, classes, a tooltip and its place for the Tab key.
function dress(el, model, layout) {
  let classes = [];
  const put = () => {
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
  put();
  model.on("change:_dom_classes change:tooltip change:tabbable", put);
  layout?.on("change", put);
}

function isSame(one, other) {
  if (Object.is(one, other)) return true;
  const shape = (value) => (Array.isArray(value) ? "list" : value?.constructor === Object && "object");
  if (!shape(one) || shape(one) !== shape(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

// Splits what is binary from what JSON can hold, as widgets are sent: [the rest, where it was, the buffers].
function withoutBuffers(state) {
  const paths = [];
  const buffers = [];
  const split = (value, path) => {
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
      paths.push(path);
      buffers.push(value);
      return null; // Python puts the buffer in its place
    }
    if (Array.isArray(value)) return value.map((each, i) => split(each, [...path, i]));
    if (value?.constructor !== Object) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, split(each, [...path, name])]));
  };
  return [split(state, []), paths, buffers];
}

function withBuffers(state, paths, buffers) {
  paths.forEach((path, i) => {
    const place = path.slice(0, -1).reduce((value, name) => value[name], state);
    place[path.at(-1)] = buffers[i];
  });
  return state;
}

async function showPage(facts) {
  const manager = new Manager(facts);
  const places = [...document.querySelectorAll("[data-irislib-model]")];
  const shown = places.map((place) =>
    manager.show(place.dataset.irislibModel, place).catch((error) => {
      console.error(error);
      const line = document.createElement("p");
      line.className = "irislib-page";
      line.setAttribute("role", "alert");
      line.textContent = facts.not_loaded;
      place.append(line);
    }),
  );
  await Promise.race([Promise.all(shown), new Promise((done) => setTimeout(done, PATIENCE))]);
  document.getElementById("loading").remove();
  document.getElementById("rendered_cells").style.display = "";
}

showPage(JSON.parse(document.getElementById("irislib-page").textContent));
