// Sends the files of a spin capture in pieces, one behind the other. After a lost connection the server is asked how
// far a file is, and the upload goes on from there; so it does when the same file is chosen on a reloaded page.
"use strict";
{
  const zone = document.getElementById("capture-add");
  const place = document.getElementById("capture-upload");
  const announce = document.getElementById("announce");
  const WAITS = [1, 2, 4, 8, 15]; // seconds between tries; then a person presses “Go on”
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  let running = null; // the upload's AbortController

  if (zone) listen();

  function listen() {
    document.addEventListener("change", ({ target }) => {
      if (!target.matches("[data-capture]") || !target.files.length) return;
      const files = [...target.files];
      target.value = "";
      start(files);
    });
    addEventListener("beforeunload", (event) => { if (running) event.preventDefault(); });
  }

  async function start(files) {
    if (running) return;
    running = new AbortController();
    lock(true);
    place.hidden = false;
    place.querySelector("[data-stop]").focus(); // the button that began this is off meanwhile
    place.querySelector("[data-name]").textContent = files.map((file) => file.name).slice(0, 3).join(", ");
    place.querySelector("[data-stop]").onclick = () => running?.abort();
    try {
      await send(files);
      place.hidden = true;
      announce.textContent = zone.dataset.done;
    } catch (problem) {
      if (running.signal.aborted) place.hidden = true;
      else await offer(files, problem);
    }
    running = null;
    lock(false);
    if (place.hidden) zone.querySelector("[data-capture]").focus();
    htmx.ajax("GET", zone.dataset.captures, { target: "#captures", swap: "outerHTML" });
  }

  async function send(files) {
    const position = Number(zone.querySelector("[name=capture-position]:checked")?.value || 1);
    const named = files.map(({ name, size }) => ({ name, size }));
    const capture = await (await patient(() => asked("POST", zone.dataset.begin, JSON.stringify({ position, files: named }), { "Content-Type": "application/json" }))).json();
    const total = files.reduce((sum, file) => sum + file.size, 0);
    let before = 0;
    for (const [number, known] of capture.files.entries()) {
      const address = zone.dataset.file.replace("CAPTURE", capture.id).replace("FILE", known.id);
      await sendFile(address, files[number], known.offset, (offset) => show((100 * (before + offset)) / total));
      before += files[number].size;
    }
  }

  async function sendFile(address, file, offset, told) {
    const size = Number(zone.dataset.piece);
    told(offset);
    while (offset < file.size) {
      const piece = file.slice(offset, offset + size);
      const answer = await patient(async (isAgain) => {
        // What was sent before the connection was lost may have arrived.
        const from = isAgain ? Number((await asked("HEAD", address)).headers.get("Upload-Offset")) : offset;
        if (from !== offset) return { headers: new Headers({ "Upload-Offset": from }) };
        return asked("PATCH", address, piece, { "Content-Type": "application/offset+octet-stream", "Upload-Offset": offset });
      });
      offset = Number(answer.headers.get("Upload-Offset"));
      told(offset);
    }
  }

  // Tries again while the connection is lost or the server busy; what the server refuses is an Error with its sentence.
  async function patient(request) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await request(tries > 0);
      } catch (problem) {
        if (problem.isFinal || running.signal.aborted || tries >= WAITS.length) throw problem;
        say(zone.dataset.waiting);
        await new Promise((resolve) => setTimeout(resolve, 1000 * WAITS[tries]));
        if (running.signal.aborted) throw problem;
      }
    }
  }

  async function asked(method, address, body, headers = {}) {
    const answer = await fetch(address, { method, body, headers: { ...headers, "X-CSRFToken": csrf }, signal: running.signal });
    if (answer.ok) return answer;
    if (answer.status === 409 && answer.headers.has("Upload-Offset")) return answer;
    const said = await answer.json().catch(() => ({}));
    const problem = new Error(said.error || zone.dataset.refused.replace("{code}", answer.status));
    problem.isFinal = answer.status < 500 || Boolean(said.error);
    throw problem;
  }

  function show(percent) {
    place.classList.remove("is-bad");
    place.querySelector("progress").value = percent;
    say(zone.dataset.sending.replace("{percent}", Math.floor(percent)));
  }

  function say(sentence) {
    place.querySelector("[data-state]").textContent = sentence;
  }

  // Waits for a person to press “Go on” or “Stop”.
  async function offer(files, problem) {
    place.classList.add("is-bad");
    const sentence = problem.isFinal ? problem.message : zone.dataset.lost;
    say(sentence);
    announce.textContent = sentence;
    const again = place.querySelector("[data-again]");
    const stop = place.querySelector("[data-stop]");
    again.hidden = Boolean(problem.isFinal);
    again.onclick = () => { again.hidden = true; start(files); };
    stop.onclick = () => { place.hidden = again.hidden = true; };
  }

  function lock(isBusy) {
    for (const input of zone.querySelectorAll("[data-capture], [name=capture-position]")) input.disabled = isBusy;
    for (const button of zone.querySelectorAll("[data-capture-button]")) button.classList.toggle("is-off", isBusy);
  }
}
