// The list of jobs, the newest first, read again while the page is looked at.

import { get } from "../api.js";
import { button, el, fill, shown } from "../dom.js";
import { say } from "../words.js";
import { jobCard } from "./card.js";

const PAGE = 30;
const OPEN = new Set(["checking", "waiting", "sending", "running", "collecting"]);
// Deployed each look is a call of the function, and the timer counts once a minute.
const PAUSES_S = { local: { open: 2, quiet: 5 }, deployed: { open: 15, quiet: 60 } };
const HURRIED = 8; // looks, two seconds apart, after a file was dropped or somebody did something

export function jobList({ isLocal, tell, onRead }) {
  const cards = new Map();
  const list = el("ul", { class: "jobs" });
  const none = el("p", { class: "none quiet", hidden: true }, say("jobs.none"));
  const stale = el("p", { class: "stale", role: "status" });
  const pager = el("nav", { class: "pager", "aria-label": say("jobs.title") });
  const node = el(
    "section",
    { class: "job-list" },
    el("h2", {}, say("jobs.title")),
    stale,
    none,
    list,
    pager,
  );
  const pauses = isLocal ? PAUSES_S.local : PAUSES_S.deployed;
  let offset = 0;
  let timer = 0;
  let hurried = 0;
  let reading = 0; // only the last look is shown

  async function refresh() {
    clearTimeout(timer);
    const mine = ++reading;
    let pause = pauses.quiet;
    try {
      const found = await get("jobs", { offset, limit: PAGE });
      if (mine !== reading) return;
      show(found);
      if (found.jobs.some((job) => OPEN.has(job.state))) pause = pauses.open;
      onRead();
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

  function show({ jobs, total }) {
    fill(stale);
    none.hidden = total > 0;
    const shownNow = jobs.map((job) => {
      const card = cards.get(job.path) ?? jobCard(job, { tell, onChange: hurry });
      cards.set(job.path, card);
      const ended = card.update(job);
      if (ended) tell(`${shown(job.path)}: ${say(`state.${job.state}`)}`);
      return card.node;
    });
    const isSame =
      shownNow.length === list.children.length && shownNow.every((each, i) => each === list.children[i]);
    if (!isSame) list.replaceChildren(...shownNow); // else the focus stays where it is
    const paths = new Set(jobs.map((job) => job.path));
    for (const path of cards.keys()) if (!paths.has(path)) cards.delete(path);
    drawPager(jobs.length, total);
  }

  function drawPager(count, total) {
    if (total <= PAGE) return fill(pager);
    const go = (to) => () => {
      offset = to;
      refresh().then(() => node.scrollIntoView());
    };
    const range = el("span", {}, say("jobs.range", { from: offset + 1, to: offset + count, total }));
    const newer = button(say("jobs.newer"), go(Math.max(0, offset - PAGE)), { disabled: offset === 0 });
    const older = button(say("jobs.older"), go(offset + PAGE), { disabled: offset + count >= total });
    return fill(pager, newer, range, older);
  }

  function hurry() {
    hurried = HURRIED;
    return refresh();
  }

  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  return { node, start: refresh, hurry };
}
