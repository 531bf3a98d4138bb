import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES, language, shown, t, duration } from "../src/text/index.ts";

test("every language has every text, with the same places to fill in", () => {
  const [first, ...others] = Object.values(LANGUAGES).map(({ texts }) => texts as Record<string, string | object>);
  const places = (text: unknown) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().filter((n, i, all) => n !== all[i - 1]);
  for (const other of others) {
    assert.deepEqual(Object.keys(other).sort(), Object.keys(first!).sort());
    for (const [name, text] of Object.entries(first!)) assert.deepEqual(places(other[name]), places(text), name);
  }
});

test("numbers, days and plurals follow the language", () => {
  language.value = "vi";
  assert.equal(shown(1234.5), "1.234,5");
  assert.equal(t("rows", { n: 1234 }), "1.234 dòng");
  language.value = "en";
  assert.equal(shown(1234.5), "1,234.5");
  assert.equal(t("rows", { n: 1 }), "1 row");
  assert.equal(t("rows", { n: 2 }), "2 rows");
  assert.equal(shown("2026-03-01", "DATE"), "Mar 1, 2026");
  assert.equal(shown(null), "–");
});

test("a lag is told in a unit that people grasp", () => {
  assert.equal(duration(1.2), "1 second");
  assert.equal(duration(90), "90 seconds");
  assert.equal(duration(7200), "2 hours");
});
