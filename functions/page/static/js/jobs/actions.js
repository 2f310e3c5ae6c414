// What one can do with a job: download its result, cancel it, send its unanswered rows again.

import { get, post } from "../api.js";
import { button, el, shown } from "../dom.js";
import { say } from "../words.js";
import { isUploading } from "./uploads.js";

export function actionsOf(job, { tell, fail, onChange, onCancel, open }) {
  const offered = [];
  const does = (label, kind, icon, action) => {
    const one = button(label, () => run(one, action, fail), { kind, icon });
    offered.push(one);
  };
  if (job.result) does(say("job.download"), "main", "arrow", () => download(job.path));
  if (job.result) does(say("job.show.results"), "plain", null, open);
  if (job.state === "refused") does(say("job.show.refused"), "plain", null, open);
  if (job.can_retry) does(say("job.retry"), "plain", "redo", () => ask("retry", job, { tell, onChange }));
  if (job.can_cancel) does(say("job.cancel"), "plain", "stop", () => cancel(job, { tell, onChange, onCancel }));
  return offered;
}

/** The link is the bucket's own, for a short time, and makes the browser save the file. */
export async function download(path) {
  const { url } = await get("download", { path });
  // An error would be shown in place of this page, and end what is being uploaded.
  if (isUploading()) window.open(url, "_blank", "noopener");
  else location.assign(url);
}

async function run(one, action, fail) {
  one.disabled = true;
  fail("");
  try {
    await action();
  } catch (refusal) {
    fail(refusal.message);
  }
  one.disabled = false;
}

async function ask(what, job, { tell, onChange, onCancel = () => {} }) {
  const { rows } = await post(what, { path: job.path, job_id: job.job_id });
  onCancel();
  tell(say(`job.${what}.said`, { name: shown(job.path), n: rows ?? job.rows - job.answered }));
  await onChange();
}

async function cancel(job, listeners) {
  if (await isSure(job)) await ask("cancel", job, listeners);
}

/** The browser's own dialog keeps the focus inside, and Escape closes it. */
function isSure(job) {
  return new Promise((resolve) => {
    const keep = button(say("cancel.keep"), () => dialog.close(), { autofocus: true });
    const doIt = button(say("cancel.do"), () => dialog.close("yes"), { kind: "danger", icon: "stop" });
    const dialog = el(
      "dialog",
      { "aria-labelledby": "cancel-title" },
      el("h2", { id: "cancel-title" }, say("cancel.title", { name: shown(job.path) })),
      el("p", {}, say("cancel.text")),
      el("div", { class: "dialog-actions" }, keep, doIt),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
