// The page: form on the left, tabs on the right.

const STORAGE_PREFIX = "irislib-form:"; // followed by the page's address and title
const BUSY_DELAY = 150; // milliseconds that nobody notices
const ENOUGH = 120; // pixels of an answer without probabilities in view: its headline, and that there is more
const MARGIN = 16; // pixels above and below what stays in view
const BROAD_FORM = 8; // fields; a form with more of them has two columns where there is room
const LONG_FORM = 30; // fields; a form with more of them scrolls by itself, so that its button and the tabs stay in reach

// A paragraph of texts, each with the address that it links to, or an empty one.
const createFooterLine = (parts) =>
  h("p", {}, parts.map(([text, href]) => (href ? h("a", { href, target: "_blank", rel: "noopener" }, text) : text)));

class App {
  constructor(model, el) {
    this.facts = model.get("facts");
    this.texts = this.facts.texts;
    this.id = uniqueId();
    this.isServed = document.documentElement.dataset.irislib === "app"; // and not in a notebook editor
    this.storageKey = `${STORAGE_PREFIX}${location.pathname}:${this.facts.title}`;
    const { request, resend, abandon, close } = createClient(model, this.texts);
    Object.assign(this, { request, resend, abandon });
    this.open = 0;
    this.busy = false;
    this.hasResult = false;
    this.liveRegion = h("p", { class: "irislib-away", role: "status" });
    if (this.facts.feedback) {
      const read = () => (this.live ? this.readPublic() : this.sent);
      this.feedback = new Feedback(this.request, this.texts, this.facts.feedback, `${this.id}-feedback`, read, (text) => this.announce(text));
    }
    this.form = this.createForm();
    if (this.facts.has_test_rows) {
      this.comparison = new Comparison(request, this.texts, (element) => this.addFillButtons(element), (text) => this.announce(text));
    }
    this.tabs = this.facts.tabs.map((tab, i) => this.createTab(tab, i));
    this.side = this.createSide();
    this.banner = this.createBanner();
    this.news = h("div", { class: "irislib-news", role: "status" });
    this.root = h("div", { class: "irislib" },
      this.banner,
      this.createHead(),
      this.news,
      h("div", { class: `irislib-body${this.fields.length > BROAD_FORM ? " irislib-broad" : ""}` }, this.form, this.side),
      this.createAbout(),
      this.liveRegion);
    for (const [name, value] of Object.entries(this.facts.style)) this.root.style.setProperty(name, value);
    keepKeys(this.root);
    // A file that is dropped outside the drop zone would replace the page.
    for (const event of ["dragover", "drop"]) this.root.addEventListener(event, (dragged) => dragged.preventDefault());
    el.append(this.root);
    this.choose(this.isServed ? Math.max(0, this.tabs.findIndex(({ title }) => fragmentOf(title) === location.hash)) : 0);
    this.showReasons();
    this.ready = this.connect();
    const sizes = new ResizeObserver(() => {
      this.markScrolling();
      this.pin();
    });
    for (const element of [this.root, this.side, this.form]) sizes.observe(element);
    const pin = () => this.pin();
    addEventListener("resize", pin);
    const unwatch = watchConnection(model, (state) => this.showConnection(state));
    const ignoreVersions = watchVersions(model, (versions) => this.showVersions(versions));
    const store = () => this.storeForm();
    if (this.isServed) addEventListener("pagehide", store);
    const forget = () => {
      removeEventListener("pagehide", store);
      removeEventListener("resize", pin);
      this.live?.cancel();
    };
    this.end = () => [unwatch, ignoreVersions, close, forget, () => sizes.disconnect()].forEach((stop) => stop());
  }

  createHead() {
    const { title, introduction, logo } = this.facts;
    const texts = [h("h1", {}, title), introduction ? h("p", {}, introduction) : null];
    // in an image no script of an SVG runs
    if (!logo) return h("div", { class: "irislib-head" }, texts);
    return h("div", { class: "irislib-head irislib-branded" }, h("img", { src: logo, alt: "" }), h("div", {}, texts));
  }

