// What a job tells when it is opened: why it was refused, what it waits for, its first results.

import { get } from "../api.js";
import { button, el, fill, shown, sign, table } from "../dom.js";
import { number, span } from "../format.js";
import { said, say } from "../words.js";
import { download, sampleOf } from "./actions.js";

const ACCOUNTING = new Set([
  ...["reasoning_content", "model", "finish_reason", "request_id", "created", "extra"],
  ...["prompt_tokens", "completion_tokens", "total_tokens"],
]);

export function details(path, { fail }) {
  const node = el("div", { class: "details", hidden: true });
  let isOpen = false;
  let reading = 0;

  async function read() {
    const mine = ++reading;
    try {
      const job = await get("job", { path });
      if (mine === reading) fill(node, ...partsOf(job, fail));
    } catch (refusal) {
      if (mine === reading) fill(node, el("p", { class: "quiet" }, refusal.message));
    }
  }

  function show(open) {
    isOpen = open;
    node.hidden = !open;
    if (!open) return;
    if (!node.childElementCount) fill(node, el("p", { class: "quiet" }, say("job.loading")));
    read();
  }

  return { node, show, update: () => isOpen && read() };
}

function partsOf(job, fail) {
  return [job.refusal && refusal(job, fail), job.first_results && results(job.first_results), facts(job)];
}

function refusal(job, fail) {
  const { problems, more } = job.refusal;
  const save = () => download(job.path).catch((failed) => fail(failed.message));
  return el(
    "section",
    { class: "refusal" },
    el("h4", {}, say("job.refused")),
    el("p", { class: "quiet" }, say("job.refused.free")),
    el("ol", { class: "findings" }, ...problems.map(finding)),
    more > 0 && el("p", {}, say("job.refused.more", { n: more })),
    button(say("job.report"), save, { icon: "arrow" }),
  );
}

/** A problem, and with it the row that it is about. */
function finding(problem) {
  const label = problem.row && say("job.line", { n: problem.line });
  const row = problem.row && table(problem.row.columns, problem.row.rows, { label });
  return el("li", {}, sign("cross"), el("div", {}, el("p", {}, said(problem)), row));
}

/** The file's own columns, the answer, and what was taken from it; the rest is in the file. */
function results({ columns, rows }) {
  const title = say("job.results");
  const first = columns.indexOf("status");
  const isShown = (name, index) =>
    index < first || !(ACCOUNTING.has(name) || rows.every((row) => !row[index]));
  const places = columns.map((_, index) => index).filter((index) => isShown(columns[index], index));
  const names = places.map((place) => columns[place]);
  const cells = rows.map((row) => places.map((place) => row[place]));
  return el("section", {}, el("h4", {}, title), table(names, cells, { label: title, numbered: true }));
}

function statusOf(cell) {
  const known = ["answered", "refused", "expired", "missing", "cancelled"];
  return known.includes(cell) ? say(`row.${cell}`) : cell;
}

function facts(job) {
  const counts = Object.entries(job.counts ?? {}).map(
    ([name, count]) => `${statusOf(name)} ${number(count)}`,
  );
  const history =
    job.estimate &&
    say("job.history", {
      jobs: job.estimate.jobs,
      typical: span(job.estimate.typical_s),
      slow: span(job.estimate.slow_s),
    });
  const cost = job.cost && say("job.cost.is", { cost: job.cost, realTime: job.real_time });
  const lines = [
    ["job.counts", counts.join(" · ")],
    ["job.cost", cost],
    ["job.ceiling", job.ceiling && say("budget.amounts", job.ceiling)],
    ["job.model", [job.provider, job.model].filter(Boolean).join(" · ")],
    ["job.quote", job.quote && said(job.quote)],
    ["job.sample", sampleOf(job.sample)],
    ["job.usual.title", history],
    ["job.id", job.job_id],
  ];
  const pairs = lines
    .filter(([, value]) => value)
    .map(([key, value]) => el("div", {}, el("dt", {}, say(key)), el("dd", {}, shown(value))));
  return pairs.length > 0 && el("dl", { class: "job-facts" }, ...pairs);
}
