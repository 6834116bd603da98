// What a tab shows, as a widget of its own: HTML that Python has made.

export default {
  render({ model, el }) {
    const content = h("div", { "aria-live": "polite" });
    const pane = h("div", { class: "irislib-pane" }, content);
    const root = h("div", { class: "irislib irislib-part" }, h("div", { class: "irislib-side" }, pane));
    const show = () => {
      content.innerHTML = model.get("html");
      requestAnimationFrame(() => markScrolling(pane));
    };
    show();
    keepKeys(root);
    el.append(root);
    const sizes = new ResizeObserver(() => markScrolling(pane));
    sizes.observe(root);
    model.on("change:html", show);
    return () => {
      model.off("change:html", show);
      sizes.disconnect();
    };
  },
};
