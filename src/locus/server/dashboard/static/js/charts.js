// A place on a chart says what it is when it is pointed at, or reached with the arrow keys.

function show(chart, index) {
  const svg = chart.querySelector("svg");
  const stops = JSON.parse(svg.dataset.stops);
  const cursor = svg.querySelector(".cursor");
  const says = chart.querySelector(".chart-says");
  if (index === null || !stops.length) {
    cursor.setAttribute("visibility", "hidden");
    says.textContent = "";
    delete svg.dataset.index;
    return;
  }
  const at = Math.max(0, Math.min(stops.length - 1, index));
  svg.dataset.index = at;
  cursor.setAttribute("transform", `translate(${stops[at]} 0)`);
  cursor.setAttribute("visibility", "visible");
  says.textContent = JSON.parse(svg.dataset.says)[at];
}

function nearest(svg, clientX) {
  const box = svg.getBoundingClientRect();
  const x = ((clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const stops = JSON.parse(svg.dataset.stops);
  let best = 0;
  stops.forEach((stop, index) => {
    if (Math.abs(stop - x) < Math.abs(stops[best] - x)) best = index;
  });
  return best;
}

document.addEventListener("pointermove", (event) => {
  const svg = event.target.closest?.("[data-chart] svg");
  if (svg) show(svg.closest("[data-chart]"), nearest(svg, event.clientX));
});
document.addEventListener("pointerout", (event) => {
  const svg = event.target.closest?.("[data-chart] svg");
  if (svg && !svg.contains(event.relatedTarget)) show(svg.closest("[data-chart]"), null);
});
document.addEventListener("focusout", (event) => {
  const chart = event.target.matches?.("[data-chart] svg") && event.target.closest("[data-chart]");
  if (chart) show(chart, null);
});
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-chart] svg")) return;
  const stops = JSON.parse(event.target.dataset.stops);
  const now = Number(event.target.dataset.index ?? stops.length - 1);
  const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: stops.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  show(event.target.closest("[data-chart]"), to);
});
