// What people fill in, as the text of a batch.yaml, and back the little that a new one keeps.

const PLAIN = /^[\p{L}_][\p{L}\p{N}_.\-/]*$/u;
// What YAML 1.1 reads as something else than a text (https://yaml.org/type/bool.html, null.html).
const TAKEN = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
// Any other name may be none to Jinja, whose letters are those of its Python.
const NAME = /^[A-Za-z_\u4e00-\u9fa5][A-Za-z0-9_\u4e00-\u9fa5]*$/;
// Words of Jinja's, and `row`, which is the whole row.
const RESERVED =
  /^(?:row|loop|self|true|false|none|and|or|not|in|is|if|else|for|import|caller|varargs|kwargs)$/i;

/** The recipe for the task that was chosen. */
export function renderRecipe(task, { provider, model, column, labels, fields, to, prompt }) {
  const head = [...(provider ? [`provider: ${scalar(provider)}`] : []), `model: ${scalar(model)}`];
  const tasks = {
    classify: () => [
      "classify:",
      `  column: ${scalar(column)}`,
      `  labels: [${listed(labels).map(scalar).join(", ")}]`,
    ],
    extract: () => ["extract:", `  column: ${scalar(column)}`, "  fields:", ...fieldsOf(fields)],
    translate: () => ["translate:", `  column: ${scalar(column)}`, `  to: ${scalar(to)}`],
    prompt: () => promptOf(prompt),
  };
  return [...head, ...tasks[task](), ""].join("\n");
}

/** How a prompt names a column. */
export function reference(column) {
  return NAME.test(column) && !RESERVED.test(column)
    ? `{{ ${column} }}`
    : `{{ row[${JSON.stringify(column)}] }}`;
}

/** Provider and model of a recipe, so that a new task goes to the same one. */
export function modelOf(text) {
  const value = (key) => new RegExp(`^${key}:[ \\t]*["']?([^"'#\\s]+)`, "m").exec(text)?.[1];
  return { provider: value("provider"), model: value("model") };
}

function listed(text) {
  return text
    .split(/[,，、;；\n]/)
    .map((part) => part.trim())
    .filter(Boolean);
}

function fieldsOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.map((line) => {
    const [, name, meaning = ""] = /^\s*(.*?)\s*(?:[:：]\s*(.*?)\s*)?$/.exec(line);
    const choices = /^[[［【](.*)[\]］】]$/.exec(meaning);
    const value = choices ? `[${listed(choices[1]).map(scalar).join(", ")}]` : meaning && scalar(meaning);
    return `    ${scalar(name)}:${value ? ` ${value}` : ""}`;
  });
}

/** A block where YAML can keep it as it is; else a quoted text. */
function promptOf(prompt) {
  const text = prompt.replace(/\s+$/, "");
  const lines = text.split("\n");
  const isPlain = text && !/^\s/.test(text) && !UNPRINTABLE.test(text);
  return isPlain
    ? ["prompt: |", ...lines.map((line) => (line ? `  ${line}` : ""))]
    : [`prompt: ${quoted(text)}`];
}

function scalar(text) {
  return PLAIN.test(text) && !TAKEN.test(text) ? text : quoted(text);
}

// What may not stand in YAML as it is (https://yaml.org/spec/1.1/#c-printable).
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;

function quoted(text) {
  const all = new RegExp(UNPRINTABLE.source, "g");
  return JSON.stringify(text).replace(
    all,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The column with the most words: what people mostly ask about. Digits are none, however many there
 * are; a Chinese character is as much as three letters.
 */
export function columnOfWords(columns, rows) {
  const count = (text, kind) => (text.match(kind) ?? []).length;
  const words = (text) => count(text, /\p{L}/gu) + 2 * count(text, /\p{Script=Han}/gu);
  const length = (index) => rows.reduce((sum, row) => sum + words(String(row[index] ?? "")), 0);
  const order = columns.map((_, index) => index).sort((one, other) => length(other) - length(one));
  return columns[order[0]] ?? "";
}
