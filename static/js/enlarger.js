// Enlarges the photos of a part: in a dialog, with arrows, swipes, and a zoom that scrolls.
"use strict";
{
  const dialog = document.querySelector(".enlarger");
  const links = [...document.querySelectorAll("[data-enlarge]")];
  const view = dialog.querySelector(".enlarger-view");
  const picture = view.querySelector("img");
  const zoomButton = dialog.querySelector("[data-zoom]");
  const SWIPE = 50; // pixels
  let current = 0;
  let pressedAt;

  function zoom(isZoomed, event) {
    view.classList.toggle("is-zoomed", isZoomed);
    zoomButton.setAttribute("aria-pressed", isZoomed);
    if (!isZoomed) return;
    const across = event ? event.offsetX / event.target.clientWidth : 0.5;
    const down = event ? event.offsetY / event.target.clientHeight : 0.5;
    view.scrollTo(across * view.scrollWidth - view.clientWidth / 2, down * view.scrollHeight - view.clientHeight / 2);
  }

  function show(place) {
    current = (place + links.length) % links.length;
    const shown = links[current].querySelector("img");
    zoom(false);
    picture.src = links[current].href;
    picture.alt = shown.alt;
    dialog.querySelector(".enlarger-caption").textContent = `${shown.alt} · ${current + 1}/${links.length}`;
  }

  const isZoomed = () => view.classList.contains("is-zoomed");

  links.forEach((link, place) => link.addEventListener("click", (event) => {
    event.preventDefault();
    show(place);
    dialog.showModal();
  }));
  dialog.querySelector("[data-previous]").addEventListener("click", () => show(current - 1));
  dialog.querySelector("[data-next]").addEventListener("click", () => show(current + 1));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  zoomButton.addEventListener("click", () => zoom(!isZoomed()));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" && !isZoomed()) show(current - 1);
    if (event.key === "ArrowRight" && !isZoomed()) show(current + 1);
    if (event.key === "+" || event.key === "-") zoom(event.key === "+");
  });
  dialog.addEventListener("close", () => links[current].focus());
  view.addEventListener("pointerdown", (event) => { pressedAt = event.clientX; });
  view.addEventListener("click", (event) => {
    const moved = event.clientX - pressedAt;
    if (Math.abs(moved) > SWIPE) {
      if (!isZoomed()) show(current - Math.sign(moved));
    } else if (event.target === picture) zoom(!isZoomed(), event);
  });
  picture.draggable = false;
}
