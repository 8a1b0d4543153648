"use strict";
// Says what one is editing with the page's beat (hx-post of #here), at once when that changes; a hidden tab says nothing.
const here = document.getElementById("here");

if (here !== null) {
  const at = here.querySelector("input[name=part]");
  const say = (part) => {
    if (at.value !== part) {
      at.value = part;
      here.dispatchEvent(new Event("seen"));
    }
  };
  document.addEventListener("focusin", (event) => {
    const part = event.target.closest("[data-part]");
    say(part === null || event.target.closest("button, a, summary") !== null ? "" : part.dataset.part);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      here.dispatchEvent(new Event("seen"));
    }
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt === here) {
      event.preventDefault();
    }
  });
}
