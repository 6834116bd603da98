// One field of the form: the browser's own control for each kind of feature. Values are text, as typed:
// Python reads them, so that nothing is clamped, rounded or mended on the way.

function makeField(facts, texts, id, changed) {
  const note = h("p", { class: "irislib-message", id: `${id}-note`, hidden: true });
  const help = [facts.help, facts.limits].filter(Boolean).join(" ");
  const helper = help && h("p", { class: "irislib-help", id: `${id}-help` }, help);
  const mustFill = facts.required && facts.control !== "checkbox"; // that one always has a value
  const common = {
    id,
    name: facts.name,
    "aria-describedby": [help && `${id}-help`, `${id}-note`].filter(Boolean).join(" "),
    "aria-required": mustFill ? "true" : null,
  };
  const words = [facts.label, facts.unit && ` (${facts.unit})`];
  if (mustFill) words.push(h("span", { class: "irislib-star", title: texts.required, "aria-hidden": "true" }, " *"));
  const label = facts.control !== "radio" && facts.control !== "range";
  const control = (CONTROLS[facts.control] ?? CONTROLS.text)(facts, common, texts);
  const title = label ? h("label", { for: id }, words) : h("legend", {}, words);
  const element = h(
    label ? "div" : "fieldset",
    {
      class: `irislib-field irislib-${facts.control}`,
      "aria-describedby": label ? null : common["aria-describedby"],
      role: facts.control === "radio" ? "radiogroup" : null,
      "aria-required": facts.control === "radio" && facts.required ? "true" : null,
    },
    title,
    control.element,
    helper,
    note,
  );
  const field = {
    ...facts,
    ...control,
    element,
    show(message) {
      note.textContent = message ?? "";
      note.hidden = !message;
      element.classList.toggle("irislib-wrong", Boolean(message));
      if (facts.control === "radio") return; // a radio button alone is never wrong
      for (const input of control.inputs) input.setAttribute("aria-invalid", message ? "true" : "false");
    },
    mustFill,
    unfinished: () => (control.isPartly?.() ? `${facts.label} ${texts.unfinished}` : ""),
    isWrong: () => !note.hidden,
    isMissing: () => facts.required && (control.files ? !control.files().length : !control.read().trim()),
    // Whether the control could take a value as it is.
    place: (text) => {
      control.fill(text);
      return control.read() === text || (text === "" && facts.control === "slider");
    },
    focus: () => control.inputs[0].focus(),
  };
  element.addEventListener("input", () => changed(field, false));
  element.addEventListener("change", () => changed(field, true));
  element.addEventListener("focusout", () => field.unfinished() && field.show(field.unfinished()));
  if (facts.value) field.fill(facts.value);
  return field;
}

// A date or a time, of which only a part may have been typed: the browser then gives no value at all.
function partly(input) {
  return { ...plain(input), isPartly: () => input.validity.badInput };
}

// What an <input>, <select> or <textarea> of its own kind needs.
function plain(input, element = input) {
  return { element, inputs: [input], read: () => input.value, fill: (text) => void (input.value = text) };
}

