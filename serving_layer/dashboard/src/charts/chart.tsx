// A chart of ECharts, drawn as SVG in the page's own colours, with a description for who can't see it.
import { BarChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { palette } from "../theme.ts";

echarts.use([
  BarChart, HeatmapChart, LineChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent,
  VisualMapComponent, SVGRenderer,
]);

// Charts are drawn one a frame: the first is seen before the last is made.
const turns = new Set<() => void>();
let drawn = false;

function nextTurn(): void {
  const [draw] = turns;
  drawn = draw !== undefined;
  if (!draw) return;
  turns.delete(draw);
  requestAnimationFrame(nextTurn);
  draw();
}

// Calls `draw` now or when it is its turn, unless what is returned was called before.
function inTurn(draw: () => void): () => void {
  turns.add(draw);
  if (!drawn) nextTurn();
  return () => void turns.delete(draw);
}

export type Option = echarts.EChartsCoreOption;

export interface ChartProps {
  label: string;
  option: Option;
  // How many rows have bars below each other: the chart is as high as they need.
  rows?: number;
  onPick?: (name: string) => void;
}

const ROW_PX = 18;
const OTHER_PX = 110;
const LEAST_PX = 280;

export function Chart({ label, option, rows = 0, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<echarts.ECharts>();
  const colours = palette.value;
  useLayoutEffect(() => {
    const text = { color: colours.text };
    const axis = { nameTextStyle: { color: colours.quiet }, axisLabel: text, axisLine: { lineStyle: { color: colours.quiet } }, splitLine: { lineStyle: { color: colours.line } } };
    const theme = { categoryAxis: { ...axis, axisTick: { show: false }, splitLine: { show: false } }, valueAxis: axis, textStyle: { ...text, fontFamily: "system-ui, 'Noto Sans', sans-serif" } };
    let made: echarts.ECharts | undefined;
    let leave = () => undefined as void;
    // It is told its size: asking for it would lay the whole page out anew for each chart.
    const watch = new ResizeObserver(([seen]) => {
      const { width, height } = seen!.contentRect;
      leave();
      if (made) made.resize({ width, height });
      else leave = inTurn(() => setChart((made = echarts.init(place.current!, theme, { renderer: "svg", width, height }))));
    });
    watch.observe(place.current!);
    return () => {
      leave();
      watch.disconnect();
      made?.dispose();
    };
  }, [colours]);
  const series = [option.series].flat() as { type?: string; stack?: string }[];
  const bars = series.filter(({ type }) => type === "bar").length;
  const beside = series.some(({ stack }) => stack) ? 1 : bars;
  const named = hasName(option.yAxis) ? 28 : 10;
  useLayoutEffect(() => {
    if (!chart || chart.isDisposed()) return;
    chart.setOption(
      {
        animation: false,
        color: colours.series,
        // Patterns tell bars apart without colour; where there is one kind of them they would only be noise.
        aria: { enabled: true, decal: { show: bars > 1 } },
        grid: { left: 4, right: 16, top: (series.length > 1 ? 34 : 6) + named, bottom: hasName(option.xAxis) ? 22 : 4, containLabel: true },
        legend: { top: 0, left: 0, show: series.length > 1, textStyle: { color: colours.text }, pageTextStyle: { color: colours.text }, pageIconColor: colours.text, pageIconInactiveColor: colours.line, itemWidth: 18, itemHeight: 10, type: "scroll" },
        tooltip: { trigger: "axis", renderMode: "richText", confine: true },
        ...option,
        ...(option.visualMap ? { visualMap: { textStyle: { color: colours.text }, ...(option.visualMap as object) }, grid: { left: 4, right: 8, top: 34, bottom: 4, containLabel: true } } : {}),
      },
      { notMerge: true },
    );
    chart.getZr().flush();
  }, [chart, option, colours]);
  useEffect(() => {
    if (!chart || chart.isDisposed() || !onPick) return;
    const names = (option.xAxis as { data?: string[] }).data;
    const pick = (event: { name?: string }) => {
      if (event.name) onPick(event.name);
    };
    // Over days a line has no marks to hit: a click anywhere above a day is one on it.
    const pickAbove = ({ offsetX, offsetY }: { offsetX: number; offsetY: number }) => {
      if (chart.containPixel("grid", [offsetX, offsetY])) pick({ name: names?.[Number(chart.convertFromPixel({ xAxisIndex: 0 }, offsetX))] });
    };
    if (names) chart.getZr().on("click", pickAbove);
    else chart.on("click", pick as never);
    return () => {
      chart.getZr()?.off("click", pickAbove);
      chart.off("click", pick as never);
    };
  }, [chart, onPick, option]);
  const height = Math.max(LEAST_PX, rows * Math.max(1, beside) * ROW_PX + OTHER_PX);
  return <div ref={place} class="chart" style={{ height: `${height}px` }} role="img" aria-label={label} aria-busy={!chart} />;
}

function hasName(axis: unknown): boolean {
  return [axis].flat().some((one) => Boolean((one as { name?: string } | undefined)?.name));
}
