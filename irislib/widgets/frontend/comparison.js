// Two answers side by side: one that the visitor keeps, and the present one.

class Comparison {
  // `decorate` adds the page's behaviour to the buttons of an element.
  constructor(request, texts, decorate, announce) {
    Object.assign(this, { request, texts, decorate, announce });
    this.keepButton = this.createButton(texts.keep_answer, () => this.ask("keep_answer"));
    this.table = h("div", {});
    this.contributions = h("div", {});
    this.contributionsButton = this.createButton(texts.compare_contributions, () => this.showContributions());
    this.endButton = this.createButton(texts.compare_end, () => this.ask("end_comparison"));
    this.tools = h("p", { class: "irislib-buttons" });
    this.compared = h("div", { class: "irislib-compared", hidden: true }, this.table, this.contributions, this.tools);
  }

  createButton(text, onclick) {
    return h("button", { type: "button", class: "irislib-quiet", onclick }, text);
  }

  // Stays below the answer, also below a new one, with its button beside that of the report if there is one.
  follow(content) {
    const result = content.querySelector(".irislib-result");
    if (!result || content.contains(this.keepButton)) return;
    let buttons = content.querySelector(".irislib-result ~ .irislib-buttons");
    if (!buttons) result.after((buttons = h("p", { class: "irislib-buttons" })));
    buttons.prepend(this.keepButton);
    buttons.after(this.compared);
  }

  async ask(method) {
    const { html, announcement, error } = await this.request(method);
    this.show(error ? undefined : html);
    this.announce(error ?? announcement);
    if (!html) this.keepButton.focus({ preventScroll: true });
  }

  show(html) {
    if (html === undefined) return;
    const isOpen = Boolean(this.table.querySelector("details[open]"));
    this.table.innerHTML = html;
    const details = this.table.querySelector("details");
    if (details) details.open = isOpen;
    this.contributions.replaceChildren(); // they are of the answers before
    this.compared.hidden = !html;
    this.contributionsButton.hidden = !this.table.querySelector("table");
    this.decorate(this.table);
    const fill = this.table.querySelector(".irislib-buttons");
    fill?.remove();
    this.tools.replaceChildren(...(fill?.children ?? []), this.contributionsButton, this.endButton);
  }

  async showContributions() {
    const before = this.table.innerHTML;
    const { html, error } = await this.request("compare_contributions");
    if (this.table.innerHTML !== before) return; // there is a newer answer
    if (error) this.contributions.replaceChildren(h("p", { class: "irislib-message", role: "alert" }, error));
    else this.contributions.innerHTML = html;
    this.announce(this.contributions.textContent);
  }
}
