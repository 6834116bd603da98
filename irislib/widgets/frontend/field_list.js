// The fields of the form, in their groups, with a search box if there are many. Those that matter most come first; the
// others can be hidden where none of them has to be filled in.

const MANY_FIELDS = 20; // are searched

class FieldList {
  constructor(fields, mainCount, texts) {
    Object.assign(this, { fields, mainCount, texts });
    this.groups = groupFields(fields);
    const isGrouped = this.groups.some(({ name }) => name);
    this.sections = this.groups.map(({ name, fields: members }) => {
      const grid = h("div", { class: "irislib-grid" }, members.map((field) => field.element));
      return isGrouped ? h("fieldset", { class: "irislib-group" }, name ? h("legend", {}, name) : null, grid) : grid;
    });
    this.element = h("div", { class: "irislib-fields" }, this.sections);
    if (fields.length <= MANY_FIELDS) return;
    this.createSearch();
    const finder = h("div", { class: "irislib-finder" }, this.input, mainCount ? this.createToggle() : null, this.status);
    this.element = h("div", { class: "irislib-searched" }, finder, this.element);
    this.settle();
  }

  createSearch() {
    const search = this.texts.search;
    this.status = h("p", { class: "irislib-help", role: "status" });
    this.input = h("input", { type: "search", class: "irislib-search", placeholder: search, "aria-label": search, autocomplete: "off" });
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would submit the form
      this.fields.find((field) => !field.element.hidden)?.focus();
    });
  }

  createToggle() {
    this.toggle = h("button", { type: "button", class: "irislib-chip", onclick: () => {
      this.isShort = !this.isShort;
      this.isChosen = true;
      this.input.value = "";
      this.update();
    } });
    return this.toggle;
  }

  // Hides the fields that matter less, unless one of them has to be filled in or the visitor has chosen.
  settle() {
    if (!this.toggle) return;
    this.isShort = this.canBeShort() && (this.isShort || !this.isChosen);
    this.update();
  }

  canBeShort() {
    return !this.fields.slice(this.mainCount).some((field) => field.isMissing() || field.isWrong());
  }

  // Offers the short form once nothing is missing below it.
  offer() {
    if (this.toggle) this.toggle.hidden = !this.isShort && !this.canBeShort();
  }

  update() {
    const { texts, fields, mainCount } = this;
    const text = this.input.value.trim();
    const isVisible = (field, i) => (text ? matchesSearch(field, text) : !this.isShort || i < mainCount);
    const count = fields.filter((field, i) => !(field.element.hidden = !isVisible(field, i))).length;
    this.groups.forEach(({ fields: members }, i) => (this.sections[i].hidden = members.every((field) => field.element.hidden)));
    const total = fields.length;
    if (this.toggle) this.toggle.textContent = formatText(this.isShort ? texts.show_all_fields : texts.show_main_fields, { total });
    this.offer();
    const main = this.isShort ? formatText(texts.main_fields, { count: mainCount }) : "";
    this.status.textContent = text ? formatText(texts.search_count, { count, total }) : main;
  }

  // Shows a field that is hidden.
  reveal(field) {
    if (!field.element.hidden) return;
    this.input.value = "";
    this.isShort = this.isShort && this.fields.indexOf(field) < this.mainCount;
    this.update();
  }
}
