// A form with data-confirms="<question> <what follows from it>" is sent once a person has said yes, in a dialog of ours.
// The button that says yes says what the form's own button says; data-keeps is what the other one says.

const agreed = new WeakSet();

function button(text, kind) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `button ${kind}`;
  made.textContent = text;
  return made;
}

function ask(form, presser) {
  const [, question, rest] = form.dataset.confirms.match(/^(.*?\?)\s*(.*)$/s) ?? [null, form.dataset.confirms, ""];
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", "confirm-title");
  const head = document.createElement("div");
  head.className = "dialog-head";
  const title = document.createElement("h2");
  title.id = "confirm-title";
  title.textContent = question;
  head.append(title);
  const body = document.createElement("div");
  body.className = "dialog-body";
  if (rest) {
    const said = document.createElement("p");
    said.id = "confirm-said";
    said.textContent = rest;
    dialog.setAttribute("aria-describedby", said.id);
    body.append(said);
  }
  const buttons = document.createElement("div");
  buttons.className = "buttons end";
  const no = button(form.dataset.keeps ?? "Cancel", "");
  const yes = button(presser?.textContent.trim() || "Yes", "danger");
  buttons.append(no, yes);
  body.append(buttons);
  dialog.append(head, body);
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    dialog.close();
    agreed.add(form);
    if (form.isConnected) form.requestSubmit(presser?.isConnected ? presser : undefined);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
}

// Before everything else that listens to a form being sent.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (!form.dataset.confirms || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, event.submitter);
  },
  true,
);
