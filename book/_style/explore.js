// Draws the figures that a page carries as data, in the colours of its theme, with controls that a keyboard reaches, and
// moves a line along a song as it plays.
(() => {
  const plotly = new URL("plotly.min.js", document.currentScript.src).href; // which lies beside this script
  const dark = () => document.documentElement.dataset.theme === "dark";
  const colours = () => {
    const [ink, grid] = dark() ? ["#ced6dd", "#3a3f46"] : ["#222832", "#e3e6ea"];
    const axis = { color: ink, gridcolor: grid, zerolinecolor: grid };
    return { ink, axis };
  };

  function themed(layout) {
    const { ink, axis } = colours();
    const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
    const changes = { "font.color": ink, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
    for (const name of axes) for (const key in axis) changes[`${name}.${key}`] = axis[key];
    return changes;
  }

  function dressed(layout) {
    for (const [key, value] of Object.entries(themed(layout))) {
      const steps = key.split("."), last = steps.pop();
      steps.reduce((within, step) => (within[step] ??= {}), layout)[last] = value;
    }
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger that scrolls the page must not zoom
    return layout;
  }

  function follow(plot, player) {
    const line = (seconds) => ({
      type: "line", xref: "x", yref: "paper", x0: seconds, x1: seconds, y0: 0, y1: 1, line: { color: colours().ink, width: 2 },
    });
    const fixed = (plot.layout.shapes || []).slice();
    const move = () => {
      Plotly.relayout(plot, { shapes: [...fixed, line(player.currentTime)] });
      if (!player.paused) setTimeout(() => requestAnimationFrame(move), 60);
    };
    for (const event of ["play", "seeked", "pause"]) player.addEventListener(event, move);
    plot.on("plotly_click", ({ points }) => { player.currentTime = Math.max(0, points[0].x); });
  }

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const press = (button, pressed) => button.setAttribute("aria-pressed", pressed);
  const colourOf = ({ marker, line }) => [marker?.color, line?.color].find((colour) => typeof colour === "string");
  const MARKS = "●■◆✚✖▲▼◀▶"; // as plotly numbers its symbols

  // Plotly draws its buttons and legend as a picture; these are elements of the page that do the same.
  function controls(place, { data, layout }) {
    let shown = data.map(({ visible }) => visible ?? true);
    const hidden = new Set();
    const update = () => Plotly.restyle(place, { visible: data.map(({ name }, i) => shown[i] && !hidden.has(name)) });
    const choose = ({ args }) => { shown = args[0].visible; update(); };
    const box = element("div", { className: "controls" });
    for (const { buttons } of layout.updatemenus ?? []) {
      const all = buttons.map((step, i) => {
        const button = element("button", { type: "button" }, step.label);
        button.onclick = () => { all.forEach((other) => press(other, other === button)); choose(step); };
        press(button, i === 0);
        return button;
      });
      box.append(element("div", { className: "choices" }, ...all));
    }
    const named = new Map(data.filter(({ name, showlegend }) => name && showlegend !== false).map((one) => [one.name, one]));
    const entries = named.size < 2 ? [] : [...named].map(([name, trace]) => {
      const mark = element("span", { ariaHidden: "true" }, MARKS[trace.marker?.symbol] ?? MARKS[1]);
      mark.style.color = colourOf(trace);
      const button = element("button", { type: "button" }, mark, ` ${name}`);
      button.onclick = () => {
        if (!hidden.delete(name)) hidden.add(name);
        press(button, !hidden.has(name));
        update();
      };
      press(button, true);
      return button;
    });
    if (entries.length) box.append(element("div", { className: "legend" }, ...entries));
    delete layout.updatemenus;
    layout.showlegend = false;
    return box;
  }

  async function draw(place, figure) {
    if (place.previousElementSibling?.matches(".controls")) place.previousElementSibling.remove();
    place.replaceChildren();
    place.before(controls(place, figure));
    await Plotly.newPlot(place, figure.data, dressed(figure.layout), { responsive: true, displayModeBar: false });
    const player = place.parentElement.querySelector("audio");
    if (player) follow(place, player);
  }

  const plots = () => [...document.querySelectorAll(".explore .plot")];
  const inSight = (plot) => { const { top, bottom } = plot.getBoundingClientRect(); return bottom > 0 && top < innerHeight; };
  const idle = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));
  const load = (src) => new Promise((onload, onerror) => document.head.append(element("script", { src, onload, onerror })));

  // The page comes first; then plotly, and one figure after the other, those in sight before the rest.
  async function drawAll() {
    const waiting = plots().filter((plot) => plot.querySelector("script"));
    if (waiting.length) await load(plotly);
    while (waiting.length) {
      await idle();
      const [plot] = waiting.splice(Math.max(0, waiting.findIndex(inSight)), 1);
      await draw(plot, JSON.parse(plot.querySelector("script").textContent));
    }
  }
  addEventListener("load", drawAll);
  window.explore = { draw }; // for figures that a page makes itself
  new MutationObserver(() => plots().forEach((plot) => plot.layout && Plotly.relayout(plot, themed(plot.layout)))).observe(
    document.documentElement, { attributes: true, attributeFilter: ["data-theme"] },
  );
})();
