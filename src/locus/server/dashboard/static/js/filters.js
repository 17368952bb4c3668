// Filters: a form whose fields are the address of the page. The part that it filters is morphed as one types.

import { morph } from "./morph.js";
import { page } from "./send.js";

const form = document.querySelector("[data-filters]");
const frame = document.getElementById("frame");
const PARTS = ["chosen", "board"];
let timer;
let running;

function query() {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) wanted.append(name, value);
  const text = wanted.toString();
  return location.origin + base() + (text ? `?${text}` : "");
}

const base = () => new URL(frame.dataset.url, location.origin).pathname;

async function apply() {
  clearTimeout(timer);
  running?.abort();
  const mine = (running = new AbortController());
  const url = query();
  const short = url.slice(location.origin.length);
  try {
    const found = await page(url, { signal: mine.signal });
    if (mine.signal.aborted || !found?.document) return;
    frame.dataset.url = short;
    if (!history.state?.panel) history.replaceState(null, "", short);
    for (const id of PARTS) {
      const [old, wanted] = [document.getElementById(id), found.document.getElementById(id)];
      if (old && wanted) morph(old, wanted);
    }
    const cards = document.querySelectorAll("#board .card").length;
    document.getElementById("said").textContent = `${cards} ${cards === 1 ? "task" : "tasks"} shown`;
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

form?.addEventListener("input", (event) => {
  clearTimeout(timer);
  timer = setTimeout(apply, event.target.type === "search" ? 160 : 0);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  apply();
});
document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-unfilter]");
  if (!chip) return;
  event.preventDefault();
  for (const field of form.querySelectorAll(`[name="${chip.dataset.unfilter}"]`)) {
    if (field.type === "radio") field.checked = field.value === "";
    else if (field.value === chip.dataset.value) field.checked = false;
  }
  apply();
});
