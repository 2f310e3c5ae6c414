// One job of the list: its name, how it stands, how far it is, and what one can do with it.

import { el, fill, named, sign } from "../dom.js";
import { moment, size, span } from "../format.js";
import { said, say } from "../words.js";
import { actionsOf } from "./actions.js";
import { details } from "./details.js";

/** The sign of each state; whether the job has come to its end. */
const STATES = {
  checking: ["search", false],
  refused: ["cross", true],
  waiting: ["pause", false],
  approval: ["pause", false],
  over_ceiling: ["pause", false],
  sending: ["send", false],
  running: ["play", false],
  collecting: ["arrow", false],
  cancelling: ["stop", false],
  done: ["check", true],
  incomplete: ["alert", true],
  cancelled: ["stop", true],
};
let made = 0;

export function jobCard(first, { tell, onChange, isOurs }) {
  const id = `job-${++made}`;
  const facts = el("p", { class: "facts quiet" });
  const standing = el("div", { class: "standing" });
  const actions = el("div", { class: "actions" });
  const trouble = el("p", { class: "trouble", role: "alert" });
  const fail = (text) => fill(trouble, text && sign("alert"), text);
  const more = details(first.path, { fail });
  more.node.id = id;
  const toggle = el(
    "button",
    {
      type: "button",
      class: "job-name",
      "aria-expanded": "false",
      "aria-controls": id,
      on: { click: () => open(toggle.getAttribute("aria-expanded") !== "true") },
    },
    sign("chevron"),
    named(first.path),
  );
  const name = el("div", { class: "job-head" }, el("h3", {}, toggle), facts);
  const node = el(
    "li",
    { class: "job" },
    el("div", { class: "job-line" }, name, standing, actions),
    trouble,
    more.node,
  );
  let seen = "";
  let last = null;
  let offered = "";
  // The jobs that were cancelled or approved here: the timer tells of it in its next run.
  let cancelled = "";
  let approved = "";

  function open(isOpen) {
    toggle.setAttribute("aria-expanded", String(isOpen));
    more.show(isOpen, last);
  }

  /** Show what is new; tell whether the job has just come to its end. */
  function update(found) {
    const isCancelling = found.can_cancel && found.job_id === cancelled;
    const isSending = found.state === "approval" && found.job_id === approved;
    const changes = isCancelling
      ? { state: "cancelling", can_cancel: false }
      : isSending && { state: "sending", approve_until: null };
    const job = { ...found, ...changes };
    const text = JSON.stringify(job);
    if (text === seen) return false;
    const hasEnded = isEnded(job) && isNews(job);
    seen = text;
    last = job;
    node.dataset.state = job.state;
    fill(facts, ...factsOf(job));
    fill(standing, ...standingOf(job));
    offer(job);
    if (hasEnded && job.state === "refused")
      open(true); // those who watch want to know why
    else more.update(job);
    return hasEnded;
  }

  /** A quick one may have ended before it was seen at all. */
  function isNews(job) {
    return last === null ? isOurs : !isEnded(last) || last.dropped_at !== job.dropped_at;
  }

  function offer(job) {
    const now = JSON.stringify([job.job_id, job.state, job.result, job.can_cancel, job.can_retry]);
    if (now === offered) return; // a button that has the focus keeps it
    const hadFocus = actions.contains(document.activeElement);
    offered = now;
    const onCancel = () => {
      cancelled = job.job_id;
      update(job);
    };
    const onApprove = () => {
      approved = job.job_id;
      update(job);
    };
    const listeners = { tell, fail, onChange, onCancel, onApprove, open: () => open(true) };
    fill(actions, ...actionsOf(job, listeners));
    if (hadFocus) (actions.querySelector("button") ?? toggle).focus();
  }

  return { node, update };
}

function isEnded(job) {
  return Boolean(STATES[job.state]?.[1]);
}

function factsOf(job) {
  const rows = job.rows !== null && say("job.rows", { n: job.rows });
  const facts = [
    job.dropped_at && say("job.dropped", { when: moment(job.dropped_at) }),
    rows,
    job.size_bytes !== null && size(job.size_bytes),
  ];
  return facts.filter(Boolean).map((fact) => el("span", {}, fact));
}

function standingOf(job) {
  const [icon, hasEnded] = STATES[job.state] ?? ["search", false];
  const when = hasEnded ? endOf(job) : job.state !== "cancelling" && whenOf(job);
  const state = el("span", { class: `state ${job.state}` }, sign(icon), say(`state.${job.state}`));
  return [
    el("div", { class: "standing-line" }, state, el("span", { class: "counted" }, countOf(job, hasEnded))),
    job.rows !== null && !hasEnded && bar(job),
    when && el("p", { class: "quiet" }, when),
    job.approve_until && el("p", { class: "waits" }, say("job.approve.until", { when: moment(job.approve_until) })),
    job.waiting_for && waits(job.waiting_for),
  ];
}

function waits(waiting) {
  const since = waiting.since && say("job.waits.since", { when: moment(waiting.since) });
  return el("p", { class: "waits" }, said(waiting), since && el("span", { class: "quiet" }, ` ${since}`));
}

function bar(job) {
  const label = say("job.answered", { answered: job.answered, rows: job.rows });
  return el("progress", { max: Math.max(job.rows, 1), value: job.answered, "aria-label": label });
}

function countOf(job, hasEnded) {
  if (job.rows === null) return "";
  const open = job.rows - job.answered;
  if (job.state === "done") return [say("job.all", { n: job.rows }), misfitsOf(job)].filter(Boolean).join(" · ");
  if (hasEnded && open === job.rows) return say("job.unanswered.all", { n: open });
  if (hasEnded) return say("job.unanswered", { n: open, rows: job.rows });
  const failed = job.failed > 0 && say("job.failed", { failed: job.failed });
  return [say("job.answered", { answered: job.answered, rows: job.rows }), failed]
    .filter(Boolean)
    .join(" · ");
}

function misfitsOf(job) {
  return job.misfits > 0 && say("job.misfits", { n: job.misfits });
}

function endOf(job) {
  return job.since && say("job.ended", { when: moment(job.since) });
}

function whenOf(job) {
  const typical = job.estimate && span(job.estimate.typical_s);
  const when = job.deadline_at && moment(job.deadline_at);
  const usual =
    typical && when
      ? say("job.usual.latest", { typical, when })
      : typical
        ? say("job.usual", { typical })
        : when
          ? say("job.latest", { when })
          : "";
  return [job.since && say("job.since", { when: moment(job.since) }), usual].filter(Boolean).join(" · ");
}
