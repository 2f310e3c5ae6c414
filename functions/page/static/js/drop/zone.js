// Where files are dropped or chosen; the whole window takes them, so that none opens in its place.

import { el, fill, shown, sign } from "../dom.js";
import { size } from "../format.js";
import { say } from "../words.js";

/** `whyNotNow` says why no file is taken just now; what it says, and what is wrong, is told. */
export function dropZone({ maxBytes, onFiles, whyNotNow, tell }) {
  const input = el("input", { type: "file", id: "files", multiple: true, class: "unseen" });
  const wrong = el("div", { class: "problems", role: "alert" });
  const canDrag = !matchMedia("(pointer: coarse)").matches; // not with a finger
  const label = el(
    "label",
    { for: "files", class: "zone" },
    el("span", { class: "zone-sign" }, sign("arrow")),
    el("strong", { class: "zone-title" }, say(canDrag ? "drop.title" : "drop.title.touch")),
    el("span", { class: "button main" }, say("drop.choose")),
    el("span", { class: "quiet" }, say("drop.kinds", { max: size(maxBytes) })),
  );
  const node = el("div", {}, input, label, wrong, el("p", { class: "promise" }, say("drop.promise")));

  function take(files, folders = []) {
    const busy = whyNotNow();
    if (busy !== null) return tell(busy);
    const refused = [
      ...folders.map((name) => say("drop.folder", { name: shown(name) })),
      ...files.map((file) => whyNot(file, maxBytes)).filter(Boolean),
    ];
    fill(wrong, ...refused.map((text) => el("p", {}, sign("alert"), text)));
    const good = files.filter((file) => !whyNot(file, maxBytes));
    return good.length > 0 && onFiles(good);
  }

  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // the same file may be chosen again
    take(files);
  });
  catchDrops(take);
  return { node, focus: () => input.focus() };
}

function whyNot(file, maxBytes) {
  const name = shown(file.name);
  if (file.size === 0) return say("drop.empty", { name });
  if (file.size <= maxBytes) return "";
  return say("drop.too_large", { name, size: size(file.size), max: size(maxBytes) });
}

function catchDrops(take) {
  const over = (is) => document.body.classList.toggle("dragging", is);
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return; // text that is dragged into a field
    event.preventDefault();
    over(true);
  });
  window.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(false);
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const isFolder = (item) => item.webkitGetAsEntry()?.isDirectory;
    const folders = items.filter(isFolder).map((item) => item.webkitGetAsEntry().name);
    const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile());
    take(files.filter(Boolean), folders);
  });
}
