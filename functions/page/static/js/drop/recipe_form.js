// The recipe as a form: the folder's own, one of the tasks, a prompt, or the text itself.

import { button, el, fill, shown } from "../dom.js";
import { say } from "../words.js";
import { columnOfWords, modelOf, reference, renderRecipe } from "./recipe_text.js";

const TASKS = ["classify", "extract", "translate", "prompt"];
const FIELDS = { classify: "labels", extract: "fields", translate: "to", prompt: "prompt" };

export function recipeForm({ columns, rows }, folderRecipe, onChange) {
  const asked = columnOfWords(columns, rows);
  const values = { ...defaults(asked), ...known(folderRecipe) };
  let choice = folderRecipe.text ? "folder" : "classify";
  let text = folderRecipe.text ?? ""; // of the last choice that is text
  const fields = el("div", { class: "fields" });
  const choices = [...(folderRecipe.text ? ["folder"] : []), ...TASKS, "text"];
  const node = el("div", { class: "recipe" }, tabs(), fields);

  function tabs() {
    const tab = (name) => {
      const input = { type: "radio", name: "task", value: name, checked: name === choice, class: "unseen" };
      return el(
        "label",
        { class: "tab" },
        el("input", { ...input, on: { change: () => choose(name) } }),
        el("span", {}, say(`task.${name}`)),
      );
    };
    return el(
      "div",
      { class: "tabs", role: "radiogroup", "aria-label": say("new.ask") },
      ...choices.map(tab),
    );
  }

  function choose(name) {
    if (name === "text") text = recipe(); // one goes on with what the form has made
    choice = name;
    draw();
    onChange();
  }

  function recipe() {
    if (choice === "folder") return folderRecipe.text;
    return choice === "text" ? text : renderRecipe(choice, values);
  }

  function draw() {
    const replaces = folderRecipe.path === `${folderRecipe.folder}batch.yaml`;
    const note = el(
      "p",
      { class: "quiet" },
      say(replaces ? "form.replaced" : folderRecipe.folder ? "form.saved" : "form.saved.all"),
    );
    if (choice === "folder") fill(fields, ...theFolders(folderRecipe));
    else if (choice === "text")
      fill(
        fields,
        textField("form.recipe", text, 12, (value) => (text = value)),
        note,
      );
    else fill(fields, modelField(), ...taskFields(), note);
  }

  const modelField = () => lineField("form.model", values.model, set("model"));

  function taskFields() {
    const name = FIELDS[choice];
    if (choice === "prompt") return [promptField(columns, values.prompt, set("prompt"))];
    const own =
      choice === "extract"
        ? [
            textField("form.fields", values.fields, 4, set("fields")),
            el("p", { class: "quiet" }, say("form.fields.hint")),
          ]
        : [lineField(`form.${name}`, values[name], set(name))];
    return [columnField(columns, values.column, set("column")), ...own];
  }

  function set(name) {
    return (value) => {
      values[name] = value;
    };
  }

  fields.addEventListener("input", () => onChange());
  draw();
  return { node, text: recipe, isFolders: () => choice === "folder" };
}

function theFolders({ text, path }) {
  const from = path && el("p", { class: "quiet" }, say("form.from", { path: shown(path) }));
  return [from, el("pre", { class: "recipe-text", tabindex: "0" }, text)];
}

function defaults(column) {
  const text = (name, values) => say(`form.${name}.default`, values);
  const prompt = text("prompt", { column: reference(column) });
  return {
    model: "qwen-flash",
    column,
    labels: text("labels"),
    fields: text("fields"),
    to: text("to"),
    prompt,
  };
}

/** A new task asks whom the folder's recipe asks. */
function known(folderRecipe) {
  const { provider, model } = modelOf(folderRecipe.text ?? "");
  return { ...(provider && { provider }), ...(model && { model }) };
}

function field(key, control) {
  return el("label", { class: "field" }, el("span", { class: "field-name" }, say(key)), control);
}

function lineField(key, value, onInput) {
  const input = el("input", { type: "text", value, spellcheck: "false", autocomplete: "off" });
  input.addEventListener("input", () => onInput(input.value));
  return field(key, input);
}

function textField(key, value, rows, onInput) {
  const area = el("textarea", { rows, value, spellcheck: "false" });
  area.addEventListener("input", () => onInput(area.value));
  return field(key, area);
}

function columnField(columns, value, onInput) {
  if (!columns.length) return lineField("form.column", value, onInput);
  const options = columns.map((column) =>
    el("option", { value: column, selected: column === value }, shown(column)),
  );
  const select = el("select", {}, ...options);
  select.addEventListener("input", () => onInput(select.value));
  return field("form.column", select);
}

function promptField(columns, value, onInput) {
  const whole = textField("form.prompt", value, 7, onInput);
  const area = whole.querySelector("textarea");
  const insert = (column) => {
    area.setRangeText(reference(column), area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const chips = columns.map((column) => button(shown(column), () => insert(column), { kind: "chip" }));
  const line = el(
    "div",
    { class: "chips", role: "group", "aria-label": say("form.insert") },
    el("span", { class: "quiet" }, say("form.insert")),
    ...chips,
  );
  return el("div", {}, whole, chips.length > 0 && line);
}
