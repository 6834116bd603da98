// Functions and classes that create elements of the page.

// Creates an element with attributes, properties (.name), listeners (onname) and children.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith(".")) element[name.slice(1)] = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// Keeps Jupyter's keyboard shortcuts, such as Enter, arrows and letters, from acting while an element has the focus.
// Notebook listens before this and respects the attribute; JupyterLab listens after it.
function keepKeys(root) {
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", ""));
  root.addEventListener("keydown", (event) => event.stopPropagation());
}

// Lets the keyboard's focus reach tables that scroll, and no others.
function markScrolling(root) {
  for (const wide of root.querySelectorAll(".irislib-wide")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
  }
}

const CARD = ".irislib-insight:not(.irislib-spread), [data-hold], :has(> .irislib-insight:only-child)";

// Lets a card without a neighbour, such as one before a wide card, have the whole row: others stand in pairs.
function widenLoneCards(root) {
  for (const box of root.querySelectorAll(".irislib-pane > div, .irislib-stage")) {
    let count = 0; // of the cards that follow each other
    for (const child of box.children) {
      const isCard = child.matches(CARD);
      count = isCard ? count + 1 : 0;
      child.classList.toggle("irislib-alone", isCard && count % 2 === 1 && !child.nextElementSibling?.matches(CARD));
    }
  }
}

// A progress bar in place of the button that started a job, until the job is done or cancelled.
class Progress {
  constructor(start, total, texts, isByHand = true) {
    this.stopped = false;
    this.bar = h("progress", { max: total, value: 0, "aria-label": texts.working });
    this.count = h("span");
    const cancel = h("button", { type: "button", class: "irislib-quiet" }, texts.cancel);
    this.line = h("div", { class: "irislib-progress" }, this.bar, this.count, cancel);
    this.start = start;
    cancel.addEventListener("click", () => {
      this.stopped = true;
      this.note = h("p", { role: "status" }, texts.cancelled);
      this.line.replaceWith(start, this.note);
      start.focus();
    });
    start.replaceWith(this.line);
    if (isByHand) cancel.focus();
  }

  show(done, text) {
    this.bar.value = done;
    this.count.textContent = text;
  }

  // Removes the note that a step is still running after the cancellation.
  end() {
    this.note?.remove();
  }

  fail(message) {
    const hadFocus = this.line.contains(document.activeElement); // it is lost with the Cancel button
    this.line.replaceWith(h("p", { class: "irislib-message", role: "alert" }, message), this.start);
    if (hadFocus) this.start.focus();
  }
}
