// The tab for CSV files: a file is uploaded in parts, previewed, predicted slice by slice, and downloaded.

const PART_BYTES = 500000; // servers take messages of at most ten megabytes; small ones keep the page responsive

class CsvTab {
  constructor(request, texts, limit, announce, decorate, pane) {
    Object.assign(this, { request, texts, limit, announce, decorate });
    this.upload = 0; // number of the latest file, which ends the upload and the prediction of earlier ones
    this.output = h("div", { class: "irislib-stage" });
    pane.replaceChildren(this.createDropZone(), this.output);
  }

  createDropZone() {
    const { texts, limit } = this;
    const input = h("input", { type: "file", accept: ".csv,.tsv,.txt,.xlsx,.parquet,text/csv", class: "irislib-away", id: uniqueId() });
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that the same file, corrected, can be chosen again
      if (file) this.open(file);
    });
    const zone = h("div", { class: "irislib-drop" },
      h("p", {}, formatText(texts.table_intro, { kinds: limit.kinds, rows: this.formatCount(limit.rows), size: formatMegabytes(limit.bytes) })),
      h("p", { class: "irislib-buttons" },
        input,
        h("label", { for: input.id, class: "irislib-button" }, texts.table_choose),
        this.createDownloadButton("template", "irislib-quiet", texts.table_template)));
    for (const event of ["dragenter", "dragover", "dragleave", "drop"]) {
      zone.addEventListener(event, (dragged) => {
        dragged.preventDefault();
        zone.classList.toggle("irislib-over", event === "dragenter" || event === "dragover");
        if (event === "drop" && dragged.dataTransfer.files.length) this.open(dragged.dataTransfer.files[0]);
      });
    }
    return zone;
  }

  createDownloadButton(file, className, text) {
    return h("button", { type: "button", class: className, onclick: downloadHandler(this.request, file, (error) => this.showError(error)) }, text);
  }

  formatCount(count) {
    return count.toLocaleString(this.texts.language);
  }

  showMessage(text, className = "") {
    const hadFocus = this.output.contains(document.activeElement); // it is lost with the button that is replaced
    const message = h("p", { class: className, tabindex: -1 }, text);
    this.output.replaceChildren(message);
    if (hadFocus) message.focus({ preventScroll: true });
    this.announce(text);
  }

  showError(message) {
    this.showMessage(message, "irislib-message");
    return null;
  }

  // Sends a request about an upload; returns null once there is a newer one.
  async send(upload, method, parameters = {}, buffers = []) {
    const reply = upload === this.upload ? await this.request(method, { ...parameters, upload }, buffers) : null;
    if (upload !== this.upload) return null;
    return reply.error ? this.showError(reply.error) : reply;
  }

  async open(file) {
    const { texts, limit } = this;
    const upload = ++this.upload;
    if (file.size > limit.bytes) {
      this.showError(formatText(texts.table_too_big, { name: file.name, size: formatMegabytes(file.size), limit: formatMegabytes(limit.bytes) }));
      return;
    }
    this.showMessage(formatText(texts.table_reading, { name: file.name }));
    if (!(await this.sendFile(upload, file))) return;
    const reply = await this.send(upload, "read_csv");
    if (!reply) return;
    const hadFocus = this.output.contains(document.activeElement);
    this.output.innerHTML = reply.html;
    this.announce(reply.announcement ?? this.output.textContent);
    if (!reply.total) return;
    const start = h("button", { type: "button", class: "irislib-button", onclick: () => this.predict(upload, reply.total, start) }, texts.table_start);
    this.output.append(start);
    if (hadFocus) start.focus({ preventScroll: true });
  }

  async sendFile(upload, file) {
    let reply = await this.send(upload, "begin_csv", { name: file.name });
    for (const [start, end] of sliceRanges(file.size, PART_BYTES)) {
      if (!reply) break;
      const part = await file.slice(start, end).arrayBuffer().catch(() => null);
      if (!part) return this.showError(this.texts.file_unreadable);
      reply = await this.send(upload, "append_csv", {}, [part]);
    }
    return reply;
  }

  async predict(upload, total, start) {
    const progress = new Progress(start, total, this.texts);
    for (let done = 0; done < total; ) {
      progress.show(done, formatText(this.texts.table_progress, { done: this.formatCount(done), total: this.formatCount(total) }));
      const reply = await this.send(upload, "predict_csv", { start: done });
      if (progress.stopped || !reply) {
        progress.end();
        return;
      }
      done = reply.done;
    }
    const reply = await this.send(upload, "finish_csv");
    if (progress.stopped || !reply) {
      progress.end();
      return;
    }
    this.output.innerHTML = reply.html;
    this.announce(reply.announcement);
    this.decorate(this.output);
    if (reply.rows) this.addRows(upload, reply.rows);
    const result = this.createDownloadButton("result", "irislib-button", this.texts.table_result);
    this.output.prepend(result);
    result.focus({ preventScroll: true });
  }

  // Shows predicted rows, and the choices of which of them and in what order.
  addRows(upload, { filters, orders, html }) {
    const { texts } = this;
    const list = h("div", { class: "irislib-stage" });
    const show = (rows) => {
      list.innerHTML = rows;
      for (const table of list.querySelectorAll("[data-sortable]")) makeSortable(table);
      this.decorate(list);
    };
    let latest = 0; // number of the latest choice, which makes replies to earlier ones void
    const update = async () => {
      const chosen = ++latest;
      const reply = await this.request("csv_rows", { upload, filter: filter.value, order: order.value });
      if (upload !== this.upload || chosen !== latest) return;
      if (reply.error) list.replaceChildren(h("p", { class: "irislib-message", role: "alert" }, reply.error));
      else show(reply.html);
      this.announce(reply.announcement ?? "");
    };
    const select = (options) => h("select", { onchange: update }, ...options.map(([value, text]) => h("option", { value }, text)));
    const [filter, order] = [select(filters), select(orders)];
    const choice = (name, element) => h("label", {}, name, element);
    this.output.append(
      h("div", { class: "irislib-picker" }, choice(texts.table_show, filter), orders.length > 1 ? choice(texts.table_order, order) : null),
      list);
    show(html);
  }
}

// Lets a visitor sort the rows of a table by the column whose name is pressed, and back the other way.
function makeSortable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    const sort = () => {
      const isAscending = cell.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => compareCells(a.cells[column].textContent, b.cells[column].textContent, decimalSign(pageLanguage())));
      body.append(...(isAscending ? rows : rows.reverse()));
    };
    cell.replaceChildren(h("button", { type: "button", class: "irislib-sort", onclick: sort }, [...cell.childNodes]));
  });
}
