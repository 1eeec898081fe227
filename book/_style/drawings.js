// Beside the files of a figure, a link that saves its drawing as SVG, in the colours of a light page.
addEventListener("DOMContentLoaded", () => {
  const asFile = (drawing) =>
    new XMLSerializer().serializeToString(drawing).replace(/var\(--c([0-9a-f]{6})\)/g, "#$1");

  for (const files of document.querySelectorAll(".figure-files")) {
    const figure = files.closest("figure"), drawing = figure?.querySelector("svg.drawing");
    if (!drawing) continue;
    const link = Object.assign(document.createElement("a"), { textContent: "SVG", href: "#", download: `${figure.id}.svg` });
    link.addEventListener("click", () => {
      link.href = URL.createObjectURL(new Blob([asFile(drawing)], { type: "image/svg+xml" }));
    });
    files.append(link);
  }
});