  createForm() {
    const { facts, texts, id } = this;
    this.fields = this.facts.fields.map((facts) =>
      createField(facts, texts, `${id}-${facts.name}`, (field, isComplete) => this.changed(field, isComplete)),
    );
    this.fieldList = new FieldList(this.fields, facts.main_fields, texts);
    this.topMessages = h("div", { class: "irislib-note", role: "alert" });
    this.messages = h("div", { class: "irislib-note", role: "alert" });
    this.reasons = h("p", { class: "irislib-why", id: `${id}-why` });
    this.submitButton = h("button", { type: "submit", class: "irislib-go", "aria-describedby": this.reasons.id }, facts.action);
    const smallButton = (text, onclick, className = "irislib-chip") => h("button", { type: "button", class: className, onclick }, text);
    const examples = facts.examples.map(([name, values]) => smallButton(name, () => this.refill(values)));
    if (facts.has_test_rows) examples.push(smallButton(texts.random_row, () => this.tryTestRow()));
    const marks = [
      this.fields.some((field) => field.mustFill) ? h("p", { class: "irislib-help" }, texts.required_mark) : null,
      this.isServed ? smallButton(texts.copy_link, () => this.copyLink(), "irislib-plain") : null,
    ].filter(Boolean);
    const isLong = this.fields.length > LONG_FORM;
    this.actions = h("div", { class: "irislib-actions" }, this.messages, this.createNow(), this.submitButton, this.reasons);
    return h("form", {
      class: `irislib-panel${isLong ? " irislib-long" : ""}`,
      novalidate: true,
      "aria-label": facts.title,
      onfocusin: (event) => this.uncover(event.target),
      onsubmit: (event) => {
        event.preventDefault();
        this.submit();
      },
    },
      this.topMessages,
      examples.length ? h("div", { class: "irislib-examples" }, h("span", {}, texts.examples), examples) : null,
      this.fieldList.element,
      marks.length ? h("div", { class: "irislib-marks" }, marks) : null,
      this.actions);
  }

  // The live answer beside the button, where the tabs are out of sight. Screen readers hear it from the live region.
  createNow() {
    if (!this.facts.live) return null;
    this.now = h("p", { class: "irislib-now", "aria-hidden": "true" });
    return this.now;
  }

  createTab(tab, i) {
    const { facts, texts, id } = this;
    const button = h("button", {
      type: "button",
      role: "tab",
      id: `${id}-tab-${i}`,
      "aria-controls": `${id}-pane-${i}`,
      onclick: () => this.visit(i),
    }, tab.title);
    const stale = h("p", { class: "irislib-warning", hidden: true }, formatText(texts.stale, { action: facts.action }));
    const content = h("div", {}, h("p", { class: "irislib-empty" }, tab.empty));
    const pane = h("div", {
      role: "tabpanel",
      id: `${id}-pane-${i}`,
      "aria-labelledby": button.id,
      tabindex: 0,
      class: "irislib-pane",
    }, i === 0 ? this.createLive(content) : null, stale, content);
    if (tab.csv) new CsvTab(this.request, texts, tab.csv, (text) => this.announce(text), (element) => this.addTools(element), content);
    return { ...tab, button, pane, content, stale, drawn: Boolean(tab.csv) };
  }

  // Lets the first tab follow the form, and returns what is said about that above its content.
  createLive(content) {
    const { facts, texts } = this;
    if (!facts.live) return null;
    this.waiting = h("p", { class: "irislib-warning", hidden: true });
    this.live = new LiveAnswer(
      this.request,
      () => {
        const reasons = [describeState(this.fields.filter((field) => field.isMissing()), texts), ...this.fields.map((field) => field.partialMessage())];
        const reason = reasons.filter(Boolean).join(" ");
        if (reason) this.showWaiting(content, reason);
        return reason ? null : this.read();
      },
      (reply) => this.showPreview(content, reply),
      (text) => this.announce(text),
    );
    return h("div", { class: "irislib-following" },
      h("p", { class: "irislib-live" }, h("b", {}, texts.live), formatText(texts.live_help, { action: facts.action })),
      this.waiting);
  }

