// Reorders photos, by dragging or with the buttons. Both send the list of ids, and the response holds the photos
// as they are now, since someone else may have moved them too.
"use strict";
{
  const announce = document.getElementById("announce");
  let wanted = null; // the latest order that has not been sent yet
  let sending = false;

  const tiles = () => document.getElementById("tiles");
  const order = () => [...tiles().querySelectorAll(".tile")].map((tile) => tile.dataset.id);

  function makeSortable() {
    const list = tiles();
    if (!list || Sortable.get(list) || !list.querySelector(".tile-grip")) return;
    Sortable.create(list, {
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 160,
      handle: ".tile-photo",
      ghostClass: "is-ghost",
      delay: 150,
      delayOnTouchOnly: true,
      onEnd: (event) => { if (event.oldIndex !== event.newIndex) moved(event.item); },
    });
  }

  function moved(tile) {
    const ids = order();
    const place = ids.indexOf(tile.dataset.id) + 1;
    announce.textContent = tiles().dataset.moved.replace("{place}", place).replace("{count}", ids.length);
    wanted = ids;
    send();
  }

  async function send() {
    if (sending || !wanted) return;
    sending = true;
    const ids = wanted;
    wanted = null;
    await htmx.ajax("POST", tiles().dataset.order, { values: { id: ids }, target: "#photos", swap: "outerHTML" });
    sending = false;
    send();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    const tile = button.closest(".tile");
    const other = button.dataset.move === "1" ? tile.nextElementSibling : tile.previousElementSibling;
    if (!other) return;
    if (button.dataset.move === "1") other.after(tile);
    else other.before(tile);
    button.focus();
    moved(tile);
  });

  // Which photos a person chose for the model; what the server suggests must not undo that.
  const chosen = new Map();
  document.addEventListener("change", (event) => {
    if (event.target.name === "use") chosen.set(event.target.value, event.target.checked);
    if (event.target.name === "engine") showPrice();
  });
  function keepChoice() {
    for (const box of document.querySelectorAll("input[name=use]")) {
      if (chosen.has(box.value)) box.checked = chosen.get(box.value);
    }
  }
  function showPrice() {
    const engine = document.querySelector("input[name=engine]:checked");
    const price = document.querySelector("[data-price]:not(input)");
    if (engine && price) price.textContent = engine.dataset.price;
  }

  // A deleted photo takes the focused button with it: move the focus to the photo in its place.
  let deletedPlace = 0;
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { requestConfig, elt } = event.detail;
    if (requestConfig.verb === "delete") deletedPlace = order().indexOf(elt.closest(".tile")?.dataset.id);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.verb !== "delete" || document.activeElement !== document.body) return;
    const buttons = tiles()?.querySelectorAll("[hx-delete]") ?? [];
    (buttons[Math.min(deletedPlace, buttons.length - 1)] ?? document.getElementById("chooser")).focus();
  });

  // While a newer order waits to be sent, an older response would make the photos jump back and forth.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answersOrder = event.detail.pathInfo?.requestPath === tiles()?.dataset.order;
    if (answersOrder && wanted && event.detail.xhr.status === 200) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:load", () => { makeSortable(); keepChoice(); showPrice(); });
  makeSortable();
}
