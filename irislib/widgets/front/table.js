// Whole tables: a CSV file goes to Python in parts, is looked at, predicted slice by slice, and comes back.

const PART = 500000; // a server takes messages of ten megabytes at most; small ones keep the page alive

function makeTable(ask, texts, limit, pane, tell) {
  const stage = h("div", { class: "irislib-stage" });
  const input = h("input", { type: "file", accept: ".csv,text/csv", class: "irislib-away", id: ownName() });
  const number = (count) => count.toLocaleString(texts.language);
  const zone = h(
    "div",
    { class: "irislib-drop" },
    h("p", {}, put(texts.table_intro, { rows: number(limit.rows), size: megabytes(limit.bytes) })),
    h("p", { class: "irislib-buttons" },
      input,
      h("label", { for: input.id, class: "irislib-button" }, texts.table_choose),
      h("button", { type: "button", class: "irislib-quiet", onclick: fetching(ask, "template", (failed) => say(failed, "irislib-message")) }, texts.table_template)),
  );
  let turn = 0; // a newer file, or Cancel, puts an end to what goes on

  const say = (words, kind = "") => {
    stage.replaceChildren(h("p", { class: kind }, words));
    tell(words);
  };

  // Asks about the file of a turn; nothing comes back once there is a newer one.
  async function about(mine, question, facts = {}, buffers = []) {
    const reply = mine === turn ? await ask(`table_${question}`, { ...facts, upload: mine }, buffers) : null;
    if (mine !== turn) return null;
    if (!reply.failed) return reply;
    say(reply.failed, "irislib-message");
    return null;
  }

  async function take(file) {
    const mine = ++turn;
    if (file.size > limit.bytes) {
      say(put(texts.table_too_big, { name: file.name, size: megabytes(file.size), limit: megabytes(limit.bytes) }), "irislib-message");
      return;
    }
    say(put(texts.table_reading, { name: file.name }));
    let reply = await about(mine, "begin", { name: file.name });
    for (let at = 0; at < file.size && reply; at += PART) {
      const part = await file.slice(at, at + PART).arrayBuffer().catch(() => null);
      if (!part) {
        say(texts.file_unreadable, "irislib-message");
        return;
      }
      reply = await about(mine, "part", {}, [part]);
    }
    reply = reply && (await about(mine, "read"));
    if (!reply) return;
    stage.innerHTML = reply.html;
    if (!reply.total) {
      tell(stage.textContent);
      return;
    }
    tell(reply.said);
    const start = h("button", { type: "button", class: "irislib-button", onclick: () => predict(mine, reply.total, start) }, texts.table_start);
    stage.append(start);
  }

  async function predict(upload, total, start) {
    let stopped = false;
    const bar = h("progress", { max: total, value: 0, "aria-label": texts.working });
    const count = h("span");
    const cancel = h("button", { type: "button", class: "irislib-quiet" }, texts.table_cancel);
    const line = h("p", { class: "irislib-progress" }, bar, count, cancel);
    cancel.addEventListener("click", () => {
      stopped = true;
      line.replaceWith(start);
      start.focus();
    });
    start.replaceWith(line);
    cancel.focus();
    for (let done = 0; done < total; ) {
      count.textContent = put(texts.table_progress, { done: number(done), total: number(total) });
      const reply = await about(upload, "slice", { start: done });
      if (stopped || !reply) return;
      done = reply.done;
      bar.value = done;
    }
    const reply = await about(upload, "result");
    if (stopped || !reply) return;
    stage.innerHTML = reply.html;
    tell(reply.said);
    const result = h("button", {
      type: "button",
      class: "irislib-button",
      onclick: fetching(ask, "result", (failed) => say(failed, "irislib-message")),
    }, texts.table_result);
    stage.append(result);
    result.focus({ preventScroll: true });
  }

  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = ""; // so that the same file, mended, can be chosen again
    if (file) take(file);
  });
  for (const [event, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    zone.addEventListener(event, (dragged) => {
      dragged.preventDefault();
      zone.classList.toggle("irislib-over", over);
      if (event === "drop" && dragged.dataTransfer.files.length) take(dragged.dataTransfer.files[0]);
    });
  }
  pane.replaceChildren(zone, stage);
}
