// What only the operator's link shows: what waits for somebody, repairs, dead letters, functions.

import { get, getStatus } from "../api.js";
import { el, fill, named, shown, sign, table } from "../dom.js";
import { moment, number } from "../format.js";
import { WORDS, said, say } from "../words.js";

const COUNTS = ["succeeded", "failed", "dead_lettered", "queued", "running"];
const PAUSE_MS = 10_000;
const QUEUES = "https://mns.console.aliyun.com";

/** `alarm` stands with what must be done and is hidden while nothing waits; `node` is below the jobs. */
export function operatorPanel({ isLocal }) {
  const alarm = el("div", { class: "alarm", hidden: true });
  const numbers = el("dl", { class: "numbers" });
  const sheet = el("div", {});
  const functions = el("details", { hidden: true }, el("summary", {}, say("operator.functions")), sheet);
  const node = el("section", { class: "operator" }, el("h2", {}, say("operator.title")), numbers, functions);
  let readAt = -PAUSE_MS;
  let seen = "";

  async function refresh() {
    if (performance.now() - readAt < PAUSE_MS) return;
    readAt = performance.now();
    const asked = [get("operator").catch(() => null), isLocal ? getStatus() : null];
    const [found, status] = await Promise.all(asked);
    const text = JSON.stringify([found, status]);
    if (!found || text === seen) return; // the list of jobs tells what is wrong
    seen = text;
    alarm.hidden = found.waiting.length + found.untold.length === 0;
    fill(alarm, ...found.waiting.map(waiting), ...found.untold.map(untold));
    fill(numbers, ...numbersOf(found, status));
    functions.hidden = !status;
    if (status) fill(sheet, functionsOf(status.functions));
  }

  return { alarm, node, refresh };
}

function waiting(job) {
  const since = job.waiting_for.since && say("job.waits.since", { when: moment(job.waiting_for.since) });
  const name = el("h4", {}, sign("pause"), named(job.path), el("span", { class: "quiet" }, since));
  return el("div", { class: "problems" }, name, el("p", {}, said(job.waiting_for)));
}

/** A channel that has not taken what was to be told. */
function untold(problem) {
  return el("div", { class: "problems" }, el("p", {}, said(problem)));
}

function numbersOf({ waiting: jobs, repairs_24h, dead_letter_queue: queue }, status) {
  const { untold = 0, ...repairs } = repairs_24h;
  const pair = (key, ...value) => el("div", {}, el("dt", {}, say(key)), el("dd", {}, ...value));
  return [
    pair("operator.waits", jobs.length ? say("operator.jobs", { n: jobs.length }) : say("operator.none")),
    pair("operator.repairs", ...repaired(Object.entries(repairs))),
    untold > 0 && pair("operator.untold", number(untold)),
    pair("operator.dead", ...dead(status?.dead_letters ?? null, queue)),
  ];
}

/** What each kind was, and that nobody need act. */
function repaired(repairs) {
  if (!repairs.length) return [say("operator.repairs.none")];
  const all = repairs.map(([kind, n]) =>
    `repair.${kind}` in WORDS ? say(`repair.${kind}`, { n }) : say("repair.other", { kind: shown(kind), n }),
  );
  return [all.join(" · "), el("p", { class: "quiet" }, say("operator.repairs.hint"))];
}

/** Only the local cloud counts them; elsewhere they lie in a queue that has a page of its own. */
function dead(count, queue) {
  if (count !== null) return [number(count)];
  if (!queue) return [say("operator.unknown")];
  const attributes = { href: QUEUES, target: "_blank", rel: "noopener noreferrer" };
  return [
    say("operator.dead.queue", { queue: shown(queue) }),
    el("a", attributes, say("operator.dead.look")),
  ];
}

function functionsOf(functions) {
  const columns = ["operator.name", ...COUNTS.map((name) => `operator.${name}`), "operator.log"].map((key) =>
    say(key),
  );
  const rows = functions.map((each) => [
    each.name,
    ...COUNTS.map((name) => number(each[name] ?? 0)),
    shown(each.log ?? ""),
  ]);
  return table(columns, rows, { label: say("operator.functions") });
}
