// A view as a chart and as a table of the same numbers, with what they cover, CSV and picture.
import { useRef, useState } from "preact/hooks";
import { type Asked, useAnswer } from "../api/answer.ts";
import type { Parameters, Row } from "../api/client.ts";
import { Chart, type Option } from "../charts/chart.tsx";
import { t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { savePicture } from "./picture.ts";
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
  children?: (asked: Asked) => preact.ComponentChildren;
}

export function Panel({ title, about, view, parameters, chart, columns, links, onPick }: PanelProps) {
  const asked = useAnswer(view, parameters);
  const [table, setTable] = useState(!chart);
  const place = useRef<HTMLElement>(null);
  const state = stateOf(asked);
  const rows = asked.answer?.rows ?? [];
  return (
    <section class="panel" ref={place} data-view={view} aria-busy={asked.waiting}>
      <header>
        <h2>{title}</h2>
        {!state && (
          <p class="tools">
            {chart && (
              <button type="button" aria-pressed={table} onClick={() => setTable(!table)}>
                {table ? t("as_chart") : t("as_table")}
              </button>
            )}
            <a href={`${asked.question}&format=csv&spreadsheet=true`} download={`${view}.csv`}>
              {t("csv")}
            </a>
            {chart && !table && (
              <button type="button" onClick={() => savePicture(place.current!, view)}>
                {t("picture")}
              </button>
            )}
          </p>
        )}
      </header>
      {about && <p class="about">{about}</p>}
      {state ??
        (table || !chart ? (
          <Table caption={title} asked={asked} columns={columns} links={links} />
        ) : (
          <Chart label={about ? `${title}. ${about}` : title} option={chart(rows)} onPick={onPick} />
        ))}
      <Covers asked={asked} />
    </section>
  );
}
