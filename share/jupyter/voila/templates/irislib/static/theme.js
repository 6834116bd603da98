// Light or dark: the browser's setting, or the reader's choice. In the head, so that no page flashes.
(() => {
  const root = document.documentElement;
  const key = "irislib-theme";
  let chosen = "";
  try {
    chosen = localStorage.getItem(key) ?? "";
  } catch {} // without storage the choice lasts as long as the page
  root.dataset.irislib = document.currentScript.dataset.page;
  root.dataset.irislibTheme = chosen;
  document.addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("irislib-theme");
    if (!select) return;
    select.value = chosen;
    select.addEventListener("change", () => {
      root.dataset.irislibTheme = select.value;
      try {
        localStorage.setItem(key, select.value);
      } catch {}
    });
  });
})();
