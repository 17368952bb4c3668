// Keys of the board: arrows go from card to card, Alt and arrows move the card, m asks where to.

import { ask } from "./asks.js";
import { placeOf, settle } from "./board.js";
import { shortcut } from "./shortcuts.js";

const board = document.getElementById("board");
const here = () => document.activeElement?.closest?.(".card");
const lists = (lane) => [...lane.querySelectorAll(".cards")];

function focus(card) {
  const link = card?.querySelector(".card-link");
  link?.focus();
  link?.scrollIntoView({ block: "nearest", inline: "nearest" });
  return card !== undefined && card !== null;
}

function beside(card, step) {
  const all = lists(card.closest(".lane"));
  let at = all.indexOf(card.closest(".cards")) + step;
  while (all[at] && !all[at].querySelector(".card")) at += step;
  const row = [...card.parentElement.querySelectorAll(".card")].indexOf(card);
  const there = all[at]?.querySelectorAll(".card") ?? [];
  return there[Math.min(row, there.length - 1)];
}

const NEXT = {
  ArrowDown: (card) => card.nextElementSibling,
  ArrowUp: (card) => card.previousElementSibling,
  ArrowRight: (card) => beside(card, 1),
  ArrowLeft: (card) => beside(card, -1),
};

function move(card, key) {
  const list = card.closest(".cards");
  const was = placeOf(card);
  if (!card.dataset.to) return;
  if (key === "ArrowDown" && card.nextElementSibling) card.nextElementSibling.after(card);
  else if (key === "ArrowUp" && card.previousElementSibling) card.previousElementSibling.before(card);
  else if (key === "ArrowLeft" || key === "ArrowRight") {
    const all = lists(card.closest(".lane"));
    const step = key === "ArrowRight" ? 1 : -1;
    let at = all.indexOf(list) + step;
    while (all[at] && !card.dataset.to.split(" ").includes(all[at].dataset.status)) at += step;
    if (!all[at]) return;
    all[at].prepend(card);
  } else return;
  focus(card);
  settle(card, card.closest(".cards"), was);
}

board.addEventListener("keydown", (event) => {
  const card = event.target.closest(".card");
  if (!card || !(event.key in NEXT) || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (event.altKey || event.shiftKey) move(card, event.key);
  else focus(NEXT[event.key](card));
});

shortcut("j", () => focus(here()?.nextElementSibling ?? board.querySelector(".card")));
shortcut("k", () => focus(here()?.previousElementSibling ?? board.querySelector(".card")));
shortcut("m", () => {
  const card = here();
  if (card?.dataset.to === undefined) return false;
  ask(`${document.getElementById("frame").dataset.workspace}/tasks/${card.dataset.key}/move`);
  return true;
});
