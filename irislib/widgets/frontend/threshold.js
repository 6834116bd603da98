// The view of a decision threshold: a slider that moves the counts, the rates and the points on both curves together.

class ThresholdView {
  constructor(columns, texts, start) {
    Object.assign(this, { columns, texts, count: columns.threshold.length });
    const update = () => this.update();
    this.slider = h("input", { type: "range", min: 0, max: this.count - 1, step: 1, oninput: update });
    this.value = h("b"); // the label would be that of an output, and not of the slider
    this.costs = ["cost_missed", "cost_false_alarm"].map(() => h("input", { type: "number", min: 0, step: "any", ".value": "1", oninput: update }));
    this.cells = Object.fromEntries(["tp", "fn", "fp", "tn"].map((name) => [name, h("td")]));
    this.facts = Object.fromEntries(["recall", "precision", "alarms", "cost"].map((name) => [name, h("dd")]));
    this.cheapest = h("button", { type: "button", class: "irislib-quiet", onclick: () => this.move(this.findCheapest()) });
    const rates = columns["false positive rate"];
    this.curves = [
      new PointCurve(rates, columns.recall, texts.threshold_false_alarms, texts.threshold_recall),
      new PointCurve(columns.recall, columns.precision, texts.threshold_recall, texts.threshold_precision),
    ];
    this.move(start);
  }

  createElement() {
    const { texts, cells, facts } = this;
    const header = (text, scope) => h("th", { scope }, text);
    const matrix = h("table", { class: "irislib-table irislib-counts" },
      h("thead", {}, h("tr", {}, h("td"), header(texts.threshold_answered, "col"), header(texts.threshold_not_answered, "col"))),
      h("tbody", {},
        h("tr", {}, header(texts.threshold_true, "row"), cells.tp, cells.fn),
        h("tr", {}, header(texts.threshold_not_true, "row"), cells.fp, cells.tn)));
    const fact = (text, element) => h("div", {}, h("dt", {}, text), element);
    const list = h("dl", { class: "irislib-facts" },
      fact(texts.threshold_recall, facts.recall), fact(texts.threshold_precision, facts.precision),
      fact(texts.threshold_false_alarms, facts.alarms), fact(texts.threshold_cost, facts.cost));
    const [missed, alarm] = this.costs;
    return h("div", { class: "irislib-threshold" },
      h("label", { class: "irislib-slide" }, h("span", {}, `${texts.threshold} `, this.value), this.slider),
      h("div", { class: "irislib-outcome" }, h("div", {}, matrix, list), this.curves.map((curve) => curve.element)),
      h("div", { class: "irislib-costs" },
        h("label", {}, texts.threshold_cost_missed, missed), h("label", {}, texts.threshold_cost_false_alarm, alarm), this.cheapest));
  }

  costAt(i) {
    const [missed, alarm] = this.costs.map(({ value }) => Math.max(0, Number(value) || 0));
    return missed * this.columns["false negatives"][i] + alarm * this.columns["false positives"][i];
  }

  findCheapest() {
    const costs = Array.from({ length: this.count }, (_, i) => this.costAt(i));
    return costs.indexOf(Math.min(...costs));
  }

  move(i) {
    this.slider.value = i;
    this.update();
  }

  update() {
    const i = Number(this.slider.value);
    const { columns, cells, facts } = this;
    const threshold = formatPercent(columns.threshold[i]);
    this.value.textContent = threshold;
    this.slider.setAttribute("aria-valuetext", threshold);
    const names = { tp: "true positives", fn: "false negatives", fp: "false positives", tn: "true negatives" };
    for (const [name, cell] of Object.entries(cells)) cell.textContent = columns[names[name]][i];
    facts.recall.textContent = formatPercent(columns.recall[i]);
    facts.precision.textContent = formatPercent(columns.precision[i]);
    facts.alarms.textContent = formatPercent(columns["false positive rate"][i]);
    facts.cost.textContent = writeNumber(String(Number(this.costAt(i).toPrecision(6))), decimalSign(pageLanguage()));
    for (const curve of this.curves) curve.mark(i);
    this.cheapest.textContent = formatText(this.texts.threshold_cheapest, { threshold: formatPercent(columns.threshold[this.findCheapest()]) });
  }
}

function createSvg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A curve in the unit square, with a point on it.
class PointCurve {
  constructor(xs, ys, xName, yName) {
    this.points = xs.map((x, i) => (x === null || ys[i] === null ? null : [100 * x, 100 - 100 * ys[i]]));
    this.dot = createSvg("circle", { r: 4, class: "irislib-dot" });
    const line = createSvg("polyline", { points: this.points.filter(Boolean).join(" "), class: "irislib-line" });
    const axes = createSvg("path", { d: "M0,0V100H100", class: "irislib-axis" });
    const drawing = createSvg("svg", { viewBox: "-5 -5 110 110", "aria-hidden": "true" }, axes, line, this.dot);
    this.element = h("div", { class: "irislib-curve" }, h("span", {}, yName), drawing, h("span", {}, xName));
  }

  mark(i) {
    const point = this.points[i];
    this.dot.style.display = point ? "" : "none";
    if (!point) return;
    this.dot.setAttribute("cx", point[0]);
    this.dot.setAttribute("cy", point[1]);
  }
}
