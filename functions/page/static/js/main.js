// Starts the page: who may see what, then the place to drop files and the list of jobs.

import { answererTag } from "./answerer.js";
import { get } from "./api.js";
import { button, el, fill, named, sign } from "./dom.js";
import { composer } from "./drop/composer.js";
import { dropZone } from "./drop/zone.js";
import { moment } from "./format.js";
import { jobList } from "./jobs/list.js";
import { operatorPanel } from "./jobs/operator.js";
import { uploads } from "./jobs/uploads.js";
import { LANGUAGE, say } from "./words.js";

const top = document.getElementById("top");
const main = document.getElementById("main");
const status = document.getElementById("said");
const TOLD_MS = 8000;
let told = 0;

document.documentElement.lang = LANGUAGE === "zh" ? "zh-CN" : "en";
window.addEventListener("hashchange", () => location.reload()); // another link, pasted over this one
fill(top, brand());
await start();

async function start() {
  try {
    show(await get("session"));
  } catch (refusal) {
    showClosedDoor(refusal);
  }
}

function show(session) {
  const operator = session.operator ? operatorPanel({ isLocal: session.is_local }) : null;
  const onRead = () => operator?.refresh();
  const jobs = jobList({ isLocal: session.is_local, tell, onRead, alarm: operator?.alarm });
  const sending = uploads({ tell, onDone: jobs.hurry });
  const place = el("section", { class: "drop" });
  const zone = dropZone({ maxBytes: session.upload.max_bytes, onFiles: compose, whyNotNow, tell });

  function whyNotNow() {
    if (!place.isConnected || document.querySelector("dialog[open]")) return ""; // nothing to say
    return place.contains(zone.node) ? null : say("drop.busy");
  }

  function compose(files) {
    const close = () => {
      fill(place, zone.node);
      zone.focus();
    };
    const begin = (started, recipe) => {
      close();
      sending.add(started, recipe);
    };
    const made = composer(files, session, { onClose: close, onStart: begin });
    fill(place, made.node);
    made.focus();
  }

  fill(top, brand(), folderOf(session));
  fill(place, zone.node);
  fill(main, place, jobs.needs, sending.node, jobs.node, operator?.node);
  window.addEventListener("batchdrop:closed", (event) => showClosedDoor(event.detail), { once: true });
  jobs.start();
}

/** The link has expired, was withdrawn or is none, or the server cannot be reached. */
function showClosedDoor(refusal) {
  const isClosed = refusal.status === 401 || refusal.status === 403;
  fill(
    main,
    el(
      "section",
      { class: "door", role: "alert" },
      el("div", { class: "door-sign" }, sign("alert")),
      el("h1", {}, isClosed ? say("door.title") : refusal.message),
      isClosed && el("p", {}, refusal.message),
      !isClosed && button(say("door.again"), () => location.reload(), { kind: "main" }),
    ),
  );
}

function brand() {
  return el("div", { class: "brand" }, el("span", { class: "mark" }, sign("arrow")), "Batchdrop");
}

function folderOf(session) {
  const name = session.folder.replace(/\/$/, "");
  return el(
    "div",
    { class: "where" },
    el(
      "span",
      { class: "folder" },
      name && `${say("page.folder")} `,
      name ? named(name) : say("page.folder.all"),
    ),
    session.is_local && el("span", { class: "tag" }, say("page.local")),
    answererTag(session),
    session.operator && el("span", { class: "tag" }, say("page.operator")),
    session.expires_at &&
      el("span", { class: "quiet" }, say("page.until", { when: moment(session.expires_at) })),
  );
}

/** A word about what has happened, also for those who hear the page. */
function tell(text) {
  status.textContent = "";
  status.textContent = text;
  clearTimeout(told);
  told = setTimeout(() => (status.textContent = ""), TOLD_MS);
}
