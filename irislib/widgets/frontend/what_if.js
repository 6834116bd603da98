// The curves of one row: a slider on each moves over computed values only; several changes at once are calculated anew.

const WHAT_IF_COLUMNS = ["name", "feature", "value", "entry", "is_choice", "is_entered", "answer"]; // besides the measure

class WhatIfView {
  constructor(columns, texts, request, fill) {
    Object.assign(this, { columns, texts });
    this.measure = Object.keys(columns).find((name) => !WHAT_IF_COLUMNS.includes(name));
    this.parts = [];
    columns.name.forEach((name, i) => {
      if (columns.name[i - 1] !== name) this.parts.push({ name, label: columns.feature[i], first: i, count: 0, isChoice: columns.is_choice[i] });
      const part = this.parts.at(-1);
      if (columns.is_entered[i]) part.entered = part.count;
      part.count += 1;
    });
    this.together = h("p", { role: "status" });
    this.live = new LiveAnswer(
      (_, { values }) => request("what_if", { values }),
      () => (this.changed().length > 1 ? this.values() : null),
      (reply) => this.showTogether(reply.error ?? formatText(texts.what_if_together, { answer: reply.announcement })),
      () => {},
    );
    const button = (text, onclick) => h("button", { type: "button", class: "irislib-quiet", onclick }, text);
    this.element = h("div", { class: "irislib-whatif" },
      h("p", {}, texts.what_if_help),
      this.parts.map((part) => this.createPart(part)),
      this.together,
      h("div", { class: "irislib-buttons" },
        button(texts.fill_again, () => fill(this.values())),
        button(texts.what_if_back, () => this.parts.forEach((part) => this.move(part, part.entered)))));
  }

  createPart(part) {
    return part.isChoice ? this.createChoices(part) : this.createCurve(part);
  }

  // A button for each choice, with the answer there.
  createChoices(part) {
    const { columns } = this;
    part.buttons = Array.from({ length: part.count }, (_, i) =>
      h("button", { type: "button", class: "irislib-quiet", onclick: () => this.move(part, i) }, columns.value[part.first + i]));
    part.output = h("output");
    this.move(part, part.entered, true);
    return h("div", { role: "group", "aria-label": part.label }, h("b", {}, part.label), h("div", { class: "irislib-choose" }, part.buttons), part.output);
  }

  createCurve(part) {
    const { columns, measure } = this;
    const numbers = columns[measure].slice(part.first, part.first + part.count);
    const all = measure === "probability" ? [0, 1] : [Math.min(...columns[measure]), Math.max(...columns[measure])];
    const span = all[1] - all[0] || 1;
    part.points = numbers.map((number, i) => [(100 * i) / Math.max(1, part.count - 1), 40 - (40 * (number - all[0])) / span]);
    part.dot = createSvg("path", { class: "irislib-axis" });
    const line = createSvg("polyline", { points: part.points.join(" "), class: "irislib-line" });
    const drawing = createSvg("svg", { viewBox: "0 -2 100 44", preserveAspectRatio: "none", "aria-hidden": "true" }, line, part.dot);
    part.slider = h("input", { type: "range", min: 0, max: part.count - 1, step: 1, oninput: () => this.move(part, Number(part.slider.value)) });
    part.output = h("span", { class: "irislib-at", "aria-hidden": "true" }); // the slider says the same
    this.move(part, part.entered ?? 0, true);
    return h("label", {}, h("b", {}, part.label), drawing, part.slider, part.output);
  }

  move(part, i, isFirst = false) {
    part.index = i;
    const text = i === undefined ? "" : formatText(this.texts.what_if_at, { value: this.columns.value[part.first + i], answer: this.columns.answer[part.first + i] });
    part.output.textContent = text;
    part.buttons?.forEach((button, k) => button.setAttribute("aria-pressed", String(i === k)));
    if (part.slider) {
      part.slider.value = i;
      part.slider.setAttribute("aria-valuetext", text);
      part.dot.setAttribute("d", `M${part.points[i][0]},-2V42`);
    }
    if (isFirst) return;
    this.showTogether("");
    this.live.cancel();
    if (this.changed().length > 1) this.live.schedule();
  }

  showTogether(text) {
    this.together.textContent = text;
  }

  changed() {
    return this.parts.filter(({ index, entered }) => index !== entered);
  }

  values() {
    return Object.fromEntries(this.changed().map(({ name, first, index }) => [name, this.columns.entry[first + index]]));
  }
}
