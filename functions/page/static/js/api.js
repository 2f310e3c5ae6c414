// Calls of the page's API. The link's token stands in the fragment, which no server gets to see.

import { LANGUAGE, say } from "./words.js";

const LONGEST_MS = 600_000; // as long as the page's function may run: behind that, nobody answers

/** What the server refused, with its words for people; status 0: it was not reached. */
export class Refusal extends Error {
  constructor(status, code, text, body = {}) {
    super(text);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}

export async function get(path, query = {}) {
  const asked = new URLSearchParams(query).toString();
  return call("GET", asked ? `${path}?${asked}` : path);
}

/** What only a local cloud tells of itself; null anywhere else. */
export async function getStatus() {
  const answer = await fetch("status.json", { cache: "no-store", credentials: "omit" }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

export async function post(path, value) {
  return call("POST", path, JSON.stringify(value), "application/json");
}

export async function put(path, value) {
  return call("PUT", path, JSON.stringify(value), "application/json");
}

/** The first bytes of a dropped file, to be read as a table. */
export async function postBytes(path, query, blob) {
  return call("POST", `${path}?${new URLSearchParams(query)}`, blob, "application/octet-stream");
}

async function call(method, path, body, type) {
  const headers = { "X-Batchdrop": "page" };
  const token = location.hash.slice(1);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (type) headers["Content-Type"] = type;
  const signal = AbortSignal.timeout(LONGEST_MS);
  const asked = { method, headers, body, signal, cache: "no-store", credentials: "omit" };
  let answer;
  try {
    answer = await fetch(`api/${path}`, asked);
  } catch {
    throw new Refusal(0, "unreachable", say("error.unreachable"));
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const text = value[LANGUAGE] ?? say("error.server", { status: answer.status });
    throw new Refusal(answer.status, value.error ?? "", text, value);
  }
  return value;
}

/** Put a file straight into the bucket by the signed form; tells how far it is, from 0 to 1. */
export function upload({ url, fields }, file, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file); // the last field: the store reads nothing behind it
  const request = new XMLHttpRequest(); // fetch tells nothing of how far an upload is
  const done = new Promise((resolve, reject) => {
    const refuse = (code, text) => reject(new Refusal(request.status, code, text));
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else refuse("upload_refused", say("error.upload", { status: request.status }));
    });
    request.addEventListener("error", () => refuse("unreachable", say("error.cut")));
    request.addEventListener("abort", () => refuse("stopped", ""));
  });
  request.open("POST", url);
  request.send(form);
  return { done, stop: () => request.abort() };
}
