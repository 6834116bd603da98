// The page: form at the left, tabs at the right.

const KEPT = "irislib-form:"; // what is kept in the session's storage, below the page's address and title
const LONGEST_LINK = 8000; // what servers take for certain
const SOON = 150; // milliseconds that nobody takes for waiting

class App {
  constructor(model, el) {
    this.facts = model.get("facts");
    this.texts = this.facts.texts;
    this.id = ownName();
    this.ours = document.documentElement.dataset.irislib === "app"; // and not a notebook that is being edited
    this.place = `${KEPT}${location.pathname}:${this.facts.title}`;
    const { ask, repeat, abandon, end } = dialogue(model, this.texts);
    this.ask = ask;
    this.repeat = repeat;
    this.abandon = abandon;
    this.open = 0;
    this.busy = false;
    this.answered = false;
    this.told = h("p", { class: "irislib-away", role: "status" });
    this.form = this.makeForm();
    this.tabs = this.facts.tabs.map((tab, i) => this.makeTab(tab, i));
    this.side = this.makeSide();
    this.banner = this.makeBanner();
    this.root = h("div", { class: "irislib" },
      this.banner,
      h("h1", {}, this.facts.title),
      h("div", { class: "irislib-body" }, this.form, this.side),
      this.makeAbout(),
      this.told);
    // Jupyter has keys of its own, Enter, arrows and letters among them: not while something in here has the focus.
    // Notebook listens before us and heeds the attribute; JupyterLab listens after us.
    this.root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", ""));
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    // A file dropped beside its place would take the page away.
    for (const event of ["dragover", "drop"]) this.root.addEventListener(event, (dragged) => dragged.preventDefault());
    el.append(this.root);
    this.choose(0);
    this.explain();
    this.arrived = this.arrive();
    const sizes = new ResizeObserver(() => this.markScrolling());
    sizes.observe(this.side);
    const unwatch = watch(model, (what) => this.warn(what));
    const keep = () => this.keep();
    if (this.ours) addEventListener("pagehide", keep);
    const forget = () => removeEventListener("pagehide", keep);
    this.end = () => [unwatch, end, forget, () => sizes.disconnect()].forEach((stop) => stop());
  }

  makeForm() {
    const { facts, texts, id } = this;
    this.fields = facts.fields.map((each) =>
      makeField(each, texts, `${id}-${each.name}`, (field, settled) => this.changed(field, settled)),
    );
    this.notice = h("div", { class: "irislib-note", role: "alert" });
    this.note = h("div", { class: "irislib-note", role: "alert" });
    this.why = h("p", { class: "irislib-why", id: `${id}-why` });
    this.go = h("button", { type: "submit", class: "irislib-go", "aria-describedby": this.why.id }, facts.action);
    const quiet = (words, onclick) => h("button", { type: "button", class: "irislib-quiet", onclick }, words);
    const examples = facts.examples.map(([name, values]) => quiet(name, () => this.refill(values)));
    return h("form", {
      class: "irislib-panel",
      novalidate: true,
      "aria-label": facts.title,
      onsubmit: (event) => {
        event.preventDefault();
        this.submit();
      },
    },
      this.notice,
      examples.length ? h("div", { class: "irislib-buttons irislib-examples" }, h("span", {}, texts.examples), examples) : null,
      this.fields.some((field) => field.mustFill) ? h("p", { class: "irislib-help" }, texts.required_mark) : null,
      this.fields.map((field) => field.element),
      this.go, this.why, this.note,
      this.ours ? h("div", { class: "irislib-buttons" }, quiet(texts.copy_link, () => this.copyLink())) : null);
  }

  makeTab(tab, i) {
    const { facts, texts, id } = this;
    const button = h("button", {
      type: "button",
      role: "tab",
      id: `${id}-tab-${i}`,
      "aria-controls": `${id}-pane-${i}`,
      onclick: () => this.choose(i),
    }, tab.title);
    const stale = h("p", { class: "irislib-warning", hidden: true }, put(texts.stale, { action: facts.action }));
    const content = h("div", {}, h("p", { class: "irislib-empty" }, tab.empty));
    const pane = h("div", {
      role: "tabpanel",
      id: `${id}-pane-${i}`,
      "aria-labelledby": button.id,
      tabindex: 0,
      class: "irislib-pane",
    }, stale, content);
    if (tab.table) new WholeTable(this.ask, texts, tab.table, (words) => this.tell(words), content);
    return { ...tab, button, pane, content, stale, drawn: Boolean(tab.table) };
  }

