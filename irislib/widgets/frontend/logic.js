// The page's logic without its elements: tests run it without a browser. No export: all scripts are one module.

const LONGEST_LINK = 8000; // what servers take for certain

// An id that no other page in this document has.
function uniqueId() {
  return `irislib-${Math.random().toString(36).slice(2, 10)}`;
}

// Fills in the names in braces; one without a value stays.
function formatText(template, values) {
  return template.replace(/\{(\w+)\}/g, (match, name) => values[name] ?? match);
}

// Bytes as megabytes, rounded up to one decimal.
function formatMegabytes(bytes) {
  return (Math.ceil(bytes / 1e5) / 10).toString();
}

// The next value of a number field as text, or null if there is none. An empty field starts at its lowest value.
function stepNumber(text, direction, { step, low, high, lowest }) {
  const isEmpty = !text.trim();
  const value = isEmpty ? String(lowest ?? 0) : text.trim();
  const decimals = Math.max(...[value, String(step)].map((number) => (number.split(".")[1] ?? "").length));
  const next = Number((Number(value) + (isEmpty ? 0 : direction * step)).toFixed(Math.min(decimals, 20)));
  return !step || Number.isNaN(next) || next < low || next > high ? null : String(next);
}

// The two ends of a range as one value, which Python parses.
function joinRange(ends) {
  const values = ends.map((end) => end.trim());
  return values.some(Boolean) ? values.join(" to ") : "";
}

function splitRange(text) {
  const ends = text.split(" to ");
  return [ends[0] ?? "", ends[1] ?? ""];
}

// Whether the form holds the values that were sent; private ones are not compared.
function hasSameValues(fields, sent) {
  return fields.every((field) => field.private || field.read() === sent[field.name]);
}

// The sentences below the button: which fields are missing, which are wrong.
function describeState(fields, texts) {
  const labels = (predicate) => fields.filter(predicate).map((field) => field.label).join(", ");
  const missing = labels((field) => field.isMissing());
  const wrong = labels((field) => field.isWrong() && !field.isMissing());
  const lines = [missing && formatText(texts.missing, { fields: missing }), wrong && formatText(texts.wrong, { fields: wrong })];
  return lines.filter(Boolean).join(" ");
}

// An address that fills in the form, or "" if it is too long. Empty values are left out, unless the field has a default.
function buildLink(address, values, defaults) {
  const entries = Object.entries(values).filter(([name, value]) => value !== "" || defaults[name]);
  const link = `${address}?${new URLSearchParams(entries)}`;
  return link.length > LONGEST_LINK ? "" : link;
}

// The tab that a key leads to, or undefined.
function tabForKey(key, open, count) {
  const last = count - 1;
  return { ArrowRight: open === last ? 0 : open + 1, ArrowLeft: open === 0 ? last : open - 1, Home: 0, End: last }[key];
}

// The start and end of each part of a file.
function sliceRanges(size, length) {
  return Array.from({ length: Math.ceil(size / length) }, (_, i) => [i * length, Math.min((i + 1) * length, size)]);
}
