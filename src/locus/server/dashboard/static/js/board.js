// The board: cards are dragged, or moved with keys, and slide when somebody else moves them.

import "./filters.js";
import "./board_keys.js";
import { ask } from "./asks.js";
import { refresh } from "./live.js";
import { post } from "./send.js";

const board = document.getElementById("board");
const heard = document.getElementById("said");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const listOf = (card) => card.closest(".cards");
const takes = (card, list) =>
  list.dataset.lane === listOf(card).dataset.lane &&
  (list.dataset.status === card.dataset.status || card.dataset.to.split(" ").includes(list.dataset.status));

/** Where a card stands, to be told to the server as its way back. */
export const placeOf = (card) => ({ next: card.nextElementSibling, previous: card.previousElementSibling });

/** Ask the server to put a card where it is shown now. `was` is its place before. */
export async function settle(card, list, was) {
  const beside = (one) => (one?.classList.contains("card") ? one.dataset.key : "");
  const fields = {
    key: card.dataset.key,
    status: list.dataset.status,
    before: beside(card.nextElementSibling),
    after: beside(card.previousElementSibling),
    was_before: beside(was?.next),
    was_after: beside(was?.previous),
  };
  try {
    await post(board.dataset.move, fields);
  } catch {
    document.body.dispatchEvent(
      new CustomEvent("locus:toast", { detail: { text: "The server does not answer. Nothing was moved.", tone: "refused" } }),
    );
  }
  refresh("board", "sprint-mark", "nav");
}

function sortable(list) {
  if (list.sortable || !window.Sortable) return;
  let was = null;
  list.sortable = window.Sortable.create(list, {
    group: { name: "cards", put: (to, _from, card) => takes(card, to.el) },
    draggable: ".card[data-to]",
    filter: ".card-more",
    preventOnFilter: false,
    animation: still.matches ? 0 : 120,
    ghostClass: "ghost",
    dragClass: "dragged",
    delay: 180,
    delayOnTouchOnly: true,
    touchStartThreshold: 4,
    fallbackTolerance: 4,
    onStart: ({ item }) => {
      was = placeOf(item);
      document.body.dataset.dragging = "";
      for (const other of board.querySelectorAll(".cards")) other.classList.add(takes(item, other) ? "takes" : "refuses");
    },
    onEnd: ({ item, to, from, oldIndex, newIndex }) => {
      delete document.body.dataset.dragging;
      for (const other of board.querySelectorAll(".cards")) other.classList.remove("takes", "refuses");
      if (to !== from || oldIndex !== newIndex) settle(item, to, was);
      else refresh("board");
    },
  });
}

function prepare() {
  for (const list of board.querySelectorAll(".cards")) sortable(list);
}

// The click that ends a drag must not open the card.
board.addEventListener("dragend", (event) => event.preventDefault());

// A card that changes its column slides there and is marked for a moment.
document.addEventListener("locus:before-morph", (event) => {
  if (event.target !== board) return;
  event.detail.before = new Map(
    [...board.querySelectorAll(".card")].map((card) => [card.id, { box: card.getBoundingClientRect(), list: listOf(card).id }]),
  );
});
document.addEventListener("locus:after-morph", (event) => {
  if (event.target.id !== "board") return;
  prepare();
  const before = event.detail.before ?? new Map();
  if (!before.size) return;
  const changed = [];
  for (const card of board.querySelectorAll(".card")) {
    const was = before.get(card.id);
    const elsewhere = was ? was.list !== listOf(card).id : true;
    if (!elsewhere) continue;
    changed.push(card);
    if (was && !still.matches) slide(card, was.box);
  }
  if (changed.length > 12) return; // another filter, not a move
  for (const card of changed) {
    card.classList.add("moved");
    setTimeout(() => card.classList.remove("moved"), 2000);
    heard.textContent = `${card.dataset.key}: ${listOf(card).closest("section").getAttribute("aria-label")}`;
  }
});

function slide(card, from) {
  const to = card.getBoundingClientRect();
  const by = `translate(${from.left - to.left}px, ${from.top - to.top}px)`;
  card.animate([{ transform: by, zIndex: 5 }, { transform: "none", zIndex: 5 }], { duration: 150, easing: "ease-out" });
}

document.addEventListener("click", (event) => {
  const mover = event.target.closest("[data-moves]");
  if (mover) ask(`${document.getElementById("frame").dataset.workspace}/tasks/${mover.dataset.moves}/move`);
  const tab = event.target.closest("[data-column-tab]");
  if (tab) {
    board.querySelector(`.cards[data-status="${tab.dataset.columnTab}"]`)?.closest(".column").scrollIntoView({ inline: "start", block: "nearest" });
    for (const one of board.querySelectorAll("[data-column-tab]")) one.setAttribute("aria-pressed", one === tab);
  }
});

prepare();
