// Whole tables: a CSV file goes to Python in parts, is looked at, predicted slice by slice, and comes back.

const PART = 500000; // a server takes messages of ten megabytes at most; small ones keep the page alive

class WholeTable {
  constructor(ask, texts, limit, tell, pane) {
    Object.assign(this, { ask, texts, limit, tell });
    this.turn = 0; // counts the files: a newer one puts an end to what goes on with the one before
    this.stage = h("div", { class: "irislib-stage" });
    pane.replaceChildren(this.makeZone(), this.stage);
  }

  makeZone() {
    const { texts, limit } = this;
    const input = h("input", { type: "file", accept: ".csv,text/csv", class: "irislib-away", id: ownName() });
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that the same file, mended, can be chosen again
      if (file) this.take(file);
    });
    const zone = h("div", { class: "irislib-drop" },
      h("p", {}, put(texts.table_intro, { rows: this.number(limit.rows), size: megabytes(limit.bytes) })),
      h("p", { class: "irislib-buttons" },
        input,
        h("label", { for: input.id, class: "irislib-button" }, texts.table_choose),
        this.downloads("template", "irislib-quiet", texts.table_template)));
    for (const event of ["dragenter", "dragover", "dragleave", "drop"]) {
      zone.addEventListener(event, (dragged) => {
        dragged.preventDefault();
        zone.classList.toggle("irislib-over", event === "dragenter" || event === "dragover");
        if (event === "drop" && dragged.dataTransfer.files.length) this.take(dragged.dataTransfer.files[0]);
      });
    }
    return zone;
  }

  downloads(what, look, words) {
    return h("button", { type: "button", class: look, onclick: fetching(this.ask, what, (failed) => this.refuse(failed)) }, words);
  }

  number(count) {
    return count.toLocaleString(this.texts.language);
  }

  say(words, look = "") {
    this.stage.replaceChildren(h("p", { class: look }, words));
    this.tell(words);
  }

  refuse(words) {
    this.say(words, "irislib-message");
    return null;
  }

  // Asks about the file of a turn; nothing comes back once there is a newer one.
  async about(mine, question, facts = {}, buffers = []) {
    const reply = mine === this.turn ? await this.ask(`table_${question}`, { ...facts, upload: mine }, buffers) : null;
    if (mine !== this.turn) return null;
    return reply.failed ? this.refuse(reply.failed) : reply;
  }

  async take(file) {
    const { texts, limit } = this;
    const mine = ++this.turn;
    if (file.size > limit.bytes) {
      this.refuse(put(texts.table_too_big, { name: file.name, size: megabytes(file.size), limit: megabytes(limit.bytes) }));
      return;
    }
    this.say(put(texts.table_reading, { name: file.name }));
    if (!(await this.upload(mine, file))) return;
    const reply = await this.about(mine, "read");
    if (!reply) return;
    this.stage.innerHTML = reply.html;
    this.tell(reply.said ?? this.stage.textContent);
    if (!reply.total) return;
    const start = h("button", { type: "button", class: "irislib-button", onclick: () => this.predict(mine, reply.total, start) }, texts.table_start);
    this.stage.append(start);
  }

  async upload(mine, file) {
    let reply = await this.about(mine, "begin", { name: file.name });
    for (let at = 0; at < file.size && reply; at += PART) {
      const part = await file.slice(at, at + PART).arrayBuffer().catch(() => null);
      if (!part) return this.refuse(this.texts.file_unreadable);
      reply = await this.about(mine, "part", {}, [part]);
    }
    return reply;
  }

  async predict(mine, total, start) {
    const progress = new Progress(start, total, this.texts);
    for (let done = 0; done < total; ) {
      progress.show(done, put(this.texts.table_progress, { done: this.number(done), total: this.number(total) }));
      const reply = await this.about(mine, "slice", { start: done });
      if (progress.stopped || !reply) return;
      done = reply.done;
    }
    const reply = await this.about(mine, "result");
    if (progress.stopped || !reply) return;
    this.stage.innerHTML = reply.html;
    this.tell(reply.said);
    const result = this.downloads("result", "irislib-button", this.texts.table_result);
    this.stage.append(result);
    result.focus({ preventScroll: true });
  }
}
