// Sets up <model-viewer>. Runs before its module, which reads the decoder's address once.
"use strict";
{
  const decoder = document.currentScript.dataset.draco;
  self.ModelViewerElement = Object.assign(self.ModelViewerElement || {}, { dracoDecoderLocation: decoder });

  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // Scene Viewer is an Android app. AR in the browser itself is better where it exists.
  const mayHaveSceneViewer = /android/i.test(navigator.userAgent) && !/firefox|oculus/i.test(navigator.userAgent);

  function offerSceneViewer(frame, model) {
    const link = frame.querySelector("[data-scene-viewer]");
    if (link && mayHaveSceneViewer) link.hidden = model.canActivateAR === true;
  }

  function setUp(frame) {
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

  function setUpAll(root) {
    for (const frame of root.querySelectorAll(".viewer:not([data-state])")) {
      frame.dataset.state = "waiting";
      setUp(frame);
    }
  }

  setUpAll(document);
  document.addEventListener("htmx:load", (event) => setUpAll(event.target.parentElement || document));
}
