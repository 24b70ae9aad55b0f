// Staff mark a point of the model in the preview: a click on it, or the point in the middle of the view.
"use strict";
{
  const viewerOf = (editor) => editor.closest("#preview").querySelector("[data-viewer]");

  // The live model; it is loaded first if only the poster is there.
  async function model(frame) {
    frame.querySelector("[data-start]")?.click();
    while (frame.dataset.state === "loading") await new Promise((resolve) => { setTimeout(resolve, 100); });
    return frame.dataset.state === "shown" ? frame.querySelector("model-viewer") : null;
  }

  function take(editor, live, x, y) {
    const point = live.positionAndNormalFromPoint(x, y);
    if (!point) return;
    const form = editor.querySelector("form");
    form.elements.position.value = point.position.toString();
    form.elements.normal.value = point.normal.toString();
    live.querySelector("[slot=hotspot-new]")?.remove();
    const mark = Object.assign(document.createElement("span"), { slot: "hotspot-new", className: "hotspot", textContent: "+" });
    Object.assign(mark.dataset, { position: form.elements.position.value, normal: form.elements.normal.value });
    live.append(mark);
    form.hidden = false;
    form.elements.title.focus();
  }

  async function place(editor) {
    const live = await model(viewerOf(editor));
    if (!live) return;
    for (const one of editor.querySelectorAll("[data-placing], [data-middle]")) one.hidden = false;
    live.autoRotate = false;
    if (live.dataset.placing) return;
    live.dataset.placing = "yes";
    let pressed;
    live.addEventListener("pointerdown", (event) => { pressed = event; });
    live.addEventListener("click", (event) => {
      const isDrag = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > 5;
      if (!isDrag) take(editor, live, event.clientX, event.clientY);
    });
    editor.querySelector("[data-middle]").addEventListener("click", () => {
      const { left, top, width, height } = live.getBoundingClientRect();
      take(editor, live, left + width / 2, top + height / 2);
    });
  }

  document.addEventListener("click", (event) => {
    const editor = event.target.closest("[data-place]")?.closest("[data-hotspots]");
    if (editor) place(editor);
  });
}