  // Keeps the answer to the values before, in grey and with the reason, while there is none to the present ones.
  showWaiting(content, reason) {
    const result = content.querySelector(".irislib-result");
    this.now.textContent = "";
    if (!result) return;
    result.classList.add("irislib-old");
    this.waiting.textContent = formatText(this.texts.live_waiting, { reason });
    this.waiting.hidden = false;
  }

  showPreview(content, reply) {
    if (reply.html === undefined) {
      this.showWaiting(content, reply.reason ?? reply.error);
      return;
    }
    let result = content.querySelector(".irislib-result");
    if (!result) {
      result = h("div", { class: "irislib-result" });
      content.replaceChildren(result);
    }
    result.innerHTML = reply.html;
    result.classList.remove("irislib-old");
    this.feedback?.place(content, false);
    this.waiting.hidden = true;
    this.now.textContent = reply.announcement;
    this.showComparison(reply);
    this.markScrolling();
  }

  showComparison(reply) {
    this.comparison?.follow(this.tabs[0].content);
    this.comparison?.show(reply.compared);
  }

  createSide() {
    const list = h("div", { role: "tablist", class: "irislib-tablist", "aria-label": this.facts.title, onkeydown: (event) => this.moveByKey(event) },
      this.tabs.map((tab) => tab.button));
    return h("div", { class: "irislib-side" }, list, this.tabs.map((tab) => tab.pane));
  }

  createAbout() {
    const { about, card, footer } = this.facts;
    if (!about.length && !footer.length) return null;
    // In a new tab: this page ends when it is left.
    const pages = [[card, this.texts.about_card], [this.facts.docs, this.texts.about_docs, "en"]];
    const links = pages.map(([href, text, hreflang]) => h("a", { href, target: "_blank", hreflang }, text));
    const link = this.isServed && card ? h("p", { class: "irislib-links" }, links) : null;
    return h("footer", { class: "irislib-about" }, footer.map(createFooterLine), about.map(([name, fact]) => h("p", {}, `${name}: ${fact}`)), link);
  }

  createBanner() {
    this.lostMessage = h("span");
    const reload = h("button", { type: "button", class: "irislib-button", onclick: () => this.reload(), hidden: !this.isServed }, this.texts.reload);
    return h("div", { class: "irislib-banner", role: "alert", hidden: true }, this.lostMessage, reload);
  }

  // Returns the values of the form, as text.
  read(predicate = () => true) {
    return Object.fromEntries(this.fields.filter(predicate).map((field) => [field.name, field.read()]));
  }

  readPublic() {
    return this.read((field) => !field.private);
  }

  // Fills in the whole form, or only the fields that have a value; announces and returns what does not fit.
  fill(values, whole = true) {
    const unfit = [];
    for (const field of this.fields.filter(({ name, private: isPrivate }) => !isPrivate && (whole || name in values))) {
      const value = values[field.name] ?? (field.control === "checkbox" ? "false" : "");
      if (!field.setValue(value)) {
        unfit.push(formatText(this.texts.does_not_fit, { label: field.label, value }));
        field.fill(field.control === "checkbox" ? "false" : "");
      }
      field.show("");
    }
    this.fieldList.settle();
    this.changed();
    this.announce(unfit.join(" ") || this.texts.filled);
    return unfit;
  }

  async tryTestRow() {
    const { values, error } = await this.request("test_row");
    if (values) this.refill(values);
    else this.showMessage(error);
  }

  // Fills in the form with other values, and removes the messages about the earlier ones.
  refill(values) {
    this.showMessage("", "", this.topMessages);
    this.fill(values);
  }

  // Returns true if the form has the values of the latest result; private values are neither compared nor stored.
  isCurrent(sent) {
    return Boolean(sent) && hasSameValues(this.fields, sent);
  }

