// The backlog: tasks are dragged into a place, or chosen and changed together.

import { post } from "./send.js";
import { refresh } from "./live.js";
import { shortcut } from "./shortcuts.js";

const backlog = document.getElementById("backlog");
const bulk = document.getElementById("bulk");
const boxes = () => [...document.querySelectorAll('#backlog input[name="task"]')];
const kept = new Set(); // the keys that are ticked, over every morph
let last = null;

function count() {
  if (!bulk) return;
  const many = boxes().filter((box) => box.checked).length;
  bulk.hidden = many === 0;
  bulk.querySelector("[data-count]").textContent = many === 1 ? "1 task" : `${many} tasks`;
}

function tick(box, on) {
  box.checked = on;
  if (on) kept.add(box.id);
  else kept.delete(box.id);
  box.closest(".task-row")?.classList.toggle("chosen", on);
}

document.addEventListener("change", (event) => {
  const box = event.target.closest('#backlog input[name="task"]');
  if (!box) return;
  tick(box, box.checked);
  last = box;
  count();
});

// Shift chooses everything in between.
document.addEventListener("click", (event) => {
  const box = event.target.closest('#backlog input[name="task"]');
  if (!box || !event.shiftKey || !last?.isConnected) return;
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
  for (const one of all.slice(from, to + 1)) tick(one, box.checked);
});

bulk?.addEventListener("click", (event) => {
  if (event.target.closest("[data-none]")) none();
});

function none() {
  for (const box of boxes()) tick(box, false);
  bulk?.reset();
  count();
}

document.addEventListener("htmx:afterRequest", (event) => {
  const path = event.detail.requestConfig?.path ?? "";
  if (event.detail.successful && /\/backlog\/(move|delete)$/.test(path)) none();
});

shortcut("x", () => {
  const row = document.activeElement?.closest(".task-row") ?? document.querySelector(".task-row:hover");
  const box = row?.querySelector('input[name="task"]');
  if (!box) return false;
  box.click();
  return true;
});

// Alt and an arrow moves the task that has the focus.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
  const row = event.target.closest?.(".task-row");
  if (!row) return;
  event.preventDefault();
  const down = event.key === "ArrowDown";
  const beside = down ? row.nextElementSibling : row.previousElementSibling;
  const lists = [...document.querySelectorAll(".task-rows")];
  const list = row.parentElement;
  if (beside) place(row, list, { [down ? "after" : "before"]: beside });
  else {
    const other = lists[lists.indexOf(list) + (down ? 1 : -1)];
    if (!other) return;
    const edge = down ? other.firstElementChild : other.lastElementChild;
    place(row, other, edge ? { [down ? "before" : "after"]: edge } : {});
  }
});

async function place(row, list, { before, after }) {
  const fields = { task: row.dataset.id, sprint: list.dataset.sprint };
  const anchor = before ?? after;
  if (anchor) {
    fields[before ? "before" : "after"] = anchor.dataset.id;
    fields.priority = anchor.dataset.priority;
  }
  try {
    await post(backlog.dataset.move, fields);
  } finally {
    refresh("backlog");
  }
}

function sortable() {
  if (!window.Sortable || !bulk) return;
  for (const list of document.querySelectorAll(".task-rows")) {
    if (list.dataset.sortable) continue;
    list.dataset.sortable = "yes";
    window.Sortable.create(list, {
      group: "tasks",
      draggable: ".task-row:not([data-held])",
      handle: ".grip, .task-row-link",
      delay: 120,
      delayOnTouchOnly: true,
      animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      emptyInsertThreshold: 24,
      onStart: () => (document.body.dataset.dragging = ""),
      onEnd: ({ item, to, from, oldIndex, newIndex }) => {
        delete document.body.dataset.dragging;
        if (to === from && oldIndex === newIndex) return;
        const before = item.nextElementSibling;
        const after = item.previousElementSibling;
        place(item, to, after ? { after } : before ? { before } : {});
      },
    });
  }
}

document.addEventListener("locus:after-morph", () => {
  for (const box of boxes()) {
    if (kept.has(box.id)) tick(box, true);
  }
  sortable();
  count();
});
window.addEventListener("DOMContentLoaded", sortable);
sortable();
count();
