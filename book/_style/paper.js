// Paper is light: whoever prints from a dark page gets the colours of a light one.
(() => {
  const page = document.documentElement;
  let before;
  addEventListener("beforeprint", () => { before = page.dataset.theme; page.dataset.theme = "light"; });
  addEventListener("afterprint", () => { page.dataset.theme = before; });
})();
