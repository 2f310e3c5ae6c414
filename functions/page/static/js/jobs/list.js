// The list of jobs, the newest first, and above it what somebody must do; read again while the page
// is looked at.

import { get } from "../api.js";
import { button, el, fill, shown, sign } from "../dom.js";
import { LANGUAGE, said, say } from "../words.js";
import { jobCard } from "./card.js";

const PAGE = 30;
const OPEN = new Set(["checking", "waiting", "approval", "over_ceiling", "sending", "running", "collecting", "cancelling"]);
// Deployed each look is a call of the function, and the timer counts once a minute.
const PAUSES_S = { local: { open: 2, quiet: 5 }, deployed: { open: 15, quiet: 60 } };
const HURRIED = 8; // looks, two seconds apart, after a file was dropped or somebody did something

/** `alarm` is what else the operator must do; it hides itself. */
export function jobList({ isLocal, tell, onRead, alarm }) {
  const cards = new Map();
  const list = el("ul", { class: "jobs" });
  const waiting = el("ul", { class: "jobs" });
  const refused = el("div", {});
  const title = el("h2", { id: "needs-title" }, say("jobs.needs"));
  const needs = el("section", { class: "needs", hidden: true, "aria-labelledby": "needs-title" }, title, alarm, refused, waiting);
  const none = el("p", { class: "none quiet", hidden: true }, say("jobs.none"));
  const stale = el("p", { class: "stale", role: "status" });
  const cut = el("p", { class: "stale", role: "status" });
  const budget = el("dl", { class: "numbers budget", hidden: true });
  const pager = pagerOf(turn);
  const heading = el("h2", {}, say("jobs.title"));
  const node = el(
    "section",
    { class: "job-list" },
    heading,
    stale,
    cut,
    budget,
    none,
    list,
    pager.node,
  );
  const pauses = isLocal ? PAUSES_S.local : PAUSES_S.deployed;
  let offset = 0;
  let timer = 0;
  let hurried = 0;
  let reading = 0; // only the last look is shown
  const dropped = new Set(); // here, since the page was opened

  function showNeeds() {
    needs.hidden = !(waiting.children.length || refused.children.length || (alarm && !alarm.hidden));
  }

  async function refresh() {
    clearTimeout(timer);
    const mine = ++reading;
    let pause = pauses.quiet;
    try {
      const found = await get("jobs", { offset, limit: PAGE });
      if (mine !== reading) return;
      if (!found.jobs.length && offset > 0) return turn(Math.max(0, offset - PAGE)); // files were erased
      show(found);
      if (found.jobs.some((job) => OPEN.has(job.state))) pause = pauses.open;
      await onRead();
      showNeeds();
    } catch (refusal) {
      if (mine !== reading) return;
      if (refusal.status === 401 || refusal.status === 403) {
        window.dispatchEvent(new CustomEvent("batchdrop:closed", { detail: refusal }));
        return;
      }
      fill(stale, say("jobs.stale", { why: refusal.message }));
    }
    if (hurried > 0) pause = hurried-- && 2;
    timer = setTimeout(() => !document.hidden && refresh(), pause * 1000);
  }

  function show({ jobs, total, more, money, to_approve: toApprove, refused: approvals }) {
    fill(stale);
    budget.hidden = !money.length;
    fill(budget, ...money.map(budgetOf));
    fill(cut, more && say("jobs.more", { total }));
    none.hidden = total > 0;
    const [colon, comma] = LANGUAGE === "zh" ? ["：", "；"] : [": ", "; "];
    const ended = [];
    const nodeOf = (job) => {
      const card = cards.get(job.path) ?? jobCard(job, { onChange: hurry, tell, isOurs: dropped.has(job.path) });
      cards.set(job.path, card);
      if (card.update(job)) ended.push(`${shown(job.path)}${colon}${say(`state.${job.state}`)}`);
      return card.node;
    };
    const above = new Set(toApprove.map((job) => job.path));
    const nodes = jobs.filter((job) => !above.has(job.path)).map(nodeOf);
    arrange(waiting, toApprove.map(nodeOf));
    fill(refused, ...approvals.map(refusalOf));
    if (ended.length) tell(ended.join(comma));
    const paths = new Set([...jobs, ...toApprove].map((job) => job.path));
    for (const path of cards.keys()) if (!paths.has(path)) cards.delete(path);
    arrange(list, nodes);
    heading.hidden = total > 0 && !nodes.length && !money.length;
    showNeeds();
    pager.show(offset, jobs.length, total, more);
  }

  function turn(to) {
    offset = to;
    return refresh();
  }

  function hurry(path) {
    if (path) dropped.add(path);
    hurried = HURRIED;
    return refresh();
  }

  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  return { node, needs, start: refresh, hurry };
}

/** An approval that somebody dropped, and why it approves nothing. */
function refusalOf(approval) {
  return el("div", { class: "problems" }, el("p", {}, sign("alert"), shown(said(approval))));
}

/** What may still be spent this month, of all files or of a folder. */
function budgetOf({ folder, ...amounts }) {
  const whose = folder ? say("budget.folder", { folder: shown(folder) }) : say("budget.all");
  return el("div", {}, el("dt", {}, whose), el("dd", {}, say("budget.amounts", amounts)));
}

/** What stays in its place is not touched, so that it keeps the focus and how far it is scrolled. */
function arrange(list, nodes) {
  const staying = new Set(nodes);
  for (const node of [...list.children]) if (!staying.has(node)) node.remove();
  nodes.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
}

function pagerOf(turn) {
  let shownFrom = 0;
  const range = el("span", { role: "status" });
  const newer = button(say("jobs.newer"), () => turn(Math.max(0, shownFrom - PAGE)));
  const older = button(say("jobs.older"), () => turn(shownFrom + PAGE));
  const node = el(
    "nav",
    { class: "pager", hidden: true, "aria-label": say("jobs.title") },
    newer,
    range,
    older,
  );

  function show(from, count, total, more) {
    shownFrom = from;
    node.hidden = total <= PAGE;
    const focused = document.activeElement;
    newer.disabled = from === 0;
    older.disabled = from + count >= total;
    // A button that is switched off gives the focus away: to its neighbour.
    if (focused === newer && newer.disabled) older.focus();
    if (focused === older && older.disabled) newer.focus();
    const text = say(more ? "jobs.range.more" : "jobs.range", { from: from + 1, to: from + count, total });
    if (range.textContent !== text) range.textContent = text;
  }

  return { node, show };
}
