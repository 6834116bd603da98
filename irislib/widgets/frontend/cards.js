// What a card offers besides its chart: its numbers, its files, and the chart in a larger view.

class CardTools {
  // `fill` takes values over into the form.
  constructor(request, texts, onResize, fill) {
    Object.assign(this, { request, texts, onResize, fill });
  }

  addTo(card) {
    if (card.dataset.interactive === "threshold") this.addThreshold(card);
    if (card.dataset.interactive === "what-if") this.addWhatIf(card);
    const charts = [...card.querySelectorAll(".irislib-figure")];
    const message = h("p", { class: "irislib-message", role: "alert", hidden: true });
    const showError = (error) => {
      message.textContent = error;
      message.hidden = !error;
    };
    const button = (text, onclick, label = text) =>
      h("button", { type: "button", class: "irislib-tool", "aria-label": `${label}: ${title}`, onclick }, text);
    const title = card.querySelector("h3").textContent;
    const save = ["png", "svg", "csv"].map((kind) => {
      const onclick = downloadHandler(this.request, `${kind}:${card.dataset.card}`, showError);
      return button(kind.toUpperCase(), onclick, `${this.texts.save_as} ${kind.toUpperCase()}`);
    });
    charts.forEach((chart, i) => this.addValues(card, title, chart, i));
    card.append(
      h("div", { class: "irislib-tools" },
        this.createNumbers(card, button, showError),
        charts.length ? button(this.texts.larger, () => this.enlarge(card, title, charts)) : null,
        h("span", {}, this.texts.save_as), save),
      message,
    );
  }

  // Returns the button that loads the numbers, and removes them again.
  createNumbers(card, button, showError) {
    let numbers = null;
    const toggle = async () => {
      if (numbers) {
        numbers.remove();
        numbers = null;
      } else {
        const reply = await this.request("numbers", { name: card.dataset.card });
        showError(reply.error ?? "");
        if (reply.error || numbers) return;
        numbers = h("div", { class: "irislib-numbers" });
        numbers.innerHTML = reply.html;
        card.append(numbers);
      }
      element.setAttribute("aria-expanded", String(Boolean(numbers)));
      this.onResize();
    };
    const element = button(this.texts.numbers, toggle);
    element.setAttribute("aria-expanded", "false");
    return element;
  }

  // Shows the value of the nearest point under the pointer, and of one after the other by the arrow keys.
  addValues(card, title, chart, index) {
    const value = h("output", { class: "irislib-value", hidden: true });
    const frame = h("div", { class: "irislib-chart", tabindex: 0, role: "group", "aria-label": formatText(this.texts.exact_values, { title }) });
    chart.replaceWith(frame);
    frame.append(chart, value);
    let points;
    let current = -1;
    let latest = null; // event that asks for a value; the points of an earlier one may come later
    const load = async () => {
      points ??= this.loadPoints(card).then((all) => sortPoints(all[index] ?? []));
      return points;
    };
    const show = (point) => {
      value.hidden = !point;
      if (!point) return;
      const [x, y, text] = point;
      value.textContent = text;
      value.style.left = `${100 * x}%`;
      value.style.top = `${100 * y}%`;
      value.classList.toggle("irislib-to-left", x > 0.5);
    };
    const hide = () => {
      latest = null;
      show();
    };
    frame.addEventListener("pointermove", async (event) => {
      latest = event;
      const all = await load();
      if (latest !== event) return;
      const { clientX, clientY } = event;
      const { left, top, width, height } = chart.getBoundingClientRect();
      show(nearestPoint(all, (clientX - left) / width, (clientY - top) / height, width / height));
    });
    frame.addEventListener("pointerleave", hide);
    frame.addEventListener("blur", hide);
    frame.addEventListener("keydown", async (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      latest = event;
      const all = await load();
      if (!all.length || !latest) return;
      current = (current + step + all.length + (current < 0 && step < 0 ? 1 : 0)) % all.length;
      show(all[current]);
    });
  }

  async loadPoints(card) {
    card.irislibPoints ??= this.request("points", { name: card.dataset.card }).then((reply) => reply.points ?? []);
    return card.irislibPoints;
  }

  async addThreshold(card) {
    const { columns, start, error } = await this.request("columns", { name: card.dataset.card });
    const content = error ? h("p", { class: "irislib-message" }, error) : new ThresholdView(columns, this.texts, start).createElement();
    card.querySelector(".irislib-charts").replaceChildren(content);
  }

  async addWhatIf(card) {
    const { columns, error } = await this.request("columns", { name: card.dataset.card });
    const content = error
      ? h("p", { class: "irislib-message" }, error)
      : new WhatIfView(columns, this.texts, this.request, this.fill).element;
    card.querySelector(".irislib-charts").replaceChildren(content);
  }

  enlarge(card, title, charts) {
    const close = h("button", { type: "button", class: "irislib-button", onclick: () => dialog.close() }, this.texts.close);
    const dialog = h("dialog", { class: "irislib-dialog", "aria-label": title, onclose: () => dialog.remove() },
      h("h3", {}, title), charts.map((chart) => chart.cloneNode()), close);
    card.append(dialog);
    dialog.showModal();
  }
}
