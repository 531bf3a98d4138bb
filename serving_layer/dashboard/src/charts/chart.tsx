// A chart of ECharts, drawn as SVG in the page's own colours, with a description for who can't see it.
import { BarChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useRef } from "preact/hooks";
import { palette } from "../theme.ts";

echarts.use([
  BarChart, HeatmapChart, LineChart, ScatterChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent,
  VisualMapComponent, SVGRenderer,
]);

export type Option = echarts.EChartsCoreOption;

export interface ChartProps {
  label: string;
  option: Option;
  onPick?: (name: string) => void;
}

export function Chart({ label, option, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | undefined>(undefined);
  const colours = palette.value;
  useEffect(() => {
    const axis = { axisLabel: { color: colours.text }, axisLine: { lineStyle: { color: colours.text } }, splitLine: { lineStyle: { color: colours.line } } };
    const theme = { categoryAxis: { ...axis, splitLine: { show: false } }, valueAxis: axis, textStyle: { color: colours.text } };
    const made = echarts.init(place.current!, theme, { renderer: "svg" });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(place.current!);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, [colours]);
  useEffect(() => {
    chart.current?.setOption(
      {
        animation: false,
        color: colours.series,
        aria: { enabled: true, decal: { show: true } },
        grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
        legend: { top: 0, left: 0, textStyle: { color: colours.text }, type: "scroll" },
        tooltip: { trigger: "axis", renderMode: "richText", confine: true },
        ...option,
      },
      { notMerge: true },
    );
  }, [option, colours]);
  useEffect(() => {
    const made = chart.current;
    if (!made || !onPick) return;
    const pick = (event: { name?: string }) => event.name && onPick(event.name);
    made.on("click", pick as never);
    return () => {
      made.off("click", pick as never);
    };
  }, [onPick, colours]);
  return <div ref={place} class="chart" role="img" aria-label={label} />;
}
