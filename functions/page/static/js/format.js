// Numbers, sizes, spans and times, as one writes them in the reader's language and zone.

import { LANGUAGE, say } from "./words.js";

const LOCALE = LANGUAGE === "zh" ? "zh-CN" : "en-GB";
const NUMBER = new Intl.NumberFormat(LOCALE);
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric" });
const DATE_OF_YEAR = new Intl.DateTimeFormat(LOCALE, { year: "numeric", month: "short", day: "numeric" });
const DAY = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const DAY_MS = 86_400_000;

export function number(value) {
  return NUMBER.format(value);
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${NUMBER.format(power && value < 10 ? Math.round(value * 10) / 10 : Math.round(value))} ${units[power]}`;
}

/** A span in the largest unit of which there are two at least: 90 seconds, 12 minutes, 3 days. */
export function span(seconds) {
  const steps = [
    ["days", 86_400],
    ["hours", 3600],
    ["minutes", 60],
    ["seconds", 1],
  ];
  const [unit, length] = steps.find(([, length]) => seconds >= 2 * length) ?? steps[3];
  return say(`span.${unit}`, { n: Math.max(1, Math.round(seconds / length)) });
}

/** A time as one says it: 09:30, tomorrow 09:30, 3 Dec 09:30. */
export function moment(iso, now = new Date()) {
  const at = new Date(iso);
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS);
  const clock = CLOCK.format(at);
  if (days === 0) return clock;
  if (Math.abs(days) === 1) return `${DAY.format(days, "day")} ${clock}`;
  return `${(at.getFullYear() === now.getFullYear() ? DATE : DATE_OF_YEAR).format(at)} ${clock}`;
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
