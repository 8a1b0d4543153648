"use strict";
// Shows a form's letter in the frame beside it while one types; without it the button does.
const PAUSE_MS = 700;

for (const form of document.querySelectorAll("form[data-look]")) {
  const button = document.getElementById(form.dataset.look);
  let waiting = 0;
  const show = () => form.requestSubmit(button);
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE_MS);
  });
  show();
}
