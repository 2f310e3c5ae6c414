// Files on their way into the bucket: the recipe is there before them, then one after the other.

import { post, upload } from "../api.js";
import { button, el, fill, named, shown, sign } from "../dom.js";
import { size } from "../format.js";
import { say } from "../words.js";

export function uploads({ tell, onDone }) {
  const node = el("ul", { class: "jobs uploads", "aria-label": say("jobs.uploading") });
  let last = Promise.resolve();

  function add(files) {
    for (const file of files) {
      const one = uploading(file);
      node.append(one.node);
      last = last.then(() => one.send(tell, onDone)); // side by side they would only share the line
    }
  }

  return { node, add };
}

function uploading(file) {
  const standing = el("div", { class: "standing" });
  const actions = el("div", { class: "actions" });
  const facts = el("p", { class: "facts quiet" }, size(file.size));
  const head = el(
    "div",
    { class: "job-head" },
    el("h3", { class: "job-name" }, sign("file"), named(file.name)),
    facts,
  );
  const node = el("li", { class: "job" }, el("div", { class: "job-line" }, head, standing, actions));

  function progress(part) {
    const state = el("span", { class: "state running" }, sign("send"), say("jobs.uploading"));
    const percent = el("span", { class: "counted" }, `${Math.floor(part * 100)} %`);
    const bar = el("progress", { max: 1, value: part, "aria-label": say("jobs.uploading") });
    fill(standing, el("div", { class: "standing-line" }, state, percent), bar);
  }

  async function send(tell, onDone) {
    progress(0);
    fill(actions);
    try {
      const form = await post("uploads", { name: file.name, size: file.size });
      await upload(form, file, progress);
      tell(say("new.sent", { name: shown(file.name) }));
      await onDone();
      node.remove();
    } catch (refusal) {
      const state = el("span", { class: "state refused" }, sign("cross"), say("jobs.upload.failed"));
      fill(
        standing,
        el("div", { class: "standing-line" }, state),
        el("p", { role: "alert" }, refusal.message),
      );
      const again = button(say("jobs.upload.again"), () => send(tell, onDone), { icon: "redo" });
      fill(
        actions,
        again,
        button(say("jobs.dismiss"), () => node.remove()),
      );
    }
  }

  return { node, send };
}
