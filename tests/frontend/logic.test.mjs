// Unit tests of irislib/widgets/frontend/logic.js, which has no elements.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const source = await readFile(new URL("../../irislib/widgets/frontend/logic.js", import.meta.url), "utf8");
const names = [...source.matchAll(/^function (\w+)/gm)].map((match) => match[1]);
const module = `${source}\nexport { ${names.join(", ")} };`;
const logic = await import(`data:text/javascript;base64,${Buffer.from(module).toString("base64")}`);

test("a text is filled in, and a name without a value stays", () => {
  assert.equal(logic.formatText("{done} of {total}, {other}", { done: 0, total: "1,000" }), "0 of 1,000, {other}");
});

test("megabytes are rounded up, so that no file looks smaller than a limit that it is above", () => {
  assert.equal(logic.formatMegabytes(8_000_000), "8");
  assert.equal(logic.formatMegabytes(8_000_001), "8.1");
  assert.equal(logic.formatMegabytes(8_000_001, "de"), "8,1");
});

test("a step keeps the decimals of the value and ends at the limits", () => {
  const field = { step: 0.1, low: 0, high: 1, lowest: 0.1 };
  assert.equal(logic.stepNumber("0.2", 1, field), "0.3");
  assert.equal(logic.stepNumber(" ", 1, field), "0.1");
  assert.equal(logic.stepNumber("1", 1, field), null);
  assert.equal(logic.stepNumber("0", -1, field), null);
  assert.equal(logic.stepNumber("1 cm", 1, field), null);
  assert.equal(logic.stepNumber("1", 1, { step: 0 }), null);
  assert.equal(logic.stepNumber("5e-07", 1, { step: 1e-7 }), "6e-7");
  assert.equal(logic.stepNumber("1.5E-7", -1, { step: 1e-8 }), "1.4e-7");
  assert.equal(logic.stepNumber("2e3", 1, { step: 1 }), "2001");
  assert.equal(logic.stepNumber("1e2x", 1, { step: 1 }), null);
});

test("a number field has the decimal sign of the reader's language", () => {
  assert.deepEqual(["en-US", "de-DE", "fr", "ja"].map(logic.decimalSign), [".", ",", ",", "."]);
  const comma = { "6,5": "6.5", " -0,25 ": "-0.25", "1.234,5": "1234.5", "1 234,5": "1234.5", ",5": ".5", "6,": "6", "1,5e3": "1.5e3" };
  for (const [text, number] of Object.entries(comma)) assert.equal(logic.readNumber(text, ","), number);
  for (const text of ["", "6.5", "6", ",", "1,2,3", "1,234.5", "6,5 cm", "1.23,4"]) assert.equal(logic.readNumber(text, ","), text);
  for (const text of ["6,5", "1.234,5", "6.5"]) assert.equal(logic.readNumber(text, "."), text);
  for (const text of ["6.5", "-0.001", "1234", "1e-05", "1.5e-07", "abc", ""]) assert.equal(logic.readNumber(logic.writeNumber(text, ","), ","), text);
  assert.equal(logic.writeNumber("5.843", ","), "5,843");
  assert.equal(logic.writeNumber("5.843", "."), "5.843");
});

test("a point that may group thousands is asked about where the decimal sign is a comma", () => {
  assert.deepEqual(logic.numberMeanings("1.234", ","), { grouped: "1234", decimal: "1,234" });
  for (const text of ["1.5", "0.123", "1234.567", "1,234", "1.234,5", ""]) assert.equal(logic.numberMeanings(text, ","), null);
  assert.equal(logic.numberMeanings("1.234", "."), null);
});

test("a range reads back as itself", () => {
  for (const text of ["", "1 to 2.5", " to 3", "3 to "]) assert.equal(logic.joinRange(logic.splitRange(text)), text);
});

test("private fields are not compared with what was sent", () => {
  const fields = [{ name: "a", read: () => "1" }, { name: "p", private: true, read: () => "secret" }];
  assert.equal(logic.hasSameValues(fields, { a: "1" }), true);
  assert.equal(logic.hasSameValues(fields, { a: "2" }), false);
});

