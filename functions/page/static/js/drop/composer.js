// What is done with the files in hand: their first rows, the recipe, what it asks, and the start.

import { hint } from "../answerer.js";
import { Refusal, get, post } from "../api.js";
import { button, el, fill, named, sign, table } from "../dom.js";
import { size } from "../format.js";
import { said, say } from "../words.js";
import { askedPanel } from "./asked.js";
import { firstRows, isRequestLines } from "./first_rows.js";
import { recipeForm } from "./recipe_form.js";

const NO_ROWS = { columns: [], rows: [] };

export function composer(files, session, { onClose, onStart }) {
  const [file] = files;
  const title = el("h2", { tabindex: "-1" }, named(file.name));
  const body = el("div", { class: "composer-body" }, el("p", { class: "quiet" }, say("new.reading")));
  const node = el("div", { class: "composer", "aria-label": say("new.title"), role: "group" }, head(), body);

  function head() {
    const more = files.length > 1 && el("p", { class: "quiet" }, say("new.more", { n: files.length - 1 }));
    const text = el(
      "div",
      { class: "composer-name" },
      title,
      el("p", { class: "quiet" }, size(file.size)),
      more,
    );
    return el("div", { class: "composer-head" }, sign("file"), text, button(say("new.close"), onClose));
  }

  load(file, body, session, (recipe) => onStart(files, recipe));
  return { node, focus: () => title.focus() };
}

async function load(file, body, session, start) {
  if (isRequestLines(file)) {
    fill(body, el("p", {}, say("new.lines")), startBar(session, () => start(null)).node);
    return;
  }
  try {
    const [sheet, recipe] = await Promise.all([firstRows(file), get("recipe")]);
    if (sheet?.problems) fill(body, problems(say("new.wrong"), { body: sheet }));
    else fill(body, rowsPart(sheet), recipePart(sheet ?? NO_ROWS, recipe, session, start));
  } catch (refusal) {
    fill(body, problems(say(refusal.body?.problems ? "new.wrong" : "new.failed"), refusal));
  }
}

function rowsPart(sheet) {
  if (!sheet) return el("p", { class: "quiet" }, say("new.unread"));
  const title = say("new.rows");
  return el(
    "section",
    {},
    el("h3", {}, title),
    table(sheet.columns, sheet.rows, { label: title, numbered: true }),
  );
}

function recipePart(sheet, folderRecipe, session, start) {
  const asked = askedPanel(sheet, session);
  const form = recipeForm(sheet, { ...folderRecipe, folder: session.folder }, () =>
    asked.update(form.text()),
  );
  const bar = startBar(session, async () => {
    const text = form.text(); // as it is now: it is laid down when this file's turn comes
    if (!form.isFolders()) {
      const { problems: wrong } = await post("recipe/check", { text, ...NO_ROWS });
      if (wrong.length) throw new Refusal(400, "recipe_wrong", "", { problems: wrong });
    }
    start({ text, etag: folderRecipe.etag });
  });
  asked.update(form.text());
  const columns = el("div", { class: "composer-columns" }, form.node, asked.node);
  return el("section", {}, el("h3", {}, say("new.ask")), columns, bar.node);
}

/** The button that starts, and beside it what keeps it from starting. */
function startBar(session, start) {
  const note = hint(session, {
    test: "new.start.test",
    server: "new.start.server",
    provider: "new.start.hint",
  });
  const begin = button(say("new.start"), go, { kind: "main large", icon: "send" });
  const wrong = el("div", { role: "alert" });
  const node = el("div", { class: "start" }, wrong, el("div", { class: "start-line" }, begin, note));

  async function go() {
    begin.disabled = true;
    fill(wrong);
    try {
      await start();
    } catch (refusal) {
      fill(wrong, problems(say(refusal.body.problems ? "ask.problems" : "new.failed"), refusal));
      begin.disabled = false;
    }
  }

  return { node };
}

/** Why the server refuses a table or a recipe: each problem by itself, or the one sentence. */
export function problems(title, refusal) {
  const all = refusal.body?.problems?.map(said) ?? [refusal.message];
  return el(
    "div",
    { class: "problems" },
    el("h4", {}, sign("alert"), title),
    el("ul", {}, ...all.map((text) => el("li", {}, text))),
  );
}
