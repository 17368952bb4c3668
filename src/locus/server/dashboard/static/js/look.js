// What this browser remembers about the look, in cookies, so that the server renders it right from the first paint.

import { shortcut } from "./shortcuts.js";

const root = document.documentElement;
const NEXT = { "": "light", light: "dark", dark: "" };
const NAMES = { "": "System theme", light: "Light", dark: "Dark" };

export function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${value ? 31536000 : 0}; samesite=lax`;
}

function nextTheme() {
  const theme = NEXT[root.dataset.theme ?? ""];
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  remember("locus-theme", theme);
  for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = NAMES[theme];
}

function fold() {
  const folded = root.dataset.sidebar !== "folded";
  root.dataset.sidebar = folded ? "folded" : "open";
  remember("locus-sidebar", folded ? "folded" : "");
}

function dense() {
  const thick = root.dataset.density !== "dense";
  root.dataset.density = thick ? "dense" : "calm";
  remember("locus-density", thick ? "dense" : "");
  for (const button of document.querySelectorAll("[data-dense]")) button.setAttribute("aria-pressed", thick);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-theme-next]")) nextTheme();
  else if (event.target.closest("[data-fold]")) fold();
  else if (event.target.closest("[data-dense]")) dense();
});
shortcut("[", fold);

// The tab of this page is seen, also where there is no room for all of them.
for (const tab of document.querySelectorAll(".tabs > a[aria-current]")) {
  const { parentElement: tabs, offsetLeft: left, offsetWidth: width } = tab;
  tabs.scrollLeft = left - tabs.offsetLeft - (tabs.clientWidth - width) / 2;
}
