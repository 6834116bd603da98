// Whole tables: a CSV file goes to Python in parts, is looked at, predicted slice by slice, and comes back.

const PART = 500000; // a server takes messages of ten megabytes at most; small ones keep the page alive

function makeTable(ask, texts, limit, pane) {
  const stage = h("div", { class: "irislib-stage", "aria-live": "polite" });
  const input = h("input", { type: "file", accept: ".csv,text/csv", class: "irislib-away", id: `irislib-table-${++views}` });
  const fetchTemplate = async () => {
    const failed = await download(ask, "template");
    if (failed) say(failed, "irislib-message");
  };
  const zone = h(
    "div",
    { class: "irislib-drop" },
    h("p", {}, put(texts.table_intro, { rows: limit.rows.toLocaleString("en"), size: megabytes(limit.bytes) })),
    h("p", { class: "irislib-buttons" },
      input,
      h("label", { for: input.id, class: "irislib-button" }, texts.table_choose),
      h("button", { type: "button", class: "irislib-quiet", onclick: fetchTemplate }, texts.table_template)),
  );
  let turn = 0; // a newer file, or Cancel, puts an end to what goes on

  const say = (words, kind = "") => stage.replaceChildren(h("p", { class: kind }, words));

  async function take(file) {
    const mine = ++turn;
    if (file.size > limit.bytes) {
      say(put(texts.table_too_big, { name: file.name, size: megabytes(file.size), limit: megabytes(limit.bytes) }), "irislib-message");
      return;
    }
    say(put(texts.table_reading, { name: file.name }));
    let reply = await ask("table_begin", { name: file.name });
    for (let at = 0; at < file.size && !reply.failed && mine === turn; at += PART) {
      reply = await ask("table_part", {}, [await file.slice(at, at + PART).arrayBuffer()]);
    }
    if (mine !== turn) return;
    if (!reply.failed) reply = await ask("table_read");
    if (mine !== turn) return;
    if (reply.failed) {
      say(reply.failed, "irislib-message");
      return;
    }
    stage.innerHTML = reply.html;
    if (reply.total) stage.append(h("button", { type: "button", class: "irislib-button", onclick: () => predict(reply.total) }, reply.start));
  }

  async function predict(total) {
    const mine = ++turn;
    const bar = h("progress", { max: total, value: 0, "aria-label": texts.table_progress });
    // Told by hand, not by the live region around it: nobody wants to hear every step.
    const count = h("span", { "aria-hidden": "true" });
    const stop = () => {
      turn += 1;
      line.remove();
      start.hidden = false;
    };
    const line = h("p", { class: "irislib-progress" }, bar, count, h("button", { type: "button", class: "irislib-quiet", onclick: stop }, texts.table_cancel));
    const start = stage.querySelector(":scope > button");
    start.hidden = true;
    stage.append(line);
    for (let done = 0; done < total; ) {
      count.textContent = put(texts.table_progress, { done: done.toLocaleString("en"), total: total.toLocaleString("en") });
      const reply = await ask("table_slice", { start: done });
      if (mine !== turn) return;
      if (reply.failed) {
        say(reply.failed, "irislib-message");
        return;
      }
      done = reply.done;
      bar.value = done;
    }
    const reply = await ask("table_result");
    if (mine !== turn) return;
    if (reply.failed) {
      say(reply.failed, "irislib-message");
      return;
    }
    stage.innerHTML = reply.html;
    const fetchResult = async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      const failed = await download(ask, "result");
      button.disabled = false;
      if (failed) say(failed, "irislib-message");
    };
    stage.append(h("button", { type: "button", class: "irislib-button", onclick: fetchResult }, texts.table_result));
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
