// Swipes the model over the photo of the same side.
"use strict";
for (const range of document.querySelectorAll(".swipe input")) {
  const picture = range.closest(".review-side").querySelector("[data-swipe]");
  range.addEventListener("input", () => {
    picture.querySelector(".swipe-photo").removeAttribute("hidden");
    picture.querySelector("clipPath rect").setAttribute("width", (picture.dataset.swipe * range.value) / 100);
  });
}
