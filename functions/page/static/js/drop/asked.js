// What the recipe asks of row 1, as one types, and what a model answers to the first five rows.

import { hint, isMadeUp } from "../answerer.js";
import { post } from "../api.js";
import { button, el, fill, shown, sign, table } from "../dom.js";
import { said, say } from "../words.js";

const PAUSE_MS = 300; // in typing, before the server is asked

export function askedPanel({ columns, rows }, session) {
  const prompt = el("div", { class: "asked-prompt" }, el("p", { class: "quiet" }, say("ask.wait")));
  const answers = el("div", { class: "asked-answers", role: "status" });
  const canTry = session.preview && rows.length > 0;
  const tryOut = button(say("ask.preview", { n: rows.length }), ask, { icon: "play" });
  const offer = el(
    "div",
    { class: "asked-try" },
    tryOut,
    hint(session, {
      test: "ask.preview.test",
      server: "ask.preview.server",
      provider: "ask.preview.hint",
    }),
  );
  const node = el(
    "div",
    { class: "asked" },
    el("h4", {}, say("ask.title")),
    prompt,
    canTry && offer,
    answers,
  );
  let text = "";
  let timer = 0;
  let isGood = false;
  let asked = 0; // only the last question's answer is shown

  function update(recipe) {
    if (recipe === text) return;
    clearTimeout(timer);
    timer = setTimeout(check, text ? PAUSE_MS : 0);
    text = recipe;
    answers.classList.add("old");
  }

  async function check() {
    const mine = ++asked;
    const found = await post("recipe/check", { text, columns, rows }).catch(asProblem);
    if (mine !== asked) return;
    isGood = Boolean(found.prompt);
    tryOut.disabled = !isGood;
    fill(prompt, found.problems.length > 0 && wrong(found.problems), ...promptOf(found.prompt));
  }

  async function ask() {
    tryOut.disabled = true;
    answers.classList.remove("old");
    fill(answers, el("p", { class: "quiet" }, say("ask.preview.busy")));
    try {
      fill(answers, ...answered(await post("preview", { text, columns, rows }), session));
    } catch (refusal) {
      fill(answers, wrong(refusal.body?.problems ?? [{ zh: refusal.message, en: refusal.message }]));
    }
    tryOut.disabled = !isGood;
  }

  return { node, update };
}

function asProblem(refusal) {
  const text = { zh: refusal.message, en: refusal.message };
  return { problems: refusal.body?.problems ?? [text], prompt: null };
}

/** With a system prompt, each text gets its role as a title. */
function promptOf(asked) {
  if (!asked) return [];
  const { system, prompt } = asked;
  const texts = system
    ? [
        ["system", system],
        ["user", prompt],
      ]
    : [["", prompt]];
  return texts.map(([role, text]) =>
    el("div", { class: "message" }, role && el("span", { class: "role" }, role), el("pre", {}, text)),
  );
}

function wrong(found) {
  const lines = found.map((problem) => el("li", {}, said(problem)));
  return el(
    "div",
    { class: "problems" },
    el("h4", {}, sign("alert"), say("ask.problems")),
    el("ul", {}, ...lines),
  );
}

function answered({ answers, model }, session) {
  const names = [...new Set(answers.flatMap((each) => Object.keys(each.columns)))];
  const n = answers.length;
  const label = isMadeUp(session)
    ? say("ask.preview.title.test", { n })
    : say("ask.preview.title", { n, model: shown(model) });
  const rows = answers.map((each) => [
    ...names.map((name) => each.columns[name]),
    each.error ? `✕ ${each.error}` : each.answer,
  ]);
  const old = el("p", { class: "quiet old-note" }, say("ask.preview.old"));
  return [el("h4", {}, label), old, table([...names, say("ask.answer")], rows, { label, numbered: true })];
}