  makeSide() {
    const list = h("div", { role: "tablist", class: "irislib-tablist", "aria-label": this.facts.title, onkeydown: (event) => this.walk(event) },
      this.tabs.map((tab) => tab.button));
    return h("div", { class: "irislib-side" }, list, this.tabs.map((tab) => tab.pane));
  }

  makeAbout() {
    const { about, card } = this.facts;
    if (!about.length) return null;
    // In a tab of its own, for this page ends when it is left.
    const link = this.ours && card ? h("p", {}, h("a", { href: card, target: "_blank" }, this.texts.about_card)) : null;
    return h("footer", { class: "irislib-about" }, about.map(([name, fact]) => h("p", {}, `${name}: ${fact}`)), link);
  }

  makeBanner() {
    this.lost = h("span");
    const reload = h("button", { type: "button", class: "irislib-button", onclick: () => location.reload(), hidden: !this.ours }, this.texts.reload);
    return h("div", { class: "irislib-banner", role: "alert", hidden: true }, this.lost, reload);
  }

  // What is in the form, as text.
  read(which = () => true) {
    return Object.fromEntries(this.fields.filter(which).map((field) => [field.name, field.read()]));
  }

  readPublic() {
    return this.read((field) => !field.private);
  }

  // Fills in the whole form, or only the fields that values are there for; says what does not fit.
  fill(values, whole = true) {
    const odd = [];
    for (const field of this.fields.filter((each) => !each.private && (whole || each.name in values))) {
      const value = values[field.name] ?? (field.control === "checkbox" ? "false" : "");
      if (!field.place(value)) {
        odd.push(put(this.texts.does_not_fit, { label: field.label, value }));
        field.fill(field.control === "checkbox" ? "false" : "");
      }
      field.show("");
    }
    this.changed();
    this.tell(odd.join(" ") || this.texts.filled);
    return odd;
  }

  // Fills in the form at the reader's wish: what was said of the one before is over.
  refill(values) {
    this.say("", "", this.notice);
    this.fill(values);
  }

  // Whether the form holds what the answer is the answer to; what is private is not compared, and not kept.
  isSame(sent) {
    return this.fields.every((field) => field.private || field.read() === sent[field.name]);
  }

  async changed(field, settled) {
    if (this.answered) for (const tab of this.tabs) tab.stale.hidden = !tab.waits || (!field?.private && this.isSame(this.sent));
    if (field?.isWrong() && !settled) field.show(field.unfinished());
    if (this.note.querySelector(".irislib-done")) this.say(""); // the link is not one to this form any more
    this.explain();
    if (!settled || field.private || field.read() === "") return;
    const value = field.read();
    const { message } = await this.ask("check", { name: field.name, value });
    if (field.read() !== value) return;
    field.show(message);
    if (message) this.tell(message);
    this.explain();
  }

  // Below the button: why it cannot go yet.
  explain() {
    const labels = (which) => this.fields.filter(which).map((field) => field.label).join(", ");
    const missing = labels((field) => field.isMissing());
    const wrong = labels((field) => field.isWrong() && !field.isMissing());
    const lines = [missing && put(this.texts.missing, { fields: missing }), wrong && put(this.texts.wrong, { fields: wrong })];
    this.why.textContent = lines.filter(Boolean).join(" ");
  }

  // For those who hear the page; emptied before, for the same words twice would be heard once.
  tell(words) {
    this.told.textContent = "";
    clearTimeout(this.telling);
    this.telling = setTimeout(() => (this.told.textContent = words), 50);
  }

  say(words, kind = "irislib-message", where = this.note) {
    where.replaceChildren(words ? h("div", { class: kind }, words) : "");
  }

  // It is shown only where the answer takes a while: most are there before it could be read.
  setBusy(is) {
    this.busy = is;
    clearTimeout(this.working);
    const show = () => {
      this.go.setAttribute("aria-busy", String(is));
      this.go.textContent = is ? this.texts.working : this.facts.action;
    };
    if (is) this.working = setTimeout(show, SOON);
    else show();
  }

