// Elements, made so that nothing of people's files can become markup: text goes in as text alone.

const SVG = "http://www.w3.org/2000/svg";

/** Signs of 16 by 16, each one path: a state is told by its sign and its word, never by colour. */
const SIGNS = {
  alert: "M8 4.5v4.5M8 11.6v.1M8 1.5 15 14H1z",
  arrow: "M8 2.5v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  check: "M3 8.5 6.5 12 13 4.5",
  chevron: "M4 6l4 4 4-4",
  cross: "M4 4l8 8M12 4l-8 8",
  file: "M4 1.5h5.5L13 5v9.5H4zM9 1.5V5.5h4",
  half: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM8 5v3.5M8 11v.1",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5 12 8l-7 4.5z",
  redo: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14",
  send: "M8 13.5V3M4 7l4-4 4 4",
  stop: "M4 4h8v8H4z",
};

/** An element. Attributes that are false, null or undefined are left out; `on` has its listeners. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === "value") {
      node.value = value;
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...filled(children));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...filled(children));
  return node;
}

export function sign(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "sign");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SIGNS[name]);
  svg.append(path);
  return svg;
}

export function button(label, listener, { kind = "plain", icon, ...attributes } = {}) {
  const all = { type: "button", class: `button ${kind}`, on: { click: listener }, ...attributes };
  return el("button", all, icon && sign(icon), el("span", {}, label));
}

/** A name as text that cannot rearrange what stands around it. */
export function named(text, attributes = {}) {
  return el("bdi", attributes, shown(text));
}

// Control characters, and those of Unicode that change the direction of what follows
// (https://www.unicode.org/reports/tr9/#Bidi_Controls): a name could pass for another by them.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export function shown(text) {
  return String(text).replace(HIDDEN, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A cell's text: its line ends and tabs are part of it. */
function cellText(text) {
  return String(text ?? "")
    .replace(/\r\n?/g, "\n")
    .split(/([\n\t])/)
    .map((part, index) => (index % 2 ? part : shown(part)))
    .join("");
}

const LONG_TEXT = 16; // characters; such a column gets more room

/** A table that scrolls sideways by itself, also from the keyboard. */
export function table(named, rows, { label, numbered = false }) {
  const width = Math.max(named.length, ...rows.map((row) => row.length)); // a wrong row may be longer
  const columns = [...named, ...Array(width - named.length).fill("")];
  const isLong = columns.map((_, index) => rows.some((row) => String(row[index] ?? "").length > LONG_TEXT));
  const cell = (tag, text, index) => el(tag, { class: isLong[index] && "wide" }, cellText(text));
  const head = columns.map((column, index) => {
    const th = cell("th", column, index);
    th.scope = "col";
    return th;
  });
  const body = rows.map((row, index) => {
    const cells = row.map((text, place) => cell("td", text, place));
    return el("tr", {}, numbered && el("th", { scope: "row", class: "number" }, String(index + 1)), ...cells);
  });
  const top = el("tr", {}, numbered && el("td", { class: "number" }), ...head);
  return el(
    "div",
    { class: "sheet", tabindex: "0", role: "region", "aria-label": label },
    el("table", {}, el("thead", {}, top), el("tbody", {}, ...body)),
  );
}

function filled(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}
