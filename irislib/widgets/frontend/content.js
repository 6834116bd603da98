// What a tab shows, as a widget of its own: HTML that Python has made.

export default {
  render({ model, el }) {
    const content = h("div");
    const liveRegion = h("p", { class: "irislib-away", role: "status" });
    const pane = h("div", { class: "irislib-pane" }, content);
    const root = h("div", { class: "irislib irislib-part" }, h("div", { class: "irislib-side" }, pane), liveRegion);
    const show = () => {
      content.innerHTML = model.get("html");
      widenLoneCards(root);
      requestAnimationFrame(() => markScrolling(pane));
    };
    // Screen readers hear the first sentence of what is new.
    const change = () => {
      show();
      liveRegion.textContent = content.querySelector("p")?.textContent ?? "";
    };
    show();
    keepKeys(root);
    el.append(root);
    const sizes = new ResizeObserver(() => markScrolling(pane));
    sizes.observe(root);
    model.on("change:html", change);
    return () => {
      model.off("change:html", change);
      sizes.disconnect();
    };
  },
};
