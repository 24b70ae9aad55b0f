// The 3D stage: shows the poster, and loads <model-viewer> and the model over it once somebody asks for them.
// Whatever fails, the poster stays and a sentence says so.
"use strict";
{
  const { draco, element, integrity } = document.currentScript.dataset;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const isPhone = matchMedia("(max-width: 40rem) and (pointer: coarse)");
  const HOVER_MS = 250; // shorter is a mouse on its way to somewhere else

  // Angles around from the front and down from the top, as <model-viewer> takes them.
  const CAMERAS = {
    front: "0deg 90deg", right: "90deg 90deg", back: "180deg 90deg", left: "270deg 90deg", top: "0deg 0deg", bottom: "0deg 180deg",
  };

  // Scene Viewer is an Android app. AR in the browser itself is better where it exists.
  const mayHaveSceneViewer = /android/i.test(navigator.userAgent) && !/firefox|oculus/i.test(navigator.userAgent);

  // Apple's AR opens from a link that holds nothing but a picture.
  const hasQuickLook = document.createElement("a").relList.supports("ar");
  function openQuickLook(file) {
    const link = Object.assign(document.createElement("a"), { rel: "ar", href: file });
    link.append(document.createElement("img"));
    link.click();
  }

  let elementScript;
  // The element's module, loaded once a page; it reads the decoder's address when it starts.
  function loadElement() {
    self.ModelViewerElement = Object.assign(self.ModelViewerElement || {}, { dracoDecoderLocation: draco });
    elementScript ||= new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { type: "module", src: element });
      if (integrity) Object.assign(script, { integrity, crossOrigin: "anonymous" });
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
    return elementScript;
  }

  function canDraw() {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  }

  class Stage {
    constructor(frame) {
      this.frame = frame;
      this.picture = frame.querySelector(".viewer-picture");
      this.start = frame.querySelector("[data-start]");
      this.bar = frame.querySelector("progress");
      this.tools = frame.querySelector("[data-tools]");
      this.sceneViewer = frame.querySelector("[data-scene-viewer]");
      frame.dataset.state = "waiting";
      this.light = isPhone.matches ? frame.dataset.light : undefined;
      if (this.light) this.sayLightSize();
      this.start.hidden = false;
      this.start.addEventListener("click", () => this.load());
      this.loadOnHover();
      if (this.sceneViewer) this.sceneViewer.hidden = !mayHaveSceneViewer;
      this.quickLook = frame.querySelector("[data-quick-look]");
      if (this.quickLook) this.quickLook.hidden = !hasQuickLook;
      this.quickLook?.addEventListener("click", () => openQuickLook(this.quickLook.dataset.quickLook));
    }

    sayLightSize() {
      this.start.querySelector("[data-bytes]").hidden = true;
      this.start.querySelector("[data-light-bytes]").hidden = false;
    }

    loadOnHover() {
      if (navigator.connection?.saveData) return;
      let timer;
      this.picture.addEventListener("pointerenter", (event) => {
        if (event.pointerType === "mouse") timer = setTimeout(() => this.load(), HOVER_MS);
      });
      this.picture.addEventListener("pointerleave", () => clearTimeout(timer));
    }

    async load() {
      if (this.frame.dataset.state !== "waiting") return;
      this.wasFocused = document.activeElement === this.start;
      this.start.hidden = true;
      if (!canDraw()) return this.fail("no-webgl");
      this.frame.dataset.state = "loading";
      this.bar.hidden = false;
      try {
        await loadElement();
      } catch {
        return this.fail("not-loaded");
      }
      this.show(this.frame.querySelector("template").content.cloneNode(true));
    }

    show(content) {
      const model = this.model = content.querySelector("model-viewer");
      this.full = model.getAttribute("src");
      if (this.light) model.setAttribute("src", this.light);
      model.addEventListener("progress", (event) => { this.bar.value = event.detail.totalProgress; });
      model.addEventListener("error", (event) => this.fail(event.detail.type === "webglcontextlost" ? "stopped" : "not-loaded"));
      model.addEventListener("poster-dismissed", () => this.shown());
      model.addEventListener("camera-change", (event) => {
        if (event.detail.source === "user-interaction") this.touched();
      });
      this.picture.append(content);
    }

    shown() {
      if (this.frame.dataset.state !== "loading") return;
      this.frame.dataset.state = "shown";
      this.bar.hidden = true;
      this.tools.hidden = false;
      if (this.sceneViewer) this.sceneViewer.hidden = !mayHaveSceneViewer || this.model.canActivateAR === true;
      if (this.quickLook) this.quickLook.hidden = !hasQuickLook || this.model.canActivateAR === true;
      this.showHotspots();
      this.connectTools();
      if (!still.matches) this.turn(true);
      if (this.wasFocused) this.focusModel();
    }

    // The element places them with its next picture, and a model that does not turn gets none.
    showHotspots() {
      for (const { slot, dataset } of this.model.querySelectorAll("button.hotspot")) {
        this.model.updateHotspot({ name: slot, position: dataset.position, normal: dataset.normal });
      }
    }

    // The element takes no focus itself: the part of it that reads the keys does.
    focusModel() {
      this.model.shadowRoot.querySelector("[tabindex='0']")?.focus();
    }

    fail(problem) {
      this.frame.dataset.state = "failed";
      this.model?.remove();
      this.start.hidden = this.bar.hidden = this.tools.hidden = true;
      this.frame.querySelector(`[data-problem=${problem}]`).hidden = false;
    }

    touched() {
      this.frame.dataset.touched = "yes";
      if (this.model.autoRotate) this.turn(false);
    }

    connectTools() {
      const press = (selector, action) => this.tools.querySelector(selector)?.addEventListener("click", action);
      const first = Object.fromEntries(["camera-orbit", "camera-target", "field-of-view"].map((name) => [name, this.model.getAttribute(name) || "auto auto auto"]));
      for (const button of this.tools.querySelectorAll("[data-side]")) {
        button.addEventListener("click", () => this.look({ "camera-orbit": `${CAMERAS[button.dataset.side]} auto` }));
      }
      press("[data-reset]", () => this.look(first));
      press("[data-turn]", () => this.turn(!this.model.autoRotate));
      press("[data-full-screen]", () => this.toggleFullScreen());
      press("[data-full-detail]", (event) => this.loadFullDetail(event.currentTarget));
      const fullDetail = this.tools.querySelector("[data-full-detail]");
      if (fullDetail) fullDetail.hidden = !this.light;
      this.tools.querySelector("[data-full-screen]").hidden = !document.fullscreenEnabled;
      self.connectDimensions?.(this.model, this.tools);
    }

    loadFullDetail(button) {
      button.hidden = true;
      this.focusModel();
      this.model.setAttribute("src", this.full);
    }

    look(camera) {
      this.touched();
      this.model.resetTurntableRotation(0);
      for (const [name, value] of Object.entries(camera)) this.model.setAttribute(name, value);
      if (still.matches) this.model.updateComplete.then(() => this.model.jumpCameraToGoal());
    }

    turn(isTurning) {
      this.model.autoRotate = isTurning;
      const button = this.tools.querySelector("[data-turn]");
      button.setAttribute("aria-pressed", isTurning);
      const use = button.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, isTurning ? "#pause" : "#play"));
    }

    toggleFullScreen() {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.frame.requestFullscreen();
    }
  }

  function setUpAll(root) {
    for (const frame of root.querySelectorAll("[data-viewer]:not([data-state])")) new Stage(frame);
  }

  setUpAll(document);
  document.addEventListener("htmx:load", (event) => setUpAll(event.target.parentElement || document));
}
