// From rows of a view to a chart's option.
import type { Row } from "../api/client.ts";
import { kind as called, number, shortDay, shortTime, shown } from "../text/index.ts";
import type { Option } from "./chart.tsx";

// A label on an axis of days or minutes: short, as many stand beside each other.
const label = (type: string) => (value: string) => (type === "DATE" ? shortDay(value) : shortTime(value));

// Names stand over their axis, inwards, so that they are never cut.
const LEFT = { nameTextStyle: { align: "left", padding: [0, 0, 0, -20] } };
const RIGHT = { nameTextStyle: { align: "right", padding: [0, -20, 0, 0] } };

function places(rows: Row[], x: string, type: string) {
  const data = [...new Set(rows.map((row) => String(row[x])))].sort();
  const pointer = { label: { formatter: ({ value }: { value: string }) => shown(value, type) } };
  return { data, axis: { type: "category", data, axisPointer: pointer, axisLabel: { formatter: label(type), hideOverlap: true } } };
}

// A day between two without a value has no line, so it is a dot.
function dots(values: unknown[]) {
  const missing = (place: number) => (values[place] ?? null) === null;
  return { showSymbol: true, symbolSize: (_: unknown, { dataIndex: place }: { dataIndex: number }) => (missing(place - 1) && missing(place + 1) ? 6 : 0) };
}

// One line or stack of bars for each value of `by`, over the days or minutes of `over`; `unit` names what is counted.
export function over(
  rows: Row[], x: string, type: string, by: string | undefined, measures: Record<string, string>, kind: "line" | "bar", unit = "",
): Option {
  const { data, axis } = places(rows, x, type);
  const groups = by ? [...new Set(rows.map((row) => String(row[by])))].sort() : [""];
  const series = groups.flatMap((group) =>
    Object.entries(measures).map(([measure, name]) => {
      const at = new Map(rows.filter((row) => !by || String(row[by]) === group).map((row) => [String(row[x]), row[measure]]));
      const values = data.map((place) => at.get(place) ?? (kind === "bar" ? 0 : null));
      return { name: group ? called(group) : name, type: kind, stack: kind === "bar" && by ? "all" : undefined, ...dots(values), data: values };
    }),
  );
  return { xAxis: axis, yAxis: { type: "value", name: unit, ...LEFT, axisLabel: { formatter: number } }, series };
}

// Two measures that are not of one kind over the same days, each with an axis of its own.
export function twice(rows: Row[], x: string, type: string, left: [string, string], right: [string, string]): Option {
  const { axis } = places(rows, x, type);
  const sorted = [...rows].sort((a, b) => (String(a[x]) < String(b[x]) ? -1 : 1));
  const of = ([measure, name]: [string, string], place: number) => {
    const values = sorted.map((row) => row[measure] ?? null);
    return { name, type: place ? "line" : "bar", yAxisIndex: place, ...dots(values), data: values };
  };
  const value = (name: string) => ({ type: "value", name, ...LEFT, axisLabel: { formatter: number } });
  return { xAxis: axis, yAxis: [value(left[1]), { ...value(right[1]), ...RIGHT, splitLine: { show: false } }], series: [of(left, 0), of(right, 1)] };
}

// One bar for each row, the first at the top.
export function ranked(rows: Row[], name: string, measures: Record<string, string>, unit = ""): Option {
  return {
    xAxis: { type: "value", name: unit, nameLocation: "middle", nameGap: 26, axisLabel: { formatter: number, hideOverlap: true } },
    yAxis: { type: "category", inverse: true, data: rows.map((row) => String(row[name])), axisLabel: { width: 130, overflow: "truncate" } },
    series: Object.entries(measures).map(([measure, label]) => ({ name: label, type: "bar", barMaxWidth: 22, data: rows.map((row) => row[measure]) })),
  };
}

// The same with the measures behind each other in one bar, where they add up to a whole.
export function stacked(rows: Row[], name: string, measures: Record<string, string>, unit = ""): Option {
  const option = ranked(rows, name, measures, unit);
  return { ...option, series: (option.series as object[]).map((one) => ({ ...one, stack: "all" })) };
}

// One upright bar for each band of a distribution.
export function columns(rows: Row[], name: string, across: string, measure: string, label: string): Option {
  return {
    legend: { show: false },
    xAxis: { type: "category", name: across, nameLocation: "middle", nameGap: 26, data: rows.map((row) => String(row[name])), axisLabel: { hideOverlap: true } },
    yAxis: { type: "value", name: label, ...LEFT, minInterval: 1, axisLabel: { formatter: number } },
    series: [{ name: label, type: "bar", barCategoryGap: "12%", data: rows.map((row) => row[measure]) }],
  };
}

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour));

// A field of squares, further from the ground where the measure is larger.
export function heat(rows: Row[], x: string, type: string, y: string, measure: string, colours: string[]): Option {
  const { axis } = places(rows, x, type);
  const most = Math.max(1, ...rows.map((row) => Number(row[measure])));
  return {
    aria: { decal: { show: false } },
    tooltip: { trigger: "item", renderMode: "richText", confine: true, formatter: ({ value }: { value: [string, string, number] }) => `${shown(value[0], type)}, ${value[1]}:00\n${number(value[2])}` },
    xAxis: axis,
    yAxis: { type: "category", data: HOURS, axisLabel: { interval: 3, formatter: (hour: string) => `${hour.padStart(2, "0")}:00` } },
    visualMap: {
      min: 0, max: most, orient: "horizontal", top: 0, right: 0, itemWidth: 10, itemHeight: 90, text: [number(most), "0"], textGap: 6, inRange: { color: colours },
    },
    series: [{ type: "heatmap", data: rows.map((row) => [String(row[x]), String(row[y]), row[measure]]) }],
  };
}

// Points by two numbers, and lines across at some heights.
export function scatter(
  points: { name: string; value: [number, number] }[], names: { x: string; y: string; points: string }, lines: { name: string; at: number }[],
): Option {
  const right = Math.max(1, ...points.map(({ value }) => value[0]));
  return {
    tooltip: {
      trigger: "item", renderMode: "richText", confine: true,
      formatter: ({ name, seriesName, value }: { name: string; seriesName: string; value: [number, number] }) =>
        name ? `${name}\n${names.x}: ${number(value[0])}\n${names.y}: ${number(value[1])}` : `${seriesName}: ${number(value[1])}`,
    },
    xAxis: { type: "value", name: names.x, nameLocation: "middle", nameGap: 26, axisLabel: { formatter: number } },
    yAxis: { type: "value", name: names.y, ...LEFT, axisLabel: { formatter: number } },
    series: [
      { name: names.points, type: "scatter", symbolSize: 8, itemStyle: { opacity: 0.75 }, data: points },
      ...lines.map(({ name, at }) => ({ name, type: "line", symbol: "none", lineStyle: { type: "dashed" }, data: [[0, at], [right, at]] })),
    ],
  };
}
