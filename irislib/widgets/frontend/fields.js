// A field of the form: the browser's own control for each type of feature. Values are text, as typed:
// Python parses them, so that nothing is clamped, rounded or corrected before.

function createField(facts, texts, id, changed) {
  const note = h("p", { class: "irislib-message", id: `${id}-note`, hidden: true });
  const help = facts.help && h("p", { class: "irislib-help", id: `${id}-help` }, facts.help);
  const limits = facts.limits && h("p", { class: "irislib-help irislib-limits", id: `${id}-limits` }, facts.limits);
  const mustFill = facts.required && facts.control !== "checkbox"; // a checkbox always has a value
  const common = {
    id,
    name: facts.name,
    "aria-describedby": [help && `${id}-help`, limits && `${id}-limits`, `${id}-note`].filter(Boolean).join(" "),
    "aria-required": mustFill ? "true" : null,
  };
  const labelContent = [facts.label, facts.unit && ` (${facts.unit})`];
  if (mustFill) labelContent.push(h("span", { class: "irislib-star", title: texts.required, "aria-hidden": "true" }, " *"));
  const hasLabel = facts.control !== "radio" && facts.control !== "range";
  const control = (CONTROLS[facts.control] ?? CONTROLS.text)(facts, common, texts);
  const title = hasLabel ? h("label", { for: id }, labelContent) : h("legend", {}, labelContent);
  const element = h(
    hasLabel ? "div" : "fieldset",
    {
      class: `irislib-field irislib-${facts.control}`,
      "aria-describedby": hasLabel ? null : common["aria-describedby"],
      role: facts.control === "radio" ? "radiogroup" : null,
      "aria-required": facts.control === "radio" && facts.required ? "true" : null,
    },
    title,
    limits,
    control.element,
    help,
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
      if (facts.control === "radio") return; // a single radio button is never wrong
      for (const input of control.inputs) input.setAttribute("aria-invalid", message ? "true" : "false");
    },
    mustFill,
    partialMessage() {
      const meanings = control.meanings?.();
      if (meanings) return `${facts.label} ${formatText(texts.ambiguous, meanings)}`;
      return control.isPartial?.() ? `${facts.label} ${texts.unfinished}` : "";
    },
    isWrong: () => !note.hidden,
    isMissing: () => facts.required && (control.files ? !control.files().length : !control.read().trim()),
    // Returns false if the control cannot hold the value as it is.
    setValue: (text) => {
      control.fill(text);
      return control.read() === text || (text === "" && facts.control === "slider");
    },
    focus: () => control.inputs[0].focus(),
  };
  element.addEventListener("input", () => changed(field, false));
  element.addEventListener("change", () => changed(field, true));
  element.addEventListener("focusout", () => field.partialMessage() && field.show(field.partialMessage()));
  if (facts.value) field.fill(facts.value);
  return field;
}

// A date or a time may be typed in part: the browser then returns no value at all.
function partialInput(input) {
  return { ...textInput(input), isPartial: () => input.validity.badInput };
}

// The control of a single <input>, <select> or <textarea>.
function textInput(input, element = input) {
  return { element, inputs: [input], read: () => input.value, fill: (text) => void (input.value = text) };
}

const DECIMAL_SIGN = decimalSign(globalThis.navigator?.language);

// A number, with the decimal sign of the reader's language.
function numberInput(input, element = input) {
  return {
    ...textInput(input, element),
    read: () => readNumber(input.value, DECIMAL_SIGN),
    fill: (text) => void (input.value = writeNumber(text, DECIMAL_SIGN)),
    meanings: () => numberMeanings(input.value, DECIMAL_SIGN),
  };
}

