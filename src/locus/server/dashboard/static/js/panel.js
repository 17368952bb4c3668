// The panel from the right: links with data-panel open there, over the page, and have an address of their own.

import { address } from "./live.js";
import { page } from "./send.js";
import { toast } from "./toasts.js";

const panel = document.getElementById("panel");
const title = document.title;
let opener = null;
let asked = 0;

/** Whether this page shows things beside itself; the page of a task is one already. */
const beside = () => panel && !document.querySelector("#content #task");

async function open(url) {
  const mine = (asked += 1);
  panel.setAttribute("aria-busy", "true");
  let found = null;
  try {
    found = await page(url);
  } catch {
    // The answer is told below.
  }
  if (mine !== asked) return false;
  panel.removeAttribute("aria-busy");
  const task = found?.document?.getElementById("task");
  if (!task) {
    toast({
      text: found?.status === 404 ? "This task is gone, or you may not see it." : "The task cannot be shown now. Try again.",
      tone: "refused",
    });
    return false;
  }
  panel.replaceChildren(document.adoptNode(task));
  window.htmx.process(panel);
  panel.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  panel.scrollTop = 0;
  document.title = found.document.title;
  mark(task.dataset.key);
  panel.querySelector("h1, [data-heading]")?.focus({ preventScroll: true });
  return true;
}

function mark(key) {
  for (const card of document.querySelectorAll(".card.open")) card.classList.remove("open");
  if (key) document.getElementById(`card-${key}`)?.classList.add("open");
}

function clear() {
  asked += 1;
  panel.replaceChildren();
  document.title = title;
  mark(null);
  const back = opener?.isConnected ? opener : opener?.id && document.getElementById(opener.id);
  back?.focus({ preventScroll: true });
  opener = null;
}

/** Close the panel, if one is open over a page. */
export function close() {
  if (!panel?.children.length) return false;
  if (history.state?.panel) history.back();
  else {
    history.replaceState(null, "", address());
    clear();
  }
  return true;
}

if (panel) {
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-closes-panel]")) {
      if (beside() && close()) event.preventDefault();
      return;
    }
    const link = event.target.closest("a[data-panel]");
    if (!link || !beside() || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const url = link.getAttribute("href");
    if (!panel.contains(link)) opener = link;
    if (await open(url)) {
      const state = { panel: url };
      if (history.state?.panel) history.replaceState(state, "", url);
      else history.pushState(state, "", url);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open.menu")) return;
    if (event.target.closest?.("input, textarea, select")) event.target.blur();
    else if (beside()) close();
  });
  window.addEventListener("popstate", (event) => {
    if (event.state?.panel) open(event.state.panel);
    else if (panel.children.length) clear();
  });
  panel.addEventListener("locus:gone", () => {
    toast({ text: "This task has been deleted.", tone: "said" });
    close();
  });
  document.addEventListener("locus:after-morph", (event) => {
    if (event.target.id === "board") mark(panel.querySelector("#task")?.dataset.key);
  });
}
