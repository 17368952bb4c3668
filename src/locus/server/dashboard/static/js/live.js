// The page follows the workspace: events come as they happen, and each marks the parts of the page that show it as old.
//
// A part is an element with an id and data-live="<prefixes of kinds>"; data-live-task narrows it to one task's events.
// It is fetched again from data-live-url, or from the address of the page, and morphed.

import { morph } from "./morph.js";
import { page } from "./send.js";

const GATHER = 25; // ms in which events that come together become one look
const BREATH = 250; // ms between two looks
const AGAIN = [500, 1000, 2000, 5000, 10000]; // ms before the next attempt to connect
const SILENCE = 40000; // ms without a sign of life after which a connection is taken for dead; the server says one in 15 s
const LOOK = 60000; // ms after which parts are read again in any case: times grow old too
const PULSE = 8000; // ms, while something shows what an agent is doing just now

const frame = document.getElementById("frame");
const offline = document.getElementById("offline");
const stale = new Set();
let last = Number(frame?.dataset.seq ?? 0);
let gathering = null;
let looking = false;
let failures = 0;
let connection = null;

/** The address of the page under a panel, with its filters. */
export function address() {
  return frame?.dataset.url || location.pathname + location.search;
}

/** Read parts again: those with these ids, or all. */
export function refresh(...ids) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    if (!ids.length || ids.includes(part.id)) stale.add(part.id);
  }
  gather(0);
}

function concerns(part, kind, event) {
  if (part.dataset.liveTask && part.dataset.liveTask !== event.task_id) return false;
  return part.dataset.live.split(" ").some((prefix) => kind.startsWith(prefix));
}

function happened(kind, event) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    if (concerns(part, kind, event)) stale.add(part.id);
  }
  document.body.dispatchEvent(new CustomEvent("locus:event", { detail: { kind, event } }));
  if (stale.size) gather(GATHER);
}

function gather(wait) {
  gathering ??= setTimeout(look, wait);
}

async function look() {
  if (looking || document.body.dataset.dragging !== undefined) {
    gathering = setTimeout(look, BREATH);
    return;
  }
  looking = true;
  gathering = null;
  const byUrl = Map.groupBy(
    [...stale].map((id) => document.getElementById(id)).filter(Boolean),
    (part) => part.dataset.liveUrl || address(),
  );
  stale.clear();
  for (const [url, parts] of byUrl) await update(url, parts);
  looking = false;
  if (stale.size) gathering ??= setTimeout(look, BREATH);
}

async function update(url, parts) {
  let found;
  try {
    found = await page(url);
  } catch {
    for (const part of parts) stale.add(part.id);
    return;
  }
  for (const part of parts) {
    if (document.body.dataset.dragging !== undefined) {
      stale.add(part.id);
      continue;
    }
    const wanted = found?.document?.getElementById(part.id);
    if (wanted && part.isConnected) morph(part, wanted);
    else if (found?.status === 404) part.dispatchEvent(new CustomEvent("locus:gone", { bubbles: true }));
  }
}

async function* frames(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    rest += value;
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const fields = {};
      for (const line of part.split("\n")) {
        const at = line.indexOf(": ");
        if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
      }
      yield fields;
    }
  }
}

async function listen() {
  const stop = new AbortController();
  connection = stop;
  let death;
  const alive = () => {
    clearTimeout(death);
    death = setTimeout(() => stop.abort(), SILENCE);
  };
  try {
    alive();
    const answer = await fetch(`${frame.dataset.stream}?after=${last}`, {
      headers: { Accept: "text/event-stream" },
      credentials: "same-origin",
      signal: stop.signal,
    });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      location.reload(); // signed out, or no longer a member: the page itself says so
      return false;
    }
    if (answer.status === 409) {
      last = 0; // the server has another history than this page
      location.reload();
      return false;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    connected();
    for await (const { id, event, data } of frames(answer.body, alive)) {
      if (id) last = Number(id);
      if (event) happened(event, JSON.parse(data));
    }
  } catch {
    // The reason does not matter: whatever it was, the next attempt continues after the last event that was seen.
  } finally {
    clearTimeout(death);
    if (connection === stop) connection = null;
  }
  return true;
}

function connected() {
  if (failures) refresh();
  failures = 0;
  offline.hidden = true;
  frame.dataset.follows = "on";
}

async function follow() {
  while (document.visibilityState === "visible") {
    if (!(await listen())) return;
    if (document.visibilityState !== "visible") break;
    frame.dataset.follows = "off";
    const wait = AGAIN[Math.min(failures, AGAIN.length - 1)];
    failures += 1;
    if (failures > 1) offline.hidden = false;
    await new Promise((resolve) => {
      const done = setTimeout(resolve, wait * (0.75 + Math.random() / 2));
      window.addEventListener("online", () => (clearTimeout(done), resolve()), { once: true });
    });
  }
}

let following = null;

function start() {
  following ??= follow().finally(() => (following = null));
}

if (frame?.dataset.stream) {
  frame.dataset.url = location.pathname + location.search;
  document.addEventListener("visibilitychange", () => {
    // A page that nobody sees needs no connection; when it is seen again, it reads on where it was.
    if (document.visibilityState === "visible") start();
    else connection?.abort();
  });
  window.addEventListener("pagehide", () => connection?.abort());
  window.addEventListener("offline", () => {
    offline.hidden = false;
    connection?.abort();
  });
  setInterval(() => document.visibilityState === "visible" && refresh(), LOOK);
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    const parts = [...document.querySelectorAll("[data-live][id]")].filter((part) => part.querySelector("[data-pulse]"));
    if (parts.length) refresh(...parts.map((part) => part.id));
  }, PULSE);
  start();
}

// What this page changes itself is shown at once, without waiting for the event.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig.verb !== "get") refresh();
});
