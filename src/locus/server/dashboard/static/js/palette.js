// Search and commands in one field: Ctrl+K.

import { open } from "./dialogs.js";
import { page } from "./send.js";

const WAIT = 90; // ms after the last key before the server is asked
const dialog = document.getElementById("palette");
const field = dialog?.querySelector("input");
const list = document.getElementById("palette-list");
const none = document.getElementById("palette-none");
const SAFE = new Set(["create", "theme", "shortcuts"]);
let timer;
let asking = null;

const options = () => [...list.querySelectorAll(".palette-option:not([hidden])")];

function choose(option) {
  for (const one of list.querySelectorAll('[aria-selected="true"]')) one.setAttribute("aria-selected", "false");
  if (!option) {
    field.removeAttribute("aria-activedescendant");
    return;
  }
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", option.id);
}

const chosen = () => list.querySelector('[aria-selected="true"]:not([hidden])');

function narrow() {
  const words = field.value.trim().toLowerCase();
  for (const option of list.querySelectorAll("#palette-commands .palette-option")) {
    option.hidden = !option.textContent.toLowerCase().includes(words);
  }
  choose(options()[0]);
}

async function find() {
  asking?.abort();
  const mine = (asking = new AbortController());
  const words = field.value.trim();
  if (options().length) none.hidden = true;
  const place = () => document.getElementById("palette-found");
  if (!words) {
    place().replaceChildren();
    none.hidden = true;
    return;
  }
  let found = null;
  try {
    found = await page(`${dialog.dataset.find}?text=${encodeURIComponent(words)}`, { signal: mine.signal });
  } catch {
    return; // a newer question, or no server: what is shown stays
  }
  const wanted = found?.document?.getElementById("palette-found");
  if (!wanted || mine.signal.aborted) return;
  place().replaceWith(document.adoptNode(wanted));
  if (!chosen()) choose(options()[0]);
  none.hidden = options().length > 0;
}

function act(option) {
  const command = option.dataset.command;
  if (command && SAFE.has(command)) {
    dialog.close();
    if (command === "shortcuts") open("shortcuts");
    if (command === "theme") document.querySelector("[data-theme-next]")?.click();
    if (command === "create") {
      const button = document.querySelector("[data-creates]");
      if (button) button.click();
      else location.assign(option.href);
    }
    return;
  }
  location.assign(option.href);
}

function show() {
  if (!dialog || dialog.open) return;
  field.value = "";
  narrow();
  find();
  open("palette");
}

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      show();
    }
  });
  document.addEventListener("click", (event) => event.target.closest("[data-palette]") && show());
  field.addEventListener("input", () => {
    narrow();
    clearTimeout(timer);
    timer = setTimeout(find, WAIT);
  });
  field.addEventListener("keydown", (event) => {
    const all = options();
    const now = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(all[(now + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = chosen();
      if (option) act(option);
      else location.assign(`${dialog.dataset.all}?text=${encodeURIComponent(field.value.trim())}`);
    }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest(".palette-option");
    if (!option || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    act(option);
  });
}