test("a missing field is not called wrong, too", () => {
  const field = (label, missing, wrong) => ({ label, isMissing: () => missing, isWrong: () => wrong });
  const texts = { missing: "Missing: {fields}.", wrong: "Wrong: {fields}." };
  const fields = [field("A", true, true), field("B", true, false), field("C", false, true), field("D", false, false)];
  assert.equal(logic.describeState(fields, texts), "Missing: A, B. Wrong: C.");
  assert.equal(logic.describeState(fields.slice(3), texts), "");
});

test("of hundreds of missing fields the first are named", () => {
  const texts = { missing: "Missing: {fields}.", and_more: "{labels} and {more} more" };
  const fields = [..."ABCDEFGHIJK"].map((label) => ({ label, isMissing: () => true, isWrong: () => false }));
  assert.equal(logic.describeState(fields, texts), "Missing: A, B, C, D, E, F, G, H and 3 more.");
  assert.equal(logic.describeState(fields.slice(0, 9), texts), "Missing: A, B, C, D, E, F, G, H, I.");
});

test("a link leaves out empty values without a default, and is empty if too long", () => {
  const link = logic.buildLink("http://x/iris", { a: "1 & 2", b: "", c: "" }, { c: "3" });
  assert.equal(link, "http://x/iris?a=1+%26+2&c=");
  assert.equal(logic.buildLink("http://x/iris", { a: "x".repeat(9000) }, {}), "");
});

test("arrow keys go around the tabs", () => {
  assert.equal(logic.tabForKey("ArrowRight", 2, 3), 0);
  assert.equal(logic.tabForKey("ArrowLeft", 0, 3), 2);
  assert.equal(logic.tabForKey("End", 0, 3), 2);
  assert.equal(logic.tabForKey("Enter", 0, 3), undefined);
});

test("the parts of a file cover it without a gap", () => {
  assert.deepEqual(logic.sliceRanges(0, 4), []);
  assert.deepEqual(logic.sliceRanges(8, 4), [[0, 4], [4, 8]]);
  assert.deepEqual(logic.sliceRanges(9, 4), [[0, 4], [4, 8], [8, 9]]);
});

test("a tab is named in the address in letters of any language", () => {
  assert.equal(logic.fragmentOf("Why"), "#why");
  assert.equal(logic.fragmentOf("Größe & Form"), "#gr%C3%B6%C3%9Fe-form");
});

test("the point nearest to the pointer is meant, if it is near", () => {
  const points = [[0.1, 0.5, "a"], [0.5, 0.5, "b"]];
  assert.equal(logic.nearestPoint(points, 0.48, 0.52, 1)[2], "b");
  assert.equal(logic.nearestPoint(points, 0.3, 0.5, 1), undefined);
  assert.equal(logic.nearestPoint(points, 0.1, 0.58, 2)[2], "a");
  assert.equal(logic.nearestPoint([], 0.1, 0.5, 1), undefined);
});


test("a share is written as Python writes it", () => {
  for (const [language, texts] of Object.entries(JSON.parse(process.env.SHARES))) { // as Python wrote them
    for (const [share, text] of texts) assert.equal(logic.formatPercent(share, language), text, `${share} in ${language}`);
  }
  assert.equal(logic.formatPercent(null), "–");
});

test("cells are in the order of their numbers, and texts after them", () => {
  assert.deepEqual(["b", "10", "", "9", "a", "-1"].sort(logic.compareCells), ["-1", "9", "10", "", "a", "b"]);
  assert.deepEqual(["100 %", "7,5 %", "9 %"].sort((a, b) => logic.compareCells(a, b, ",")), ["7,5 %", "9 %", "100 %"]);
});

test("fields are grouped in the order in which their groups first appear", () => {
  const fields = [{ name: "a", group: "Petal" }, { name: "b" }, { name: "c", group: "Petal" }];
  const groups = logic.groupFields(fields).map(({ name, fields: members }) => [name, members.map((field) => field.name)]);
  assert.deepEqual(groups, [["Petal", ["a", "c"]], ["", ["b"]]]);
});

test("a search finds a field whose name, label or group has all its words", () => {
  const field = { name: "petal_length_cm", label: "Length", group: "Petal" };
  for (const text of ["", "length", "PETAL len", "length_cm"]) assert.equal(logic.matchesSearch(field, text), true, text);
  for (const text of ["sepal", "petal width"]) assert.equal(logic.matchesSearch(field, text), false, text);
});
