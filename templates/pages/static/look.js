"use strict";
// Shows a form's letter in the frame beside it while one types; without it the button does. A problem leads to its line.
const PAUSE_MS = 700;

for (const form of document.querySelectorAll("form[data-look]")) {
  const button = document.getElementById(form.dataset.look);
  let waiting = 0;
  const show = () => form.requestSubmit(button);
  document.addEventListener("input", (event) => {
    if (event.target.form === form) {
      clearTimeout(waiting);
      waiting = setTimeout(show, PAUSE_MS);
    }
  });
  show();
}

document.addEventListener("click", (event) => {
  const to = event.target.closest("[data-line]");
  const area = to === null ? null : document.getElementById(to.dataset.of);
  if (area === null) {
    return;
  }
  const lines = area.value.split("\n");
  const line = Math.min(Number(to.dataset.line), lines.length) - 1;
  const start = lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + lines[line].length);
  area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 4);
});
