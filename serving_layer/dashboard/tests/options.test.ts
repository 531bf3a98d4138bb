import assert from "node:assert/strict";
import { test } from "node:test";
import { over, ranked, scatter } from "../src/charts/options.ts";
import { joined } from "../src/panels/scatter.tsx";

const ROWS = [
  { date: "2026-03-02", kind: "a", n: 1 },
  { date: "2026-03-01", kind: "b", n: 2 },
];

test("bars of a day without a row are 0, lines have a gap there", () => {
  const bars = over(ROWS, "date", "DATE", "kind", { n: "" }, "bar") as { series: { name: string; data: unknown[] }[] };
  assert.deepEqual(bars.series.map(({ name, data }) => [name, data]), [["a", [0, 1]], ["b", [2, 0]]]);
  const lines = over(ROWS, "date", "DATE", "kind", { n: "" }, "line") as { series: { data: unknown[] }[] };
  assert.deepEqual(lines.series.map(({ data }) => data), [[null, 1], [2, null]]);
});

test("ranked bars keep the order of the answer", () => {
  const option = ranked(ROWS, "kind", { n: "N" }) as { yAxis: { data: unknown[] }; series: { data: unknown[] }[] };
  assert.deepEqual(option.yAxis.data, ["a", "b"]);
  assert.deepEqual(option.series[0]?.data, [1, 2]);
});

test("a point needs a grade and activity, and quartiles are lines across", () => {
  const points = joined([{ user_id: "a", avg_assignment_score: 50 }, { user_id: "b", avg_assignment_score: 60 }], [{ user_id: "a", total_events: 7 }]);
  assert.deepEqual(points, [{ name: "a", value: [7, 50] }]);
  const option = scatter(points, { x: "x", y: "y", points: "p" }, [{ name: "median", at: 50 }]) as { series: { data: unknown[] }[] };
  assert.deepEqual(option.series.map(({ data }) => data), [points, [[0, 50], [7, 50]]]);
});

test("a day whose neighbours have no value is a dot", () => {
  const rows = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"].map((date, n) => ({ date, kind: n === 1 ? "b" : "a", n: 1 }));
  const { series } = over(rows, "date", "DATE", "kind", { n: "" }, "line") as unknown as { series: { symbolSize: (value: unknown, at: { dataIndex: number }) => number }[] };
  const drawn = series.map(({ symbolSize }) => rows.map((_, dataIndex) => symbolSize(null, { dataIndex }) > 0));
  assert.deepEqual(drawn[0], [true, false, false, false]);
  assert.equal(drawn[1]![1], true);
});
