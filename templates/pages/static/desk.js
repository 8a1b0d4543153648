"use strict";
// Keeps the progress of a send current; without it the page is right as of its loading.
const EVERY_MS = 2000;
const MOST_LOOKS = 7200;
const box = document.querySelector("[data-progress]");

function typing() {
  return document.activeElement instanceof HTMLInputElement;
}

async function look(count) {
  let live = true;
  if (!document.hidden) {
    try {
      const answer = await fetch(box.dataset.progress, { redirect: "error" });
      if (answer.ok) {
        box.innerHTML = await answer.text();
        live = box.querySelector("[data-live]") !== null;
      }
    } catch {
      // away for a moment, or signed out: what stands there stays, and the next look may answer
    }
  }
  if (!live && !typing()) {
    location.reload();
  } else if (live && count < MOST_LOOKS) {
    setTimeout(look, EVERY_MS, count + 1);
  }
}

if (box !== null && box.querySelector("[data-live]") !== null) {
  setTimeout(look, EVERY_MS, 1);
}
