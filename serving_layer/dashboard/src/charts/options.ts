// From rows of a view to a chart's option.
import type { Row } from "../api/client.ts";
import { number, shown } from "../text/index.ts";
import type { Option } from "./chart.tsx";

// One line or stack of bars for each value of `by`, over the days or minutes of `over`.
export function over(rows: Row[], x: string, type: string, by: string | undefined, measures: Record<string, string>, kind: "line" | "bar"): Option {
  const places = [...new Set(rows.map((row) => String(row[x])))].sort();
  const groups = by ? [...new Set(rows.map((row) => String(row[by])))].sort() : [""];
  const series = groups.flatMap((group) =>
    Object.entries(measures).map(([measure, name]) => {
      const at = new Map(rows.filter((row) => !by || String(row[by]) === group).map((row) => [String(row[x]), row[measure]]));
      return {
        name: group || name,
        type: kind,
        stack: kind === "bar" && by ? "all" : undefined,
        showSymbol: places.length < 40,
        data: places.map((place) => at.get(place) ?? (kind === "bar" ? 0 : null)),
      };
    }),
  );
  return {
    xAxis: { type: "category", data: places, axisLabel: { formatter: (value: string) => shown(value, type) } },
    yAxis: { type: "value", axisLabel: { formatter: number } },
    series,
  };
}

// One bar for each row, the first at the top.
export function ranked(rows: Row[], name: string, measures: Record<string, string>): Option {
  return {
    xAxis: { type: "value", axisLabel: { formatter: number } },
    yAxis: { type: "category", inverse: true, data: rows.map((row) => String(row[name])), axisLabel: { width: 150, overflow: "truncate" } },
    series: Object.entries(measures).map(([measure, label]) => ({ name: label, type: "bar", data: rows.map((row) => row[measure]) })),
  };
}

// A field of squares, darker where the measure is larger.
export function heat(rows: Row[], x: string, type: string, y: string, measure: string): Option {
  const across = [...new Set(rows.map((row) => String(row[x])))].sort();
  const down = Array.from({ length: 24 }, (_, hour) => String(hour));
  const values = rows.map((row) => Number(row[measure]));
  return {
    aria: { decal: { show: false } },
    tooltip: { trigger: "item" },
    xAxis: { type: "category", data: across, axisLabel: { formatter: (value: string) => shown(value, type) } },
    yAxis: { type: "category", data: down },
    visualMap: { min: 0, max: Math.max(1, ...values), show: false, inRange: { color: ["#dbe7f9", "#1f5fbf", "#0b2a5c"] } },
    series: [{ type: "heatmap", data: rows.map((row) => [String(row[x]), String(row[y]), row[measure]]) }],
  };
}

// Points by two numbers, and lines across at some heights.
export function scatter(
  points: { name: string; value: [number, number] }[], names: { x: string; y: string; points: string }, lines: { name: string; at: number }[],
): Option {
  const right = Math.max(1, ...points.map(({ value }) => value[0]));
  return {
    tooltip: { trigger: "item", renderMode: "richText", confine: true },
    xAxis: { type: "value", name: names.x, nameLocation: "middle", nameGap: 24, axisLabel: { formatter: number } },
    yAxis: { type: "value", name: names.y, axisLabel: { formatter: number } },
    series: [
      { name: names.points, type: "scatter", symbolSize: 8, data: points },
      ...lines.map(({ name, at }) => ({ name, type: "line", symbol: "none", lineStyle: { type: "dashed" }, data: [[0, at], [right, at]] })),
    ],
  };
}
