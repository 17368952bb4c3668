// Requests that scripts make themselves: as htmx makes them, so that the server answers both alike.

/** Whether a form of htmx was taken. To htmx an answer whose markup it shows is a success, also a conflict or a refusal. */
export const taken = (event) =>
  event.detail.successful && event.detail.xhr.status < 400 && event.detail.requestConfig.verb !== "get";

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** Send a form's fields. Toasts and redirects of the answer are carried out; the answer is returned. */
export async function post(url, fields) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return told(
    await fetch(url, {
      method: "POST",
      headers: { "HX-Request": "true", "HX-Current-URL": location.href, "X-CSRF-Token": token() },
      body,
      credentials: "same-origin",
    }),
  );
}

/** Carry out what the headers of an answer ask for. */
export function told(answer) {
  const trigger = answer.headers.get("HX-Trigger");
  if (trigger) {
    for (const [name, detail] of Object.entries(JSON.parse(trigger))) {
      document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    }
  }
  const away = answer.headers.get("HX-Redirect");
  if (away) location.assign(away);
  return answer;
}

/** A page as a document; null when it cannot be had. */
export async function page(url, { signal } = {}) {
  const answer = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", signal });
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in")) {
    location.assign(answer.url);
    return null;
  }
  if (!answer.ok) return { status: answer.status, document: null };
  return { status: answer.status, document: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token();
});