const CONTROLS = {
  text: (facts, common) =>
    textInput(h("input", { ...common, type: facts.type ?? "text", autocomplete: "off", placeholder: facts.placeholder })),
  textarea: (facts, common) => textInput(h("textarea", { ...common, rows: 3 })),
  date: (facts, common) => partialInput(h("input", { ...common, type: "date" })),
  time: (facts, common) => partialInput(h("input", { ...common, type: "time", step: "any" })),
  password: (facts, common) => textInput(h("input", { ...common, type: "password", autocomplete: "off" })),
  number(facts, common, texts) {
    // Not type="number", which has an empty value if its text is no number.
    const input = h("input", { ...common, type: "text", inputmode: facts.inputmode, autocomplete: "off" });
    if (facts.low < 0 || facts.low === undefined) input.inputMode = "text"; // the numeric keyboards of some phones have no minus sign
    const step = Number(facts.step ?? 0);
    const move = (direction) => {
      const next = stepNumber(readNumber(input.value, DECIMAL_SIGN), direction, { ...facts, step });
      if (next === null) return;
      input.value = writeNumber(next, DECIMAL_SIGN);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    input.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!direction || !step) return;
      event.preventDefault();
      move(direction);
    });
    if (!step) return numberInput(input);
    // Buttons for touch and mouse; the keyboard has its arrow keys.
    input.className = "irislib-stepped";
    const button = (sign, direction, title) =>
      h("button", { type: "button", tabindex: -1, "aria-hidden": "true", title, onclick: () => move(direction) }, sign);
    return numberInput(input, h("span", { class: "irislib-stepper" }, button("−", -1, texts.less), input, button("+", 1, texts.more)));
  },
  slider(facts, common) {
    const input = h("input", { ...common, type: "range", min: facts.low, max: facts.high, step: facts.step ?? "any" });
    input.value = facts.low;
    const output = h("span", { class: "irislib-reading", "aria-hidden": "true" });
    const write = (number) => writeNumber(String(number), DECIMAL_SIGN);
    const show = () => (output.textContent = `${write(input.value)} ${facts.unit ?? ""}`.trim());
    input.addEventListener("input", show);
    show();
    const ends = h("span", { class: "irislib-ends", "aria-hidden": "true" }, [facts.low, facts.high].map((end) => h("span", {}, write(end))));
    return {
      ...textInput(input, h("span", { class: "irislib-track" }, input, output, ends)),
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
      read: () => joinRange(inputs.map((input) => readNumber(input.value, DECIMAL_SIGN))),
      fill: (text) => inputs.forEach((input, i) => (input.value = writeNumber(splitRange(text)[i], DECIMAL_SIGN))),
      meanings: () => inputs.map((input) => numberMeanings(input.value, DECIMAL_SIGN)).find(Boolean),
    };
  },
  select: (facts, common, texts) =>
    textInput(h("select", common, h("option", { value: "" }, texts.show_choices), facts.choices.map(([value, text]) => h("option", { value }, text)))),
  suggestions(facts, common) {
    const list = h("datalist", { id: `${common.id}-list` }, facts.choices.map(([value]) => h("option", { value })));
    const input = h("input", { ...common, type: "text", list: list.id, autocomplete: "off" });
    return textInput(input, h("span", { class: "irislib-listed" }, input, list));
  },
  radio(facts, common) {
    const inputs = facts.choices.map(([value], i) => h("input", { id: `${common.id}-${i}`, name: common.id, type: "radio", value }));
    return {
      element: h("span", { class: "irislib-choices" }, facts.choices.map(([, text], i) => h("label", { for: inputs[i].id }, inputs[i], text))),
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
    let chosen = false; // the browser's control always has a colour, even before one was chosen
    const setChosen = (value) => {
      chosen = value;
      output.textContent = value ? input.value : texts.none_chosen;
    };
    input.addEventListener("input", () => setChosen(true));
    return {
      ...textInput(input, h("span", { class: "irislib-swatch" }, input, output)),
      read: () => (chosen ? input.value : ""),
      fill: (text) => {
        input.value = text || "#000000";
        setChosen(Boolean(text));
      },
    };
  },
  file(facts, common) {
    const input = h("input", { ...common, type: "file" });
    return { ...textInput(input), read: () => "", fill: () => void (input.value = ""), files: () => [...input.files] };
  },
};
