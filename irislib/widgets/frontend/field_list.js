// The fields of the form, in their groups, with a search box if there are many.

const MANY_FIELDS = 20; // are searched

// Returns the element, and a function that makes a field visible which the search has hidden.
function createFieldList(fields, texts) {
  const groups = groupFields(fields);
  const isGrouped = groups.some(({ name }) => name);
  const sections = groups.map(({ name, fields: members }) => {
    const grid = h("div", { class: "irislib-grid" }, members.map((field) => field.element));
    return isGrouped ? h("fieldset", { class: "irislib-group" }, name ? h("legend", {}, name) : null, grid) : grid;
  });
  const list = h("div", { class: "irislib-fields" }, sections);
  if (fields.length <= MANY_FIELDS) return { element: list, reveal: () => {} };
  const status = h("p", { class: "irislib-help", role: "status" });
  const input = h("input", { type: "search", class: "irislib-search", placeholder: texts.search, "aria-label": texts.search, autocomplete: "off" });
  const search = () => {
    const count = fields.filter((field) => !(field.element.hidden = !matchesSearch(field, input.value))).length;
    groups.forEach(({ fields: members }, i) => (sections[i].hidden = members.every((field) => field.element.hidden)));
    status.textContent = input.value.trim() && formatText(texts.search_count, { count, total: fields.length });
  };
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // it would submit the form
    fields.find((field) => !field.element.hidden)?.focus();
  });
  const reveal = (field) => {
    if (!field.element.hidden) return;
    input.value = "";
    search();
  };
  return { element: h("div", { class: "irislib-searched" }, h("div", { class: "irislib-finder" }, input, status), list), reveal };
}
