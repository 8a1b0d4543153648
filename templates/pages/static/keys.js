"use strict";
// Keys of the desk, and the palette. Everything they do is on the page as a link or a button as well.
const OFF = "dateline.keys.off";
const AFTER_G_MS = 1500;
const palette = document.getElementById("palette");
const help = document.getElementById("keys");
let afterG = 0;

function kept(value) {
  try {
    if (value === undefined) return localStorage.getItem(OFF) === "1";
    localStorage.setItem(OFF, value ? "1" : "");
  } catch {
    // a browser that keeps nothing: the keys act
  }
  return false;
}

function typing(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog") !== null;
}

function open() {
  if (!palette.open) palette.showModal();
  const words = document.getElementById("palette-words");
  words.select();
  htmx.trigger(words, "palette-open");
}

function search() {
  const field = document.querySelector("main input[type=search]");
  if (field === null) open();
  else field.focus();
}

function decide() {
  const button = document.querySelector("main [data-key=a], main button.main");
  if (button === null) return;
  button.scrollIntoView({ block: "center" });
  button.focus();
}

function go(key) {
  document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click();
}

function single(event) {
  const key = event.key;
  const follows = Date.now() < afterG;
  afterG = 0;
  if (follows) go(key);
  else if (key === "g") afterG = Date.now() + AFTER_G_MS;
  else if (key === "/") search();
  else if (key === "a") decide();
  else if (key === "?") help.showModal();
  else return;
  event.preventDefault();
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const places = [document.getElementById("palette-words"), ...palette.querySelectorAll(".found a")];
  const at = places.indexOf(document.activeElement);
  places[Math.min(Math.max(at + step, 0), places.length - 1)].focus();
  event.preventDefault();
}

if (palette !== null) {
  const button = document.getElementById("open-palette");
  button.hidden = false;
  button.addEventListener("click", open);
  palette.addEventListener("keydown", walk);
  palette.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    palette.querySelector(".found a")?.click();
  });
  const letters = document.getElementById("keys-on");
  letters.checked = !kept();
  letters.addEventListener("change", () => kept(!letters.checked));
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      open();
    } else if (letters.checked && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      single(event);
    }
  });
}
