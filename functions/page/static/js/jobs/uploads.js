// Files on their way into the bucket, one after the other, each behind the recipe that it is for.

import { Refusal, get, post, put, upload } from "../api.js";
import { button, el, fill, named, shown, sign } from "../dom.js";
import { size } from "../format.js";
import { say } from "../words.js";

const LOOK_MS = 2000;
const CHECK_MS = 600_000; // as long as a file's check may run: behind that, it has died
let pending = 0; // files that are not in the bucket yet

export function isUploading() {
  return pending > 0;
}

window.addEventListener("beforeunload", (event) => {
  if (isUploading()) event.preventDefault(); // the browser asks whether one means it
});

export function uploads({ tell, onDone }) {
  const node = el("ul", { class: "jobs uploads", "aria-label": say("jobs.uploading") });
  const before = { sent: new Set(), laid: null };
  let last = Promise.resolve();

  /** `recipe` is the text, and the `etag` of the one that was there; null for files without one. */
  function add(files, recipe) {
    for (const file of files) {
      const row = uploadRow(file);
      node.append(row.node);
      const send = () => {
        pending += 1;
        row.queued(() => (row.isStopped = true));
        last = last.then(() => one(file, recipe, row).finally(() => (pending -= 1)));
      };
      row.again = send;
      send();
    }
  }

  async function one(file, recipe, row) {
    if (row.isStopped) return row.node.remove();
    try {
      if (recipe !== null) await lay(recipe, before, row);
      const form = await post("uploads", { name: file.name, size: file.size });
      mayGoOn(row);
      const { done, stop } = upload(form, file, (part) => row.progress(part, stop));
      row.progress(0, stop);
      await done;
      before.sent.add(file.name);
      tell(say("new.sent", { name: shown(file.name) }));
      await onDone(file.name);
      row.node.remove();
    } catch (refusal) {
      if (refusal.code === "stopped") row.node.remove();
      else row.failed(refusal.message);
    }
  }

  return { node, add };
}

/** A file is read with the recipe that lies there then: so the files before must be checked first. */
async function lay(recipe, before, row) {
  if ((await get("recipe")).text === recipe.text) return;
  for (const path of before.sent) {
    await untilChecked(path, row);
    before.sent.delete(path);
  }
  const { text, etag } = await get("recipe");
  mayGoOn(row);
  // What this page has laid down for a file before may be replaced, a colleague's change not.
  if (etag !== recipe.etag && text !== before.laid)
    throw new Refusal(409, "recipe_changed", say("new.changed"));
  await put("recipe", { text: recipe.text, etag });
  before.laid = recipe.text;
}

async function untilChecked(path, row) {
  const until = Date.now() + CHECK_MS;
  while (await isChecking(path)) {
    mayGoOn(row);
    if (Date.now() > until) throw new Refusal(0, "unchecked", say("new.unchecked", { name: shown(path) }));
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  mayGoOn(row);
}

/** People may press Cancel while the server is waited for. */
function mayGoOn(row) {
  if (row.isStopped) throw new Refusal(0, "stopped", "");
}

async function isChecking(path) {
  try {
    return (await get("job", { path })).state === "checking";
  } catch (refusal) {
    if (refusal.status === 404) return false; // erased meanwhile
    throw refusal;
  }
}

function uploadRow(file) {
  const standing = el("div", { class: "standing" });
  const actions = el("div", { class: "actions" });
  const name = el("h3", { class: "job-name" }, sign("file"), named(file.name));
  const head = el("div", { class: "job-head" }, name, el("p", { class: "facts quiet" }, size(file.size)));
  const node = el("li", { class: "job" }, el("div", { class: "job-line" }, head, standing, actions));
  const line = (state, icon, key, ...more) =>
    el(
      "div",
      { class: "standing-line" },
      el("span", { class: `state ${state}` }, sign(icon), say(key)),
      ...more,
    );
  const row = { node, isStopped: false, again: null };

  row.queued = (stop) => {
    row.isStopped = false;
    fill(standing, line("waiting", "pause", "jobs.queued"));
    fill(actions, button(say("job.cancel"), stop, { icon: "stop" }));
  };
  row.progress = (part, stop) => {
    const percent = el("span", { class: "counted" }, `${Math.floor(part * 100)} %`);
    const bar = el("progress", { max: 1, value: part, "aria-label": say("jobs.uploading") });
    fill(standing, line("running", "send", "jobs.uploading", percent), bar);
    if (part === 0) fill(actions, button(say("job.cancel"), stop, { icon: "stop" }));
  };
  row.failed = (why) => {
    fill(standing, line("refused", "cross", "jobs.upload.failed"), el("p", { role: "alert" }, why));
    const again = button(say("jobs.upload.again"), () => row.again(), { icon: "redo" });
    fill(
      actions,
      again,
      button(say("jobs.dismiss"), () => node.remove()),
    );
  };
  return row;
}
