"use strict";
// Drags a story to a place of a block, by the form that the buttons beside it post too; keys and fingers have the buttons.
const form = document.getElementById("dragged");
const marks = ["drop-before", "drop-last"];
let dragged = null;

const storyAt = (block, y) =>
  [...block.querySelectorAll(".picks > [data-story]")].find((one) => {
    const box = one.getBoundingClientRect();
    return one !== dragged && y < box.top + box.height / 2;
  });

const clear = () => {
  for (const one of document.querySelectorAll(".drop-before, .drop-last")) {
    one.classList.remove(...marks);
  }
};

const equip = () => {
  for (const story of document.querySelectorAll("[data-story]:not(:has(.grip))")) {
    const grip = document.createElement("span");
    grip.className = "grip";
    grip.draggable = true;
    grip.title = "Drag to a place";
    grip.setAttribute("aria-hidden", "true");
    grip.textContent = "⠿";
    (story.querySelector(":scope > .place") ?? story.firstElementChild).append(grip);
  }
};

const place = (block, before) => {
  const stays = before === undefined ? null : before;
  const next = dragged.nextElementSibling;
  if (dragged.closest("[data-block]") === block && stays === next) {
    return;
  }
  form.elements.article.value = dragged.dataset.story;
  form.elements.stood.value = dragged.dataset.stood;
  form.elements.block.value = block.dataset.block;
  form.elements.before.value = before === undefined ? "" : before.dataset.story;
  form.requestSubmit();
};

if (form !== null && matchMedia("(hover: hover) and (pointer: fine)").matches) {
  document.addEventListener("dragstart", (event) => {
    const grip = event.target.closest?.(".grip") ?? null;
    dragged = grip === null ? null : grip.closest("[data-story]");
    if (dragged !== null) {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", dragged.dataset.story);
      event.dataTransfer.setDragImage(dragged, 0, 0);
    }
  });
  document.addEventListener("dragover", (event) => {
    clear();
    const block = dragged === null ? null : event.target.closest("[data-block]");
    if (block !== null) {
      event.preventDefault();
      const before = storyAt(block, event.clientY);
      (before ?? block).classList.add(before === undefined ? "drop-last" : "drop-before");
    }
  });
  document.addEventListener("drop", (event) => {
    const block = dragged === null ? null : event.target.closest("[data-block]");
    if (block !== null) {
      event.preventDefault();
      place(block, storyAt(block, event.clientY));
    }
  });
  document.addEventListener("dragend", () => {
    clear();
    dragged = null;
  });
  document.addEventListener("htmx:afterSettle", equip);
  equip();
}
