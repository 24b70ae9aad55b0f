// The gallery of a part: thumbnails, arrows and arrow keys bring a slide into view without scrolling the page.
// Without this script, the thumbnails are plain links to the photos.
"use strict";
for (const stage of document.querySelectorAll(".stage")) {
  const strip = stage.querySelector(".strip");
  const links = [...stage.querySelectorAll(".thumb")];
  const slides = strip ? [...strip.children] : [];
  let current = 0;

  const bring = (place) => {
    const slide = slides[Math.max(0, Math.min(place, slides.length - 1))];
    strip.scrollTo({ left: slide.offsetLeft - strip.offsetLeft });
  };

  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      bring(slides.findIndex((slide) => `#${slide.id}` === link.hash));
      history.replaceState(null, "", link.hash);
    });
  }

  const arrows = stage.querySelector(".arrows");
  if (arrows) {
    arrows.hidden = false;
    arrows.querySelector("[data-previous]").addEventListener("click", () => bring(current - 1));
    arrows.querySelector("[data-next]").addEventListener("click", () => bring(current + 1));
  }
  strip?.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target !== strip) return;
    event.preventDefault();
    bring(current + step);
  });

  const mark = (slide) => {
    current = slides.indexOf(slide);
    for (const link of links) {
      const isCurrent = link.hash === `#${slide.id}`;
      if (isCurrent) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      const row = link.closest(".thumbs");
      if (isCurrent) row.scrollTo({ left: link.offsetLeft - row.offsetLeft - row.clientWidth / 2 });
    }
  };
  const watcher = new IntersectionObserver(
    (entries) => entries.forEach((entry) => { if (entry.isIntersecting) mark(entry.target); }),
    { root: strip, threshold: 0.6 },
  );
  if (links.length) slides.forEach((slide) => watcher.observe(slide));
}
