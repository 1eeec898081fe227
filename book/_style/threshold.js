// The diagram of the threshold tau: what goes to X and U for another threshold or another epoch, and its steps one by one.
(() => {
  const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
  const share = (part, whole, what) => (whole ? `${Math.round((100 * part) / whole)} % of labels ${what}` : "no labels");
  const density = (x, [mean, deviation, weight]) =>
    (weight / (deviation * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * ((x - mean) / deviation) ** 2);
  const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

  function said([xRight, xWrong, uWrong, uRight]) {
    return {
      kept: `${thousands(xRight + xWrong)} windows`,
      wrong: share(xWrong, xRight + xWrong, "wrong"),
      erased: `${thousands(uRight + uWrong)} windows`,
      right: share(uRight, uRight + uWrong, "right"),
    };
  }

  function draw(svg, epoch, tau, part) {
    const rule = svg.querySelector(".tau").getBBox(), bins = [...svg.querySelectorAll(".bin")];
    const { top, floor, full } = svg.frame ??= frame(svg), high = floor - top;
    const all = epoch.counts.reduce((a, b) => a + b), tallest = Math.max(...epoch.counts);
    const height = (count) => high * Math.sqrt(Math.min(1, count / tallest));
    bins.forEach((bin, i) => {
      const h = height(epoch.counts[i]);
      bin.setAttribute("y", floor - h);
      bin.setAttribute("height", h);
      bin.classList.toggle("clean", epoch.clean[i] >= tau);
      bin.classList.toggle("noisy", epoch.clean[i] < tau);
    });
    const wide = rule.width, grid = Array.from({ length: 101 }, (_, i) => i / 100);
    svg.querySelectorAll(".gaussian").forEach((curve, k) => curve.setAttribute("d", path(
      grid.map((x) => [wide * x, floor - height((density(x, epoch.gaussians[k]) * all) / bins.length)]))));
    const omega = epoch.clean.map((p, i) => [(wide * (i + 0.5)) / bins.length, floor - high * p]);
    svg.querySelector(".omega").setAttribute("d", path([[0, omega[0][1]], ...omega, [wide, omega.at(-1)[1]]]));
    const y = floor - high * tau;
    svg.querySelector(".tau").setAttribute("d", path([[0, y], [wide, y]]));
    svg.querySelector(".at-tau").setAttribute("y", y + 4);
    const total = part.reduce((a, b) => a + b);
    let x = 0;
    svg.querySelectorAll(".part").forEach((bar, k) => {
      const w = (full * part[k]) / total;
      bar.setAttribute("x", x);
      bar.setAttribute("width", w);
      x += w;
    });
    for (const [name, text] of Object.entries(said(part))) svg.querySelector(`.says-${name}`).textContent = text;
  }

  function frame(svg) { // of the plot: where a clean probability of 1 is, and where 0 is; and how long the bar is
    const numbers = (selector, ...names) => [...svg.querySelectorAll(selector)].map(
      (element) => names.reduce((sum, name) => sum + +element.getAttribute(name), 0));
    const full = numbers(".part", "width").reduce((a, b) => a + b);
    return { top: Math.min(...numbers(".bin", "y")), floor: Math.max(...numbers(".bin", "y", "height")), full };
  }

  for (const figure of document.querySelectorAll(".diagram.threshold")) {
    const { epochs, thresholds } = JSON.parse(figure.querySelector("script").textContent);
    const slider = (name) => figure.querySelector(`input[name=${name}]`);
    const update = () => {
      const epoch = epochs[+slider("epoch").value], t = +slider("threshold").value, tau = thresholds[t];
      const words = said(epoch.parts[t]);
      for (const [name, text] of [["threshold", tau], ["epoch", epoch.epoch]]) {
        slider(name).setAttribute("aria-valuetext", text);
        slider(name).parentElement.querySelector("output").textContent = text;
      }
      figure.querySelectorAll(":scope > svg").forEach((svg) => draw(svg, epoch, tau, epoch.parts[t]));
      figure.querySelector(".said").textContent =
        `Epoch ${epoch.epoch}, τ = ${tau}: clean set ${words.kept}, ${words.wrong}; noisy set ${words.erased}, ${words.right}.`;
    };
    figure.querySelector(".controls").hidden = false;
    for (const name of ["threshold", "epoch"]) slider(name).addEventListener("input", update);
    for (const step of figure.querySelectorAll("input[type=radio]"))
      step.addEventListener("change", () => { figure.dataset.step = step.value; });
  }
})();