  async submit() {
    if (this.busy) return;
    const partly = this.fields.map((field) => [field.name, field.unfinished()]).filter(([, words]) => words);
    if (partly.length) {
      this.refuse(Object.fromEntries(partly), this.read(), true);
      return;
    }
    this.setBusy(true);
    const { open } = this;
    await this.arrived; // a link may still be filling in the form
    this.say("");
    const sent = this.read();
    const reply = await this.send(sent);
    this.setBusy(false);
    for (const field of this.fields.filter((each) => each.kind === "password")) field.fill("");
    this.refuse(reply.problems ?? {}, sent, this.isSame(sent));
    this.say(reply.failed);
    if (reply.html === undefined) return;
    this.sent = sent;
    this.answer(reply, open === this.open);
  }

  async send(values) {
    const files = this.fields.filter((field) => field.files?.().length).map((field) => [field, field.files()[0]]);
    const size = files.reduce((sum, [, file]) => sum + file.size, 0);
    if (size > this.facts.file_bytes) {
      const words = put(this.texts.file_too_big, { size: megabytes(size), limit: megabytes(this.facts.file_bytes) });
      return { problems: Object.fromEntries(files.map(([field]) => [field.name, `${field.label} ${words}`])) };
    }
    const contents = await Promise.all(files.map(([, file]) => file.arrayBuffer())).catch(() => null);
    if (!contents) return { problems: Object.fromEntries(files.map(([field]) => [field.name, this.texts.file_unreadable])) };
    return this.ask("answer", { values, files: files.map(([field, file]) => [field.name, file.name]) }, contents);
  }

  // Beside each field what is wrong with it, unless it has changed since it was sent.
  refuse(problems, sent, same) {
    for (const field of this.fields) {
      if (field.private || field.read() === sent[field.name]) field.show(problems[field.name]);
    }
    this.explain();
    if (same) this.fields.find((field) => field.isWrong())?.focus();
  }

  answer(reply, isWaiting) {
    this.answered = true;
    this.say("", "", this.notice);
    const same = this.isSame(this.sent);
    for (const tab of this.tabs.filter((each) => each.waits)) {
      tab.stale.hidden = same;
      tab.drawn = false;
    }
    this.show(0, reply.html);
    this.choose(isWaiting ? 0 : this.open); // who has gone on to another tab stays there
    this.tell(reply.said);
    if (!isWaiting) return;
    this.reveal(this.side, "start");
  }

