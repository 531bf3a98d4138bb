// A view as a chart and as a table of the same numbers, with what they cover, CSV and picture.
import { useMemo } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Parameters, Row } from "../api/client.ts";
import { Chart, type Option } from "../charts/chart.tsx";
import { language } from "../text/index.ts";
import { palette } from "../theme.ts";
import { Covers } from "./cover.tsx";
import { Frame } from "./frame.tsx";
import { stateOf } from "./states.tsx";
import { Table } from "./table.tsx";

export interface PanelProps {
  title: string;
  about?: string;
  view: string;
  parameters: Parameters;
  chart?: (rows: Row[]) => Option;
  columns?: string[];
  links?: Record<string, (row: Row) => string>;
  onPick?: (name: string) => void;
  // Whether a row is a bar below the others, so that many need a higher chart.
  tall?: boolean;
}

export function Panel({ title, about, view, parameters, chart, columns, links, onPick, tall }: PanelProps) {
  const asked = useAnswer(view, parameters);
  const { answer } = asked;
  // What is drawn changes with the rows alone, however often this is rendered.
  const option = useMemo(() => chart && answer && chart(answer.rows), [answer, language.value, palette.value]);
  return (
    <Frame
      title={title} about={about} name={view} busy={asked.waiting} state={stateOf(asked)} csv={`${asked.question}&format=csv&spreadsheet=true`}
      chart={chart && (() => option && <Chart label={about ? `${title}. ${about}` : title} option={option} rows={tall ? answer?.rows.length : 0} onPick={onPick} />)}
      table={() => <Table caption={title} asked={asked} columns={columns} links={links} />}
    >
      <Covers asked={asked} />
    </Frame>
  );
}
