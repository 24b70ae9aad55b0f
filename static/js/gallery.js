// The gallery of a part: a thumbnail scrolls the strip without scrolling the page. Without this script, the
// thumbnails are plain links to the photos.
"use strict";
for (const stage of document.querySelectorAll(".stage")) {
  const strip = stage.querySelector(".strip");
  const links = [...stage.querySelectorAll(".thumb")];
  const slides = strip ? [...strip.children] : [];

  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const slide = document.getElementById(link.hash.slice(1));
      strip.scrollTo({ left: slide.offsetLeft - strip.offsetLeft });
      history.replaceState(null, "", link.hash);
    });
  }

  const mark = (slide) => links.forEach((link) => {
    if (link.hash === `#${slide.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
  const watcher = new IntersectionObserver(
    (entries) => entries.forEach((entry) => { if (entry.isIntersecting) mark(entry.target); }),
    { root: strip, threshold: 0.6 },
  );
  if (links.length) slides.forEach((slide) => watcher.observe(slide));
}
