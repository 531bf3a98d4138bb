// A distribution: how many rows have a value in each band, counted by the server; a bar leads to them.
import { useMemo } from "preact/hooks";
import type { Parameters } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { columns } from "../charts/options.ts";
import { linkToRows } from "../screens/rows.tsx";
import { number, t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { Frame, Scroll } from "./frame.tsx";
import { stateOf } from "./states.tsx";
import { useTotal } from "./totals.tsx";

const BANDS = 10;

export interface BandsProps {
  title: string;
  about: string;
  view: string;
  parameters: Parameters;
  column: string;
  top: number;
  unit: string;
}

export function Bands({ title, about, view, parameters, column, top, unit }: BandsProps) {
  const bands = useMemo(() => Array.from({ length: BANDS }, (_, place) => band(column, top, place)), [column, top]);
  const asked = bands.map(({ within }) => useTotal(view, { ...parameters, ...within }));
  const open = asked.find(({ answer }) => !answer);
  const rows = bands.map(({ name }, place) => ({ band: name, rows: asked[place]?.answer?.total ?? 0 }));
  const counts = rows.map((row) => row.rows).join();
  const option = useMemo(() => columns(rows, "band", unit, "rows", t("students")), [counts, unit]);
  const none = rows.every(({ rows: n }) => n === 0);
  const lead = (name: string) => {
    const picked = bands.find((one) => one.name === name);
    if (picked) location.hash = linkToRows(view, { ...parameters, ...picked.within });
  };
  return (
    <Frame
      title={title} about={about} name={view} busy={asked.some(({ waiting }) => waiting)}
      state={open ? stateOf(open) : none ? <p class="empty">{t("empty")}</p> : null}
      chart={() => <Chart label={`${title}. ${about}`} option={option} onPick={lead} />}
      table={() => (
        <Scroll label={title}>
          <thead>
            <tr><th scope="col">{unit}</th><th scope="col" class="figure">{t("students")}</th></tr>
          </thead>
          <tbody>
            {bands.map(({ name, within }, place) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="figure"><a href={linkToRows(view, { ...parameters, ...within })}>{number(rows[place]!.rows)}</a></td>
              </tr>
            ))}
          </tbody>
        </Scroll>
      )}
    >
      {asked[0] && <Covers asked={asked[0]} />}
    </Frame>
  );
}

// The last band has its upper end in it.
function band(column: string, top: number, place: number): { name: string; within: Parameters } {
  const [from, to] = [(top * place) / BANDS, (top * (place + 1)) / BANDS];
  const last = place === BANDS - 1;
  return { name: `${from}–${to}`, within: { [`${column}__gte`]: from, [`${column}__${last ? "lte" : "lt"}`]: to } };
}
