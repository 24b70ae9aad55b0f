// Lines along a model's width, height and depth, with their lengths in millimetres or inches, on demand.
"use strict";
{
  const SVG = "http://www.w3.org/2000/svg";
  const AWAY = 0.06; // how far from the model's box a line is, as a share of the longest side
  const STEP_BACK = 1.35; // times the distance that shows the whole model
  const MM_PER_INCH = 25.4;
  const number = (digits) => new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: digits });

  function worded(mm, unit) {
    return unit === "mm" ? `${number(1).format(mm)} mm` : `${number(2).format(mm / MM_PER_INCH)} in`;
  }

  // The ends of each line in metres: along the box's lower front, its left front corner, and its lower right.
  function ends(model) {
    const { x, y, z } = model.getDimensions();
    const center = model.getBoundingBoxCenter();
    const away = AWAY * Math.max(x, y, z);
    const [west, east] = [center.x - x / 2, center.x + x / 2];
    const [low, high] = [center.y - y / 2, center.y + y / 2];
    const [back, front] = [center.z - z / 2, center.z + z / 2];
    return {
      width: [[west, low, front + away], [east, low, front + away]],
      height: [[west - away, low, front + away], [west - away, high, front + away]],
      depth: [[east + away, low, front], [east + away, low, back]],
    };
  }

  function addHotspot(model, name, [x, y, z]) {
    const spot = document.createElement("span");
    spot.slot = `hotspot-${name}`;
    spot.className = "dimension";
    spot.dataset.position = `${x}m ${y}m ${z}m`;
    spot.hidden = true;
    model.append(spot);
    return spot;
  }

  class Dimensions {
    constructor(model, millimetres) {
      this.model = model;
      this.millimetres = millimetres;
      this.drawing = document.createElementNS(SVG, "svg");
      this.drawing.classList.add("dimension-lines");
      this.drawing.setAttribute("aria-hidden", "true");
      this.lines = Object.entries(ends(model)).map(([side, [from, to]]) => this.addLine(side, from, to));
      model.append(this.drawing);
      model.addEventListener("camera-change", () => this.place());
      new ResizeObserver(() => this.place()).observe(model);
    }

    addLine(side, from, to) {
      const line = this.drawing.appendChild(document.createElementNS(SVG, "line"));
      const middle = from.map((at, axis) => (at + to[axis]) / 2);
      addHotspot(this.model, `${side}-from`, from);
      addHotspot(this.model, `${side}-to`, to);
      return { side, line, label: addHotspot(this.model, side, middle) };
    }

    show(isShown, unit) {
      if (isShown && !this.isShown) this.stepBack();
      this.isShown = isShown;
      this.drawing.toggleAttribute("hidden", !isShown);
      for (const { side, label } of this.lines) {
        label.hidden = !isShown;
        label.textContent = worded(this.millimetres[side], unit);
      }
      this.place();
    }

    // So that the lines around the model are in the picture.
    stepBack() {
      const { theta, phi } = this.model.getCameraOrbit();
      this.model.setAttribute("camera-orbit", `${theta}rad ${phi}rad ${100 * STEP_BACK}%`);
    }

    place() {
      if (!this.isShown) return;
      for (const { side, line } of this.lines) {
        const [from, to] = ["from", "to"].map((end) => this.model.queryHotspot(`hotspot-${side}-${end}`)?.canvasPosition);
        if (!from || !to) continue;
        for (const [name, value] of [["x1", from.x], ["y1", from.y], ["x2", to.x], ["y2", to.y]]) line.setAttribute(name, value);
      }
    }
  }

  // Connects the buttons of one stage, if its model has a known size.
  self.connectDimensions = (model, tools) => {
    const button = tools.querySelector("[data-dimensions]");
    if (!button) return;
    const unitButton = tools.querySelector("[data-unit]");
    let unit = navigator.language === "en-US" ? "in" : "mm";
    let dimensions;
    const update = () => {
      const isShown = button.getAttribute("aria-pressed") === "true";
      unitButton.hidden = !isShown;
      unitButton.textContent = unit;
      dimensions ||= new Dimensions(model, JSON.parse(button.dataset.dimensions));
      dimensions.show(isShown, unit);
    };
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      update();
    });
    unitButton.addEventListener("click", () => {
      unit = unit === "mm" ? "in" : "mm";
      update();
    });
  };
}
