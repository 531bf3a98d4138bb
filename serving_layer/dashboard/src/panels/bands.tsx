// A distribution: how many rows have a value in each band, counted by the server; a bar leads to them.
import { useMemo, useState } from "preact/hooks";
import type { Parameters } from "../api/client.ts";
import { Chart } from "../charts/chart.tsx";
import { ranked } from "../charts/options.ts";
import { linkToRows } from "../screens/rows.tsx";
import { number, t } from "../text/index.ts";
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
}

export function Bands({ title, about, view, parameters, column, top }: BandsProps) {
  const bands = useMemo(() => Array.from({ length: BANDS }, (_, place) => band(column, top, place)), [column, top]);
  const asked = bands.map(({ within }) => useTotal(view, { ...parameters, ...within }));
  const [table, setTable] = useState(false);
  const open = asked.find(({ answer }) => !answer);
  const rows = bands.map(({ name }, place) => ({ band: name, rows: asked[place]?.answer?.total ?? 0 }));
  const lead = (name: string) => {
    const picked = bands.find((one) => one.name === name);
    if (picked) location.hash = linkToRows(view, { ...parameters, ...picked.within });
  };
  return (
    <section class="panel" data-view={view} aria-busy={asked.some(({ waiting }) => waiting)}>
      <header>
        <h2>{title}</h2>
        {!open && (
          <p class="tools">
            <button type="button" aria-pressed={table} onClick={() => setTable(!table)}>
              {table ? t("as_chart") : t("as_table")}
            </button>
          </p>
        )}
      </header>
      <p class="about">{about}</p>
      {open ? stateOf(open) : table ? (
        <table>
          <thead>
            <tr><th scope="col">{title}</th><th scope="col" class="figure">{t("students")}</th></tr>
          </thead>
          <tbody>
            {bands.map(({ name, within }, place) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="figure"><a href={linkToRows(view, { ...parameters, ...within })}>{number(rows[place]!.rows)}</a></td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <Chart label={`${title}. ${about}`} option={ranked(rows, "band", { rows: t("students") })} onPick={lead} />
      )}
    </section>
  );
}

// The last band has its upper end in it.
function band(column: string, top: number, place: number): { name: string; within: Parameters } {
  const [from, to] = [(top * place) / BANDS, (top * (place + 1)) / BANDS];
  const last = place === BANDS - 1;
  return { name: `${from}–${to}`, within: { [`${column}__gte`]: from, [`${column}__${last ? "lte" : "lt"}`]: to } };
}
