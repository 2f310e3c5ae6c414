// Files on their way into the bucket, one after the other, each behind the recipe that it is for.

import { get, post, put, upload } from "../api.js";
import { button, el, fill, named, shown, sign } from "../dom.js";
import { size } from "../format.js";
import { say } from "../words.js";

const LOOK_MS = 2000;
let pending = 0; // files that are not in the bucket yet

export function isUploading() {
  return pending > 0;
}

window.addEventListener("beforeunload", (event) => {
  if (isUploading()) event.preventDefault(); // the browser asks whether one means it
});

export function uploads({ tell, onDone }) {
  const node = el("ul", { class: "jobs uploads", "aria-label": say("jobs.uploading") });
  const sent = new Set();
  let last = Promise.resolve();

  /** `recipe` is the text that people saw; null for files that need none. */
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
      if (recipe !== null) await lay(recipe, sent);
      const form = await post("uploads", { name: file.name, size: file.size });
      const { done, stop } = upload(form, file, (part) => row.progress(part, stop));
      row.progress(0, stop);
      await done;
      sent.add(file.name);
      tell(say("new.sent", { name: shown(file.name) }));
      await onDone();
      row.node.remove();
    } catch (refusal) {
      if (refusal.code === "stopped") row.node.remove();
      else row.failed(refusal.message);
    }
  }

  return { node, add };
}

/** A file is read with the recipe that lies there then: so the files before must be checked first. */
async function lay(recipe, sent) {
  if ((await get("recipe")).text === recipe) return;
  for (const path of sent) {
    while ((await get("job", { path })).state === "checking") {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    sent.delete(path);
  }
  const { etag } = await get("recipe");
  await put("recipe", { text: recipe, etag });
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
