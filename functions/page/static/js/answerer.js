// Who answers, as a local cloud says it: nobody may take made-up answers for a model's.

import { el, shown, sign } from "./dom.js";
import { say } from "./words.js";

/** `test`, `test:ark` (one provider's only), `server:NAME`, or empty: the providers themselves. */
function parts(session) {
  const [kind, ...name] = session.answered_by.split(":");
  return { kind, name: shown(name.join(":")) };
}

/** What stands at the top for as long as the page is open; null where the providers answer. */
export function answererTag(session) {
  const { kind, name } = parts(session);
  if (kind === "server") return el("span", { class: "tag" }, say("by.server", { name }));
  if (kind !== "test") return null;
  const words = name ? say("by.test.some", { name }) : say("by.test");
  return el("strong", { class: "tag made-up" }, sign("alert"), words);
}

/** Beside what asks: who answers it, and the price only where there is one. */
export function hint(session, { test, server, provider }) {
  const { kind, name } = parts(session);
  if (kind === "server") return el("p", { class: "quiet" }, say(server, { name }));
  if (kind === "test" && !name) return el("p", { class: "made-up" }, sign("alert"), say(test));
  return el("p", { class: "quiet" }, say(provider));
}

/** Whether no model answers at all. */
export function isMadeUp(session) {
  return session.answered_by === "test";
}
