// Keyboard shortcuts: a key, or g and a key, presses the link or button with these `data-keys`. Never while somebody
// types or a dialog is open; they can be turned off for this browser (WCAG 2.1.4).
"use strict";
{
  const PAUSE = 1500; // milliseconds between the two keys
  const OFF = "acr3d-shortcuts-off";
  const dialog = document.getElementById("shortcuts");
  const on = document.getElementById("shortcuts-on");
  let began = -PAUSE; // when g was pressed

  on.checked = localStorage.getItem(OFF) === null;
  on.addEventListener("change", () => {
    if (on.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  document.querySelector("[data-shortcuts]").addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (!on.checked || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const keys = event.timeStamp - began < PAUSE ? `g ${event.key}` : event.key;
    began = keys === "g" ? event.timeStamp : -PAUSE;
    const target = document.querySelector(`[data-keys="${CSS.escape(keys)}"]`);
    if (!target) return;
    event.preventDefault(); // or the search field would get the "/"
    const field = target.hash && document.querySelector(target.hash);
    if (field) field.focus();
    else target.click();
  });
}
