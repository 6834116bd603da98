// The page's logic without its elements, which tests run without a browser. No exports: all scripts are one module.

const LONGEST_LINK = 8000; // accepted by all servers
const MAX_LABELS = 8; // in a sentence

// Returns an id that is unique in this document.
function uniqueId() {
  return `irislib-${Math.random().toString(36).slice(2, 10)}`;
}

// Replaces the names in braces by their values; one without a value stays.
function formatText(template, values) {
  return template.replace(/\{(\w+)\}/g, (match, name) => values[name] ?? match);
}

// Returns the language that the page is in.
function pageLanguage() {
  return globalThis.document?.documentElement.lang || "en";
}

// Formats bytes as megabytes, rounded up to one decimal.
function formatMegabytes(bytes, language = pageLanguage()) {
  return (Math.ceil(bytes / 1e5) / 10).toLocaleString(language);
}

// Returns the decimals of a number, which may have an exponent.
function countDecimals(text) {
  const [digits, exponent = "0"] = text.toLowerCase().split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent));
}

// Returns the next value of a number field as text, or null if there is none. An empty field starts at its lowest value.
function stepNumber(text, direction, { step, low, high, lowest }) {
  const isEmpty = !text.trim();
  const value = isEmpty ? String(lowest ?? 0) : text.trim();
  const decimals = Math.max(...[value, String(step)].map(countDecimals));
  const next = Number((Number(value) + (isEmpty ? 0 : direction * step)).toFixed(Math.min(decimals || 0, 100)));
  return !step || Number.isNaN(next) || next < low || next > high ? null : String(next);
}

// Returns the decimal sign of the reader's language, which is the only one that the number keyboards of phones have.
function decimalSign(language) {
  return new Intl.NumberFormat(language).formatToParts(1.5).find((part) => part.type === "decimal").value;
}

// Returns the text of a number field as Python writes numbers, if the reader's decimal sign is a comma.
function readNumber(text, sign) {
  const match = sign === "," && /^\s*([+\u2212-]?)(\d{1,3}(?:[.\s]\d{3})+|\d*),(\d*)(e[+-]?\d+)?\s*$/i.exec(text);
  if (!match || !(match[2] + match[3])) return text;
  return match[1] + match[2].replace(/[.\s]/g, "") + (match[3] && `.${match[3]}`) + (match[4] ?? "");
}

// Returns a number that Python wrote as the reader writes it.
function writeNumber(text, sign) {
  return sign === "," && /^[+-]?\d*\.\d+(e[+-]?\d+)?$/i.test(text) ? text.replace(".", ",") : text;
}

// Returns what a text such as 1.234 can mean where the decimal sign is a comma, or null if that is clear.
function numberMeanings(text, sign) {
  const number = text.trim();
  if (sign !== "," || !/^[+\u2212-]?[1-9]\d{0,2}\.\d{3}$/.test(number)) return null;
  return { grouped: number.replace(".", ""), decimal: number.replace(".", ",") };
}

// Joins the two ends of a range to one value, which Python parses.
function joinRange(ends) {
  const values = ends.map((end) => end.trim());
  return values.some(Boolean) ? values.join(" to ") : "";
}

function splitRange(text) {
  const ends = text.split(" to ");
  return [ends[0] ?? "", ends[1] ?? ""];
}

// Returns true if the form has the values that were sent; private ones are not compared.
function hasSameValues(fields, sent) {
  return fields.every((field) => field.private || field.read() === sent[field.name]);
}

// Joins labels to a list; of many only the first are named.
function joinLabels(labels, texts) {
  const more = labels.length - MAX_LABELS;
  if (more <= 1) return labels.join(", ");
  return formatText(texts.and_more, { labels: labels.slice(0, MAX_LABELS).join(", "), more });
}

// Returns the sentences below the button, about missing and wrong fields.
function describeState(fields, texts) {
  const labels = (predicate) => joinLabels(fields.filter(predicate).map((field) => field.label), texts);
  const missing = labels((field) => field.isMissing());
  const wrong = labels((field) => field.isWrong() && !field.isMissing());
  const lines = [missing && formatText(texts.missing, { fields: missing }), wrong && formatText(texts.wrong, { fields: wrong })];
  return lines.filter(Boolean).join(" ");
}

// Returns a URL that fills in the form, or "" if it is too long. Empty values are left out, unless the field has a default.
function buildLink(address, values, defaults) {
  const entries = Object.entries(values).filter(([name, value]) => value !== "" || defaults[name]);
  const link = `${address}?${new URLSearchParams(entries)}`;
  return link.length > LONGEST_LINK ? "" : link;
}

// Returns the part of the page's address that names a tab, as the browser writes it.
function fragmentOf(title) {
  return `#${encodeURIComponent(title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-"))}`;
}

// Returns a share in percent as Python writes it: one that is neither 0 nor 1 never becomes 0% or 100%.
function formatPercent(share, language = pageLanguage()) {
  if (share === null) return "–";
  const digits = (share >= 0.995 && share < 1) || (share > 0 && share <= 0.005) ? 1 : 0;
  const options = { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "halfEven" };
  return (digits ? Math.min(Math.max(share, 0.001), 0.999) : share).toLocaleString(language, options);
}

// Returns the index of the tab that a key selects, or undefined.
function tabForKey(key, open, count) {
  const last = count - 1;
  return { ArrowRight: open === last ? 0 : open + 1, ArrowLeft: open === 0 ? last : open - 1, Home: 0, End: last }[key];
}

// Returns the start and end of each part of a file.
function sliceRanges(size, length) {
  return Array.from({ length: Math.ceil(size / length) }, (_, i) => [i * length, Math.min((i + 1) * length, size)]);
}

const NEAR = 0.1; // of a chart's width; a point that is farther from the pointer is not meant

// Returns the points of a chart ([x, y, text], as shares of its width and height) in the order in which the keys visit them.
function sortPoints(points) {
  return [...points].sort(([x, y], [otherX, otherY]) => x - otherX || y - otherY);
}

// Returns the point that is nearest to a position, or undefined if none is near.
function nearestPoint(points, x, y, aspect) {
  const distance = ([otherX, otherY]) => Math.hypot(otherX - x, (otherY - y) / aspect);
  const nearest = points.reduce((best, point) => (!best || distance(point) < distance(best) ? point : best), undefined);
  return nearest && distance(nearest) <= NEAR ? nearest : undefined;
}

// Orders two cells: numbers and percentages by their size, before texts in the order of the reader's language.
function compareCells(a, b, sign) {
  const [x, y] = [a, b].map((text) => (text.trim() === "" ? NaN : Number(readNumber(text.replace(/\s*%$/, ""), sign))));
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return Number.isNaN(x) - Number.isNaN(y) || a.localeCompare(b);
}

// Returns the fields by group, in the order in which the groups first appear.
function groupFields(fields) {
  const groups = new Map();
  for (const field of fields) {
    const name = field.group ?? "";
    groups.set(name, [...(groups.get(name) ?? []), field]);
  }
  return [...groups].map(([name, members]) => ({ name, fields: members }));
}

// Returns true if each word of a search is in the name, the label or the group of a field.
function matchesSearch({ name, label, group = "" }, text) {
  const facts = `${name} ${label} ${group}`.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => facts.includes(word));
}