const CONTROLS = {
  text: (facts, common) =>
    plain(h("input", { ...common, type: { email: "email" }[facts.kind] ?? "text", autocomplete: "off", placeholder: facts.placeholder })),
  textarea: (facts, common) => plain(h("textarea", { ...common, rows: 3 })),
  date: (facts, common) => partly(h("input", { ...common, type: "date" })),
  time: (facts, common) => partly(h("input", { ...common, type: "time", step: "any" })),
  password: (facts, common) => plain(h("input", { ...common, type: "password", autocomplete: "off" })),
  number(facts, common, texts) {
    const whole = facts.kind === "integer";
    // Not type="number": that hides from us, and so from Python, what it does not take for a number.
    const input = h("input", { ...common, type: "text", inputmode: whole ? "numeric" : "decimal", autocomplete: "off" });
    if (facts.low < 0 || facts.low === undefined) input.inputMode = "text"; // not every phone's number keys have a minus
    const step = Number(facts.step ?? (whole ? 1 : 0));
    const move = (ways) => {
      const empty = !input.value.trim();
      const now = empty ? String(facts.lowest ?? 0) : input.value.trim();
      const digits = Math.max(...[now, String(step)].map((text) => (text.split(".")[1] ?? "").length));
      const next = Number((Number(now) + (empty ? 0 : ways * step)).toFixed(Math.min(digits, 20)));
      if (!step || Number.isNaN(next) || next < facts.low || next > facts.high) return;
      input.value = String(next);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    input.addEventListener("keydown", (event) => {
      const ways = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!ways || !step) return;
      event.preventDefault();
      move(ways);
    });
    if (!step) return plain(input);
    // The keyboard has its arrows; these are for fingers and mice.
    input.className = "irislib-stepped";
    const button = (sign, ways, words) =>
      h("button", { type: "button", tabindex: -1, "aria-hidden": "true", title: words, onclick: () => move(ways) }, sign);
    return plain(input, h("span", { class: "irislib-stepper" }, button("−", -1, texts.less), input, button("+", 1, texts.more)));
  },
  slider(facts, common) {
    const input = h("input", { ...common, type: "range", min: facts.low, max: facts.high, step: facts.step ?? (facts.kind === "integer" ? 1 : "any") });
    input.value = facts.low;
    const output = h("span", { class: "irislib-reading", "aria-hidden": "true" }, input.value);
    const show = () => (output.textContent = facts.unit ? `${input.value} ${facts.unit}` : input.value);
    input.addEventListener("input", show);
    show();
    const ends = h("span", { class: "irislib-ends", "aria-hidden": "true" }, h("span", {}, facts.low), h("span", {}, facts.high));
    return {
      ...plain(input, h("span", { class: "irislib-track" }, input, output, ends)),
      fill: (text) => {
        input.value = text || facts.low;
        show();
      },
    };
  },
  range(facts, common, texts) {
    const inputs = ["from", "to"].map((end) =>
      h("input", { ...common, id: `${common.id}-${end}`, name: `${facts.name}-${end}`, type: "text", inputmode: "decimal", autocomplete: "off" }),
    );
    const part = (end, i) => h("label", { for: inputs[i].id }, texts[end], inputs[i]);
    return {
      element: h("span", { class: "irislib-pair" }, part("from", 0), part("to", 1)),
      inputs,
      read: () => (inputs.some((input) => input.value.trim()) ? inputs.map((input) => input.value.trim()).join(" to ") : ""),
      fill: (text) => inputs.forEach((input, i) => (input.value = text.split(" to ")[i] ?? "")),
    };
  },
  select: (facts, common, texts) =>
    plain(h("select", common, h("option", { value: "" }, texts.show_choices), facts.choices.map(([value, words]) => h("option", { value }, words)))),
  suggestions(facts, common) {
    const list = h("datalist", { id: `${common.id}-list` }, facts.choices.map(([value]) => h("option", { value })));
    const input = h("input", { ...common, type: "text", list: list.id, autocomplete: "off" });
    return plain(input, h("span", { class: "irislib-listed" }, input, list));
  },
  radio(facts, common) {
    const inputs = facts.choices.map(([value], i) => h("input", { id: `${common.id}-${i}`, name: common.id, type: "radio", value }));
    return {
      element: h("span", { class: "irislib-choices" }, facts.choices.map(([, words], i) => h("label", { for: inputs[i].id }, inputs[i], words))),
      inputs,
      read: () => inputs.find((input) => input.checked)?.value ?? "",
      fill: (text) => inputs.forEach((input) => (input.checked = input.value === text)),
    };
  },
  checkbox(facts, common) {
    const input = h("input", { ...common, type: "checkbox" });
    return { element: input, inputs: [input], read: () => String(input.checked), fill: (text) => void (input.checked = text === "true") };
  },
  color(facts, common, texts) {
    const input = h("input", { ...common, type: "color" });
    const output = h("span", {}, texts.none_chosen);
    let chosen = false; // the browser's control always has a colour, also before one was chosen
    const choose = (is) => {
      chosen = is;
      output.textContent = is ? input.value : texts.none_chosen;
    };
    input.addEventListener("input", () => choose(true));
    return {
      ...plain(input, h("span", { class: "irislib-swatch" }, input, output)),
      read: () => (chosen ? input.value : ""),
      fill: (text) => {
        input.value = text || "#000000";
        choose(Boolean(text));
      },
    };
  },
  file(facts, common) {
    const input = h("input", { ...common, type: "file" });
    return { ...plain(input), read: () => "", fill: () => void (input.value = ""), files: () => [...input.files] };
  },
};
