// Uploads photos: one request per file, two at a time, each with a progress bar. The chosen order is kept, and
// a rejected file does not affect the others.
"use strict";
{
  const zone = document.getElementById("drop");
  const list = document.getElementById("uploads");
  const announce = document.getElementById("announce");
  const AT_ONCE = 2;
  const headers = { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
  const waiting = [];
  let running = 0;
  let batch = []; // all uploads since the queue was last empty, in the order they were chosen

  if (zone) listen();

  function listen() {
    document.addEventListener("change", (event) => take(event.target));
    document.querySelectorAll("input[type=file]").forEach(take); // chosen before this script loaded
    for (const name of ["dragenter", "dragover"]) {
      zone.addEventListener(name, (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        zone.classList.add("is-over");
      });
    }
    for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      add([...event.dataTransfer.files]);
    });
    // A file dropped outside the zone would replace the page and stop the uploads.
    for (const name of ["dragover", "drop"]) {
      addEventListener(name, (event) => {
        if ([...(event.dataTransfer?.types || [])].includes("Files")) event.preventDefault();
      });
    }
    addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
  }

  function take(input) {
    if (input.type !== "file" || !input.files.length || input.matches("[data-capture]")) return;
    add([...input.files], input.dataset.angle, input.dataset.replace);
    input.value = "";
  }

  function add(files, angle, replaces) {
    for (const file of files) {
      const upload = { file, angle, replaces, row: row(file), id: null };
      batch.push(upload);
      enqueue(upload);
    }
    next();
  }

  function row(file) {
    const item = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    item.querySelector(".upload-name").textContent = file.name;
    list.append(item);
    return item;
  }

  function enqueue(upload) {
    show(upload, "is-waiting", zone.dataset.waiting);
    waiting.push(upload);
  }

  function next() {
    while (running < AT_ONCE && waiting.length) send(waiting.shift());
    if (!running && !waiting.length && batch.length) finish();
  }

  function send(upload) {
    running += 1;
    show(upload, "is-sending", zone.dataset.sending);
    const request = new XMLHttpRequest();
    const bar = upload.row.querySelector("progress");
    request.upload.addEventListener("progress", (event) => { bar.value = (100 * event.loaded) / event.total; });
    request.upload.addEventListener("load", () => show(upload, "is-sending", zone.dataset.checking));
    request.addEventListener("loadend", () => {
      running -= 1;
      settle(upload, request);
      next();
    });
    const replacing = upload.replaces;
    const address = replacing ? zone.dataset.replace.replace("ID", replacing) : zone.dataset.upload;
    request.open(replacing ? "PUT" : "POST", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body(upload));
  }

  function body(upload) {
    const form = new FormData();
    if (!upload.replaces) {
      form.append("partId", zone.dataset.part);
      if (upload.angle) form.append("angle_label", upload.angle);
    }
    form.append(upload.replaces ? "image" : "image0", upload.file, upload.file.name);
    return form;
  }

  function settle(upload, request) {
    const answer = parsed(request.responseText);
    if (request.status >= 200 && request.status < 300) {
      upload.id = upload.replaces ? answer.id : answer.images[0].id;
      show(upload, "is-done", zone.dataset.done);
      return;
    }
    const refused = zone.dataset.refused.replace("{code}", request.status);
    show(upload, "is-bad", request.status ? answer.error || refused : zone.dataset.lost);
    offerAgain(upload);
  }

  function parsed(text) {
    try { return JSON.parse(text) || {}; } catch { return {}; }
  }

  function show(upload, state, sentence) {
    upload.row.className = `upload ${state}`;
    upload.row.querySelector(".upload-state").textContent = sentence;
  }

  function offerAgain(upload) {
    const again = upload.row.querySelector("[data-again]");
    const drop = upload.row.querySelector("[data-drop]");
    again.hidden = drop.hidden = false;
    again.onclick = () => {
      again.hidden = drop.hidden = true;
      if (!batch.includes(upload)) batch.push(upload);
      enqueue(upload);
      next();
    };
    drop.onclick = () => upload.row.remove();
  }

  async function finish() {
    const done = batch.filter((upload) => upload.id);
    const sentence = zone.dataset.all.replace("{count}", done.length).replace("{all}", batch.length);
    batch = [];
    const added = done.filter((upload) => !upload.replaces).map((upload) => upload.id);
    if (added.length > 1) await putInOrder(added).catch(() => {}); // on failure they stay in the order they arrived
    done.forEach((upload) => upload.row.remove());
    await htmx.ajax("GET", zone.dataset.photos, { target: "#photos", swap: "outerHTML" });
    announce.textContent = sentence;
  }

  // Parallel uploads arrive in any order. Changes by other people are kept: only the places that our photos hold
  // are reassigned.
  async function putInOrder(added) {
    const part = await (await fetch(zone.dataset.present)).json();
    let present = part.images.map((image) => image.id);
    for (let tries = 0; tries < 3; tries += 1) {
      const ours = added.filter((id) => present.includes(id));
      const wanted = present.map((id) => (ours.includes(id) ? null : id));
      ours.forEach((id) => { wanted[wanted.indexOf(null)] = id; });
      if (wanted.join() === present.join()) return;
      const answer = await fetch(zone.dataset.order, {
        method: "PUT",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(wanted),
      });
      if (answer.status !== 409) return;
      present = (await answer.json()).images.map((image) => image.id);
    }
  }
}