  // On a narrow page form and answer are not in sight together.
  reveal(element, block) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (this.side.offsetTop > this.form.offsetTop) element.scrollIntoView({ block, behavior: calm ? "auto" : "smooth" });
  }

  show(i, html) {
    const { content } = this.tabs[i];
    this.tabs[i].drawn = true;
    content.innerHTML = html;
    for (const button of content.querySelectorAll("[data-fill]")) {
      button.addEventListener("click", () => {
        this.refill(JSON.parse(button.dataset.fill));
        this.go.focus({ preventScroll: true });
        this.reveal(this.go, "center");
      });
    }
    for (const button of content.querySelectorAll("[data-download]")) {
      button.addEventListener("click", fetching(this.ask, button.dataset.download, (failed) => this.say(failed)));
    }
    for (const work of content.querySelectorAll("[data-work]")) {
      const start = work.querySelector("button");
      start.addEventListener("click", () => this.work(work, start));
      if (work.dataset.atOnce !== undefined) this.work(work, start, false);
    }
    for (const place of content.querySelectorAll("[data-fix]")) this.makeFixable(place);
    this.markScrolling();
  }

  // An insight that can be had again with some values as they are, and the boxes that say which.
  makeFixable(place) {
    const fixed = JSON.parse(place.dataset.fixed);
    const fields = this.fields.filter((field) => field.kind !== "file");
    const boxes = fields.map(({ name }) => h("input", { type: "checkbox", value: name, ".checked": fixed.includes(name) }));
    const labels = fields.map(({ label }, i) => h("label", {}, boxes[i], label));
    const shown = h("div", {}, ...place.childNodes);
    const again = async () => {
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      const reply = await this.ask("fix", { name: place.dataset.fix, fixed: chosen });
      if (reply.failed) shown.replaceChildren(h("p", { class: "irislib-message", role: "alert" }, reply.failed));
      else shown.innerHTML = reply.html;
      this.tell(reply.said ?? "");
      this.markScrolling();
    };
    const list = h("fieldset", { class: "irislib-choices", "aria-label": this.texts.fix, onchange: again }, labels);
    place.replaceChildren(shown, h("details", { open: fixed.length > 0 }, h("summary", {}, this.texts.fix), list));
  }

  // What takes long is done step by step: in between everything else is answered, and it can be left off.
  async work(section, start, isAsked = true) {
    section.querySelector(".irislib-message")?.remove();
    const progress = new Progress(start, 1, this.texts, isAsked);
    for (let begin = true, done = 0; ; begin = false) {
      progress.show(done, put(this.texts.work_progress, { done: Math.round(100 * done) }));
      const reply = await this.ask("work", { name: section.dataset.work, begin });
      if (progress.stopped) return;
      if (reply.failed) {
        progress.fail(reply.failed);
        return;
      }
      done = reply.done;
      if (reply.html === undefined) continue;
      const place = h("div", { tabindex: -1 });
      place.innerHTML = reply.html;
      const focused = section.contains(document.activeElement);
      section.replaceWith(place);
      if (isAsked || focused) place.focus({ preventScroll: true });
      this.tell(reply.said);
      this.markScrolling();
      return;
    }
  }

  // Only what really scrolls is a stop for the Tab key.
  markScrolling() {
    for (const wide of this.root.querySelectorAll(".irislib-wide")) {
      if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
      else wide.removeAttribute("tabindex");
    }
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
    if (tab.drawn || (tab.waits && !this.answered)) return;
    tab.drawn = true;
    tab.content.replaceChildren(h("p", { class: "irislib-empty" }, this.texts.working));
    const reply = await this.ask("draw", { tab: i });
    if (reply.html !== undefined) this.show(i, reply.html);
    if (reply.failed) {
      tab.content.replaceChildren(h("p", { class: "irislib-message" }, reply.failed));
      tab.drawn = false;
    }
  }

  walk(event) {
    const last = this.tabs.length - 1;
    const { open } = this;
    const ways = { ArrowRight: open === last ? 0 : open + 1, ArrowLeft: open === 0 ? last : open - 1, Home: 0, End: last };
    const next = ways[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose(next);
    this.tabs[next].button.focus();
  }

  // What a link or Reload brought along, and what Python has shown already to another view of this page.
  async arrive() {
    const kept = this.ours ? this.takeKept() : null;
    const reply = await this.ask("hello", { query: this.ours && !kept ? location.search : "" });
    const values = kept ?? reply.values ?? {};
    const odd = Object.keys(values).length ? this.fill(values, Boolean(kept)) : [];
    const ignored = [...(reply.ignored ?? []), ...odd];
    if (ignored.length) {
      const lines = h("ul", {}, ignored.map((line) => h("li", {}, line)));
      this.say(h("div", {}, h("p", {}, this.texts.link_ignored), lines), "irislib-message", this.notice);
    }
    for (const [i, html] of reply.panes ?? []) {
      this.answered ||= this.tabs[i].waits;
      this.show(i, html);
    }
  }

  // What was in the form is there again after a reload, and when the reader comes back.
  keep() {
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.readPublic()));
    } catch {} // a browser may keep nothing
  }

  takeKept() {
    const [visit] = performance.getEntriesByType("navigation");
    if (!["reload", "back_forward"].includes(visit?.type)) return null;
    try {
      return JSON.parse(sessionStorage.getItem(this.place));
    } catch {
      return null;
    }
  }

  async copyLink() {
    await this.arrived; // a link may still be filling in the form
    // What is empty is left out, but for a field that would else have its default.
    const values = Object.entries(this.readPublic()).filter(
      ([name, value]) => value !== "" || this.fields.find((field) => field.name === name).value,
    );
    const link = `${location.origin}${location.pathname}?${new URLSearchParams(values)}`;
    if (link.length > LONGEST_LINK) {
      this.say(this.texts.link_too_long);
      return;
    }
    try {
      await navigator.clipboard.writeText(link);
      this.say(this.texts.link_copied, "irislib-done");
    } catch {
      // no clipboard without https, and none where the reader forbids it
      const input = h("input", { type: "text", readonly: true, ".value": link });
      this.say(h("label", {}, this.texts.link_shown, input), "irislib-done");
      input.select();
    }
  }

  warn(what) {
    this.banner.hidden = !what;
    this.lost.textContent = what && `${this.texts[what]} ${this.ours ? "" : this.texts.run_again}`;
    if (what) this.abandon();
    else this.repeat();
  }
}

export default {
  render({ model, el }) {
    const app = new App(model, el);
    return () => app.end();
  },
};
