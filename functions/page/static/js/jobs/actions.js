// What one can do with a job: approve its quote, download its result, cancel it, send rows again.

import { get, post } from "../api.js";
import { button, el, shown } from "../dom.js";
import { moment } from "../format.js";
import { said, say } from "../words.js";
import { isUploading } from "./uploads.js";

export function actionsOf(job, { tell, fail, onChange, onCancel, onApprove, open }) {
  const offered = [];
  const does = (label, kind, icon, action) => {
    const one = button(label, () => run(one, action, fail), { kind, icon });
    offered.push(one);
  };
  if (job.approve_until)
    does(say("job.approve"), "main", "check", () => approve(job, { tell, onChange, onApprove }));
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
  const { rows, said: came } = await post(what, { path: job.path, job_id: job.job_id });
  onCancel();
  tell(say(came === "waits" ? "job.retry.waits" : `job.${what}.said`, { name: shown(job.path), n: rows ?? job.rows - job.answered }));
  await onChange();
}

async function cancel(job, listeners) {
  if (await isSure("cancel", job, [], "danger", "stop"))
    await ask("cancel", job, listeners);
}

/** What is shown is what is approved: its number goes along. */
async function approve(job, { tell, onChange, onApprove }) {
  const found = await get("job", { path: job.path });
  const { approval, job_id } = found;
  if (!approval || job_id !== job.job_id) return onChange(); // somebody was faster, or replaced it
  if (!(await isSure("approve", job, quoteOf(found, approval), "main", "check"))) return;
  await post("approve", { path: job.path, job_id, digest: approval.digest });
  onApprove();
  tell(say("job.approve.said", { name: shown(job.path) }));
  await onChange();
}

/** The lines of the quote, each with what it is about; the first one says whose it is. */
function quoteOf({ lines, provider, model, approve_until: until }, approval) {
  const pairs = [
    [say("job.model"), [provider, model].filter(Boolean).join(" · ")],
    ...lines.slice(1).map((line) => parted(said(line))),
    [say("approve.why"), said(approval)],
    until && [say("approve.until"), moment(until)],
  ];
  const rows = pairs
    .filter(Boolean)
    .map(([about, text]) => el("div", {}, el("dt", {}, shown(about)), el("dd", {}, shown(text))));
  return [el("dl", { class: "quote" }, ...rows)];
}

/** What stands before the first colon, and what behind it. */
function parted(line) {
  const at = line.search(/：|: /);
  return at < 0 ? ["", line] : [line.slice(0, at), line.slice(at + 1).trim()];
}

/** What a few rows that were asked first came to; the first line's own name is left off. */
export function sampleOf(lines) {
  const [first, ...more] = lines.map(said);
  return first ? [parted(first)[1], ...more].join(" · ") : "";
}

/** The browser's own dialog keeps the focus inside, and Escape closes it. */
function isSure(what, job, parts, kind, icon) {
  return new Promise((resolve) => {
    const keep = button(say(`${what}.keep`), () => dialog.close(), { autofocus: true });
    const doIt = button(say(`${what}.do`), () => dialog.close("yes"), { kind, icon });
    const dialog = el(
      "dialog",
      { "aria-labelledby": "sure-title" },
      el("h2", { id: "sure-title" }, say(`${what}.title`, { name: shown(job.path) })),
      ...parts,
      // What follows is always seen, however long the parts are.
      el("div", { class: "dialog-actions" }, el("p", {}, say(`${what}.text`)), keep, doIt),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