  // Shows which tabs are about other values than those of the form; a live answer never is.
  markStale(isPublic = true) {
    if (!this.hasResult) return;
    const isStale = !isPublic || !this.isCurrent(this.sent);
    this.tabs.forEach((tab, i) => (tab.stale.hidden = !tab.needs_result || !isStale || (this.live && i === 0)));
    // the report is of the latest answer that the button gave
    this.tabs[0].pane.classList.toggle("irislib-unsaved", Boolean(this.live) && isStale);
  }

  async changed(field, isComplete) {
    this.markStale(!field?.private);
    this.live?.schedule();
    if (field?.isWrong() && !isComplete) field.show(field.partialMessage());
    if (this.messages.querySelector(".irislib-done")) this.showMessage(""); // the copied link has earlier values
    this.showReasons();
    if (!isComplete || field.private || field.read() === "" || field.partialMessage()) return;
    const value = field.read();
    const { message } = await this.request("validate", { name: field.name, value });
    if (field.read() !== value) return;
    field.show(message);
    if (message) this.announce(message);
    this.showReasons();
  }

  // Shows below the button why the form cannot be submitted yet.
  showReasons() {
    this.fieldList.offer();
    this.reasons.textContent = describeState(this.fields, this.texts);
  }

  // Announces a text to screen readers. The region is emptied first, or a repeated text would not be announced.
  announce(text) {
    this.liveRegion.textContent = "";
    clearTimeout(this.announceTimer);
    this.announceTimer = setTimeout(() => (this.liveRegion.textContent = text), 50);
  }

  showMessage(content, className = "irislib-message", region = this.messages) {
    region.replaceChildren(content ? h("div", { class: className }, content) : "");
  }

  // The button changes only if the result takes a while: most come before it could be read.
  setBusy(isBusy) {
    this.busy = isBusy;
    clearTimeout(this.busyTimer);
    const show = () => {
      this.submitButton.setAttribute("aria-busy", String(isBusy));
      this.submitButton.textContent = isBusy ? this.texts.working : this.facts.action;
    };
    if (isBusy) this.busyTimer = setTimeout(show, BUSY_DELAY);
    else show();
  }

  async submit() {
    if (this.busy) return;
    const partial = this.fields.map((field) => [field.name, field.partialMessage()]).filter(([, message]) => message);
    if (partial.length) {
      this.showProblems(Object.fromEntries(partial), this.read(), true);
      return;
    }
    this.setBusy(true);
    this.live?.cancel();
    const { open } = this;
    const clicked = this.read();
    const isFilled = await this.ready; // a link may still be filling in the form
    this.showMessage("");
    const sent = isFilled ? this.read() : clicked;
    const reply = await sendForm(this.request, this.fields, sent, this.facts.file_bytes, this.texts);
    this.setBusy(false);
    for (const field of this.fields.filter(({ private: isPrivate, files }) => isPrivate && !files)) field.fill("");
    this.showProblems(reply.problems ?? {}, sent, this.isCurrent(sent));
    this.showMessage(reply.error);
    if (reply.html === undefined) return;
    this.sent = sent;
    this.showResult(reply, open === this.open);
  }

  // Shows its problem beside each field, unless it has changed since it was sent.
  showProblems(problems, sent, isCurrent) {
    for (const field of this.fields) {
      if (field.private || field.read() === sent[field.name]) field.show(problems[field.name]);
    }
    this.showReasons();
    const wrong = isCurrent && this.fields.find((field) => field.isWrong());
    if (!wrong) return;
    this.fieldList.reveal(wrong);
    wrong.focus();
  }

