// The first rows of a file in hand, read by the server as it will read the dropped file.

import { postBytes } from "../api.js";

const TEXT_BYTES = 256 * 1024;
const WHOLE_BYTES = 8_000_000; // workbooks, Parquet and packed files tell nothing by their beginning

export function isRequestLines(file) {
  return /\.(jsonl|ndjson)(\.gz)?$/i.test(file.name);
}

/** Columns and at most five rows; null for a kind or a size that only the whole file tells. */
export async function firstRows(file) {
  if (/\.(csv|tsv|txt)$/i.test(file.name)) return read(file, TEXT_BYTES);
  return file.size <= WHOLE_BYTES ? read(file, WHOLE_BYTES) : null;
}

async function read(file, maxBytes) {
  return postBytes("table", { name: file.name }, file.slice(0, maxBytes));
}
