// The form as a widget of its own. What is typed goes to Python as text whenever a field is left, and Python says
// what is wrong; the button sends private values and files, too.

class FormPart {
  constructor(model, el) {
    const facts = model.get("facts");
    Object.assign(this, { model, facts, texts: facts.texts, id: uniqueId(), busy: false, isTried: false });
    const { request, resend, abandon, close } = createClient(model, this.texts);
    this.request = request;
    this.fields = facts.fields.map((field) =>
      createField(field, this.texts, `${this.id}-${field.name}`, (changed, isComplete) => this.changed(changed, isComplete)),
    );
    this.fieldList = new FieldList(this.fields, 0, this.texts);
    this.messages = h("div", { class: "irislib-note", role: "alert" });
    this.reasons = h("p", { class: "irislib-why", id: `${this.id}-why` });
    this.button = facts.action ? h("button", { type: "submit", class: "irislib-go", "aria-describedby": this.reasons.id }, facts.action) : null;
    this.root = h("div", { class: "irislib irislib-part" }, this.createForm());
    for (const [name, value] of Object.entries(facts.style)) this.root.style.setProperty(name, value);
    keepKeys(this.root);
    el.append(this.root);
    this.fill();
    const listeners = { "change:entries": () => this.fill(), "change:problems": () => this.showProblems() };
    for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
    const unwatch = watchConnection(model, (state) => this.showConnection(state, resend, abandon));
    this.end = () => {
      for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
      unwatch();
      close();
    };
  }

  createForm() {
    const { facts, texts } = this;
    const examples = facts.examples.map(([name, values]) =>
      h("button", { type: "button", class: "irislib-chip", onclick: () => this.fillExample(values) }, name),
    );
    const hasMark = this.fields.some((field) => field.mustFill);
    return h("form", {
      class: "irislib-panel",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        if (this.button) this.submit();
      },
    },
      examples.length ? h("div", { class: "irislib-examples" }, h("span", {}, texts.examples), examples) : null,
      this.fieldList.element,
      hasMark ? h("p", { class: "irislib-help" }, texts.required_mark) : null,
      h("div", { class: "irislib-actions" }, this.messages, this.button, this.reasons));
  }

  // Fills in what Python has; what the visitor has typed is there already.
  fill() {
    const entries = this.model.get("entries");
    for (const field of this.fields) {
      const entry = entries[field.name];
      if (entry === undefined || field.read() === entry) continue;
      field.setValue(entry);
      field.show("");
    }
    this.showProblems();
  }

  fillExample(values) {
    for (const field of this.fields.filter((one) => !one.private)) {
      field.setValue(values[field.name] ?? (field.control === "checkbox" ? "false" : ""));
      field.show("");
    }
    this.save();
  }

  changed(field, isComplete) {
    if (field.isWrong() && !isComplete) field.show(field.partialMessage());
    if (isComplete && !field.private) this.save();
    this.showReasons();
  }

  // Sends the texts of all fields but private ones and those that are filled in by half.
  save() {
    const fields = this.fields.filter((field) => !field.private && !field.partialMessage());
    this.model.set("entries", Object.fromEntries(fields.map((field) => [field.name, field.read()])));
    this.model.save_changes();
    this.showReasons();
  }

  // Shows the problem of each field, unless it has changed since; one that is empty is wrong once the button was pressed.
  showProblems() {
    const entries = this.model.get("entries");
    const problems = this.model.get("problems");
    for (const field of this.fields.filter((one) => !one.private)) {
      if (field.partialMessage()) field.show(field.partialMessage());
      else if (field.read() === entries[field.name]) field.show(field.isMissing() && !this.isTried ? "" : problems[field.name]);
    }
    this.showMessage(problems[""]);
    this.showReasons();
  }

  showReasons() {
    this.reasons.textContent = describeState(this.fields, this.texts);
  }

  showMessage(text) {
    this.messages.replaceChildren(text ? h("div", { class: "irislib-message" }, text) : "");
  }

  showConnection(state, resend, abandon) {
    if (!state) {
      this.showMessage("");
      resend();
      return;
    }
    const key = state === "gone" ? "ended" : state;
    this.showMessage(`${this.texts[key]} ${this.texts.run_again}`);
    if (key === "ended") abandon();
  }

  async submit() {
    if (this.busy) return;
    this.isTried = true;
    this.showProblems();
    if (this.fields.some((field) => field.partialMessage())) return;
    const values = Object.fromEntries(this.fields.map((field) => [field.name, field.read()]));
    this.busy = true;
    this.button.setAttribute("aria-busy", "true");
    const { problems = {}, error } = await sendForm(this.request, this.fields, values, this.facts.file_bytes, this.texts);
    this.busy = false;
    this.button.removeAttribute("aria-busy");
    for (const field of this.fields) {
      if (field.private && !field.files) field.fill("");
      field.show(problems[field.name]);
    }
    this.isTried = Object.keys(problems).length > 0;
    this.showMessage(error);
    this.showReasons();
    this.fields.find((field) => field.isWrong())?.focus();
  }
}

export default {
  render({ model, el }) {
    const form = new FormPart(model, el);
    return () => form.end();
  },
};