  showResult(reply, isWaiting) {
    this.hasResult = true;
    this.showMessage("", "", this.topMessages);
    for (const tab of this.tabs.filter(({ needs_result: needsResult }) => needsResult)) tab.drawn = false;
    this.markStale();
    if (this.live) this.waiting.hidden = true;
    this.show(0, reply.html);
    this.feedback?.place(this.tabs[0].content, true);
    this.showComparison(reply);
    if (this.now) this.now.textContent = reply.announcement;
    if (!this.isCurrent(this.sent)) this.live?.schedule();
    this.choose(isWaiting ? 0 : this.open); // a visitor who has opened another tab stays there
    this.announce(reply.announcement);
    if (isWaiting) this.reveal(this.side, "start", this.tabs[0].content.firstElementChild);
  }

  // Scrolls to an element, unless the part of it that matters is in view: of an answer its probabilities, as far as they
  // fit. The focus stays where it is.
  reveal(element, block, part = element) {
    this.pin();
    const { top, bottom } = part.getBoundingClientRect();
    const shares = part.querySelector("table")?.getBoundingClientRect().bottom ?? 0;
    const end = Math.min(bottom, Math.max(top + ENOUGH, Math.min(shares, top + innerHeight / 2)));
    if (top >= 0 && end <= innerHeight) return;
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block, behavior: isReduced ? "auto" : "smooth" });
  }

  // Scrolls so that the button, which stays at the bottom of the window, does not cover the field that has the focus.
  uncover(element) {
    if (this.actions.contains(element) || !element.matches(":focus-visible")) return; // a click must not miss its target
    const covered = element.getBoundingClientRect().bottom + MARGIN - this.actions.getBoundingClientRect().top;
    if (covered > 0) scrollBy(0, covered);
  }

  // Lets form and tabs, where they are side by side, stay in view while the page scrolls: one that fits into the
  // window at its top, a longer one at its end.
  pin() {
    const elements = [this.form, this.side];
    const heights = elements.map((element) => element.offsetHeight); // all before a change, which costs another layout
    elements.forEach((element, i) => (element.style.top = `${Math.min(MARGIN, innerHeight - heights[i] - MARGIN)}px`));
  }

  show(i, html) {
    const { content } = this.tabs[i];
    this.tabs[i].drawn = true;
    content.innerHTML = html;
    this.addFillButtons(content);
    for (const button of content.querySelectorAll("[data-download]")) {
      button.addEventListener("click", downloadHandler(this.request, button.dataset.download, (error) => this.showMessage(error)));
    }
    for (const element of content.querySelectorAll("[data-hold]")) this.addCheckboxes(element);
    this.addTools(content);
  }

  // Adds what jobs and cards need.
  addTools(content) {
    for (const section of content.querySelectorAll("[data-job]")) {
      const start = section.querySelector("button");
      start.addEventListener("click", () => this.runJob(section, start));
      if (section.dataset.startsItself !== undefined) this.runJob(section, start, false);
    }
    this.addCardTools(content);
    this.markScrolling();
  }

  addFillButtons(content) {
    for (const button of content.querySelectorAll("[data-fill]")) {
      button.addEventListener("click", () => {
        this.refill(JSON.parse(button.dataset.fill));
        this.showFilled();
      });
    }
  }

  // Leads from a button elsewhere, which has filled in the form, to the button of the form.
  showFilled() {
    this.submitButton.focus({ preventScroll: true });
    this.reveal(this.submitButton, "center");
  }

  addCardTools(content) {
    const tools = new CardTools(this.request, this.texts, () => this.markScrolling(), (values) => {
      this.fill(values, false);
      this.showFilled();
    });
    for (const card of content.querySelectorAll("[data-card]")) tools.addTo(card);
  }

  // Adds checkboxes to an insight that can be computed again with some features held.
  addCheckboxes(element) {
    const held = JSON.parse(element.dataset.held);
    const fields = this.fields.filter((field) => !field.files);
    const list = h("fieldset", { class: "irislib-choices", "aria-label": this.texts.fix });
    const content = h("div", {}, ...element.childNodes);
    const update = async () => {
      const checked = [...list.querySelectorAll(":checked")].map((box) => box.value);
      const reply = await this.request("hold", { name: element.dataset.hold, held: checked });
      if (reply.error) content.replaceChildren(h("p", { class: "irislib-message", role: "alert" }, reply.error));
      else {
        content.innerHTML = reply.html;
        this.addCardTools(content);
      }
      this.announce(reply.announcement ?? "");
      this.markScrolling();
    };
    list.addEventListener("change", update);
    const addBoxes = () => {
      if (list.children.length) return;
      const box = ({ name }) => h("input", { type: "checkbox", value: name, ".checked": held.includes(name) });
      list.append(...fields.map((field) => h("label", {}, box(field), field.label)));
    };
    if (held.length) addBoxes();
    element.replaceChildren(content, h("details", { open: held.length > 0, ontoggle: addBoxes }, h("summary", {}, this.texts.fix), list));
  }

  // Runs a job step by step, so that it can be cancelled and other requests are handled in between.
  async runJob(section, start, isByHand = true) {
    section.querySelector(".irislib-message")?.remove();
    const progress = new Progress(start, 1, this.texts, isByHand);
    for (let begin = true, done = 0; ; begin = false) {
      progress.show(done, formatText(this.texts.work_progress, { done: Math.round(100 * done) }));
      const reply = await this.request("step_job", { name: section.dataset.job, begin });
      if (progress.stopped) {
        progress.end();
        return;
      }
      if (reply.error) {
        progress.fail(reply.error);
        return;
      }
      done = reply.done;
      if (reply.html === undefined) continue;
      const result = h("div", { class: "irislib-stage", tabindex: -1 });
      result.innerHTML = reply.html;
      const focused = section.contains(document.activeElement);
      section.replaceWith(result);
      this.addCardTools(result);
      if (isByHand || focused) result.focus({ preventScroll: true });
      this.announce(reply.announcement);
      this.markScrolling();
      return;
    }
  }

  // With the next frame, which has a layout anyway.
  markScrolling() {
    cancelAnimationFrame(this.marking);
    this.marking = requestAnimationFrame(() => {
      widenLoneCards(this.root);
      markScrolling(this.root);
    });
  }

  // Opens a tab for a visitor, and names it in the page's address.
  visit(i) {
    this.choose(i);
    this.reveal(this.side, "start", this.tabs[i].pane); // which is below a form in one column
    if (this.isServed) history.replaceState(history.state, "", fragmentOf(this.tabs[i].title));
  }

  choose(i) {
    this.open = i;
    this.tabs.forEach((tab, j) => {
      tab.button.setAttribute("aria-selected", String(i === j));
      tab.button.tabIndex = i === j ? 0 : -1;
      tab.pane.hidden = i !== j;
    });
    this.draw(i);
  }

  async draw(i) {
    const tab = this.tabs[i];
    if (tab.drawn || (tab.needs_result && !this.hasResult)) return;
    tab.drawn = true;
    tab.content.replaceChildren(h("p", { class: "irislib-empty" }, this.texts.working));
    const reply = await this.request("draw", { tab: i });
    if (reply.html !== undefined) this.show(i, reply.html);
    if (reply.error) {
      tab.content.replaceChildren(h("p", { class: "irislib-message" }, reply.error));
      tab.drawn = false;
    }
  }

  moveByKey(event) {
    const next = tabForKey(event.key, this.open, this.tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    this.visit(next);
    this.tabs[next].button.focus();
  }

  // Restores the form from a link or before a reload, and the tabs that Python has drawn for another view of this page.
  // Resolves to true if it has filled in the form.
  async connect() {
    const stored = this.isServed ? this.restoreForm() : null;
    const reply = await this.request("connect", { query: this.isServed && !stored ? location.search : "" });
    const values = stored ?? reply.values ?? {};
    const unfit = Object.keys(values).length ? this.fill(values, Boolean(stored)) : [];
    const ignored = [...(reply.ignored ?? []), ...unfit];
    if (ignored.length) {
      const lines = h("ul", {}, ignored.map((line) => h("li", {}, line)));
      const intro = stored ? null : h("p", {}, this.texts.link_ignored);
      this.showMessage(h("div", {}, intro, lines), "irislib-message", this.topMessages);
    }
    for (const [i, html] of reply.tabs ?? []) {
      this.hasResult ||= this.tabs[i].needs_result;
      this.show(i, html);
    }
    this.showComparison(reply);
    this.live?.schedule();
    return Object.keys(values).length > 0;
  }

  // Stores the form for a reload, or for a visitor who comes back.
  storeForm() {
    try {
      sessionStorage.setItem(this.storageKey, JSON.stringify(this.readPublic()));
    } catch {} // the browser may forbid storage
  }

  restoreForm() {
    const [navigation] = performance.getEntriesByType("navigation");
    if (!["reload", "back_forward"].includes(navigation?.type)) return null;
    try {
      return JSON.parse(sessionStorage.getItem(this.storageKey));
    } catch {
      return null;
    }
  }

  async copyLink() {
    await this.ready; // a link may still be filling in the form
    const defaults = Object.fromEntries(this.fields.map((field) => [field.name, field.value]));
    const link = buildLink(`${location.origin}${location.pathname}`, this.readPublic(), defaults);
    if (!link) {
      this.showMessage(this.texts.link_too_long);
      return;
    }
    try {
      await navigator.clipboard.writeText(link);
      this.showMessage(this.texts.link_copied, "irislib-done");
    } catch {
      // there is no clipboard without https or permission
      const input = h("input", { type: "text", readonly: true, ".value": link });
      this.showMessage(h("label", {}, this.texts.link_shown, input), "irislib-done");
      input.select();
    }
  }

  // Says once on the page that the connection is lost or the session has ended. A server that comes back without the
  // kernel is a new one: the page is loaded again, unless that would lose what only this page has.
  showConnection(state) {
    const { texts, isServed } = this;
    if (state === "gone" && isServed && !this.fields.some((field) => field.private && (field.files?.().length || field.read()))) {
      this.reload(); // the connection has ended, and asks no more
      return;
    }
    const key = state === "gone" ? "ended" : state;
    const advice = isServed ? (key === "lost" ? texts.retrying : "") : texts.run_again;
    const others = [...document.querySelectorAll(".irislib-banner:not([hidden])")].filter((banner) => banner !== this.banner);
    this.banner.hidden = !key || others.length > 0;
    // an attempt that fails repeats nothing, and leaves what Reload has said
    if (key !== this.said) this.lostMessage.textContent = key && `${texts[key]} ${advice}`;
    this.said = key;
    if (key === "ended") this.abandon();
    if (key) return;
    this.resend();
    this.live?.schedule();
  }

  // Says in one line that a page opened now would have another version of the model; this one goes on with its own.
  showVersions(versions) {
    const { texts } = this;
    const [name, version, trained] = this.facts.model;
    const [otherVersion, otherTrained] = versions[name] ?? [version, trained];
    if (!this.isServed || (otherVersion === version && otherTrained === trained)) {
      this.news.replaceChildren();
      return;
    }
    const text = otherTrained < trained ? texts.earlier_model : texts.newer_model;
    if (this.news.firstChild?.firstChild.textContent === text) return; // said already
    const kept = this.fields.some((field) => field.private) ? texts.reload_keeps_public : texts.reload_keeps;
    const button = h("button", { type: "button", class: "irislib-quiet", onclick: () => this.reload() }, texts.reload);
    this.news.replaceChildren(h("p", {}, h("span", {}, text), button, h("small", {}, kept)));
  }

  // Loads the page again once its server answers: the browser's own error page would take the form's place.
  async reload() {
    this.storeForm();
    if (await statusOf("healthz")) {
      location.reload();
      return;
    }
    this.lostMessage.textContent = this.texts.no_answer;
    clearTimeout(this.reloading);
    this.reloading = setTimeout(() => this.reload(), FIRST_PAUSE);
  }
}

export default {
  render({ model, el }) {
    const app = new App(model, el);
    return () => app.end();
  },
};
