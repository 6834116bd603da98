// "This looks wrong" below an answer: a note and the right answer, which the kernel stores.

class Feedback {
  // `read` returns the values that the answer is for.
  constructor(request, texts, facts, id, read, announce) {
    Object.assign(this, { request, texts, facts, id, read, announce });
    this.button = h("button", { type: "button", class: "irislib-quiet", onclick: () => this.open() }, texts.feedback);
    this.element = h("div", { class: "irislib-feedback" }, this.button);
  }

  open() {
    const { texts, facts, id } = this;
    this.note = h("textarea", { id: `${id}-note`, rows: 3, maxlength: facts.note_length });
    this.answer = facts.classes
      ? h("select", { id: `${id}-answer` },
        h("option", { value: "" }, texts.feedback_unknown),
        facts.classes.map((name) => h("option", { value: name }, name)))
      : h("input", { id: `${id}-answer`, type: "text", inputmode: "decimal", autocomplete: "off" });
    const unit = facts.unit ? ` (${facts.unit})` : "";
    this.message = h("div", { role: "alert" });
    this.send = h("button", { type: "submit", class: "irislib-button" }, texts.feedback_send);
    const form = h("form", {
      novalidate: true,
      "aria-label": texts.feedback,
      onsubmit: (event) => {
        event.preventDefault();
        this.submit();
      },
    },
      h("label", { for: this.note.id }, texts.feedback_note),
      this.note,
      h("label", { for: this.answer.id }, `${texts.feedback_right}${unit}`),
      this.answer,
      h("p", { class: "irislib-live" }, texts.feedback_stored),
      this.message,
      h("div", { class: "irislib-buttons" },
        this.send,
        h("button", { type: "button", class: "irislib-quiet", onclick: () => this.close() }, texts.cancel)));
    this.element.replaceChildren(form);
    this.note.focus();
  }

  close() {
    this.element.replaceChildren(this.button);
    this.button.focus();
  }

  async submit() {
    if (this.isSending) return; // a disabled button would lose the focus
    this.isSending = true;
    const reply = await this.request("feedback", { values: this.read(), right_answer: this.answer.value, note: this.note.value });
    this.isSending = false;
    if (reply.thanks === undefined) {
      this.message.replaceChildren(h("p", { class: "irislib-message" }, reply.error ?? ""));
      return;
    }
    const thanks = h("p", { tabindex: -1 }, reply.thanks);
    this.element.replaceChildren(thanks);
    thanks.focus({ preventScroll: true });
    this.announce(reply.thanks);
  }

  // Puts it below the answer in a tab's content; a new answer, unlike one that follows the form, begins anew.
  place(content, isNew) {
    if (isNew) this.element.replaceChildren(this.button);
    if (this.element.parentNode === content) return;
    const history = content.querySelector(".irislib-history");
    if (history) history.before(this.element);
    else content.append(this.element);
  }
}
