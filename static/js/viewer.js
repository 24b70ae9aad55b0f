// <model-viewer> on our pages. Runs before its module, which reads the decoder's address once.
"use strict";
{
  const decoder = document.currentScript.dataset.draco;
  self.ModelViewerElement = Object.assign(self.ModelViewerElement || {}, { dracoDecoderLocation: decoder });

  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // Scene Viewer is an app of Android's; where the browser has AR of its own, that one is better.
  const mayHaveSceneViewer = /android/i.test(navigator.userAgent) && !/firefox|oculus/i.test(navigator.userAgent);

  function offerSceneViewer(frame, model) {
    const link = frame.querySelector("[data-scene-viewer]");
    if (link && mayHaveSceneViewer) link.hidden = model.canActivateAR === true;
  }

  function attend(frame) {
    const model = frame.querySelector("model-viewer");
    const bar = frame.querySelector("progress");
    if (still.matches) model.setAttribute("interaction-prompt", "none");
    model.addEventListener("progress", (event) => { bar.value = event.detail.totalProgress; });
    model.addEventListener("load", () => { frame.dataset.state = "shown"; offerSceneViewer(frame, model); });
    model.addEventListener("camera-change", (event) => {
      if (event.detail.source === "user-interaction") frame.dataset.touched = "yes";
    });
    model.addEventListener("error", () => {
      frame.dataset.state = "failed";
      bar.hidden = true;
      offerSceneViewer(frame, model);
      frame.querySelector(".viewer-problem").hidden = false;
    });
  }

  function attendAll(root) {
    for (const frame of root.querySelectorAll(".viewer:not([data-state])")) {
      frame.dataset.state = "waiting";
      attend(frame);
    }
  }

  attendAll(document);
  document.addEventListener("htmx:load", (event) => attendAll(event.target.parentElement || document));
}
