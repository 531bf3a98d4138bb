// A long view as a table: searched, sorted and paged by the server, its state in the address.
import { useState } from "preact/hooks";
import { useAnswer } from "../api/answer.ts";
import type { Parameters, Row } from "../api/client.ts";
import { route, setParameters } from "../route.ts";
import { meaning } from "../text/columns.ts";
import { t } from "../text/index.ts";
import { Covers } from "./cover.tsx";
import { stateOf } from "./states.tsx";
import { Count, Table } from "./table.tsx";

const PAGE = 50;
// Sorts behind every text that begins as what is searched.
const LAST = "\u{10FFFF}";

export interface ListProps {
  title: string;
  about?: string;
  view: string;
  parameters?: Parameters;
  search: string;
  sort: string;
  columns?: string[];
  links?: Record<string, (row: Row) => string>;
}

export function List({ title, about, view, parameters = {}, search, sort, columns, links }: ListProps) {
  const { parameters: chosen } = route.value;
  const begins = chosen[`${view}.q`] ?? "";
  const sorted = chosen[`${view}.sort`] ?? sort;
  const [cursor, setCursor] = useState("");
  const asked = useAnswer(view, {
    ...parameters,
    ...(begins ? { [`${search}__gte`]: begins, [`${search}__lt`]: begins + LAST } : {}),
    sort: sorted,
    limit: PAGE,
    cursor,
  });
  const change = (changes: Record<string, string | undefined>) => {
    setCursor("");
    setParameters(changes);
  };
  const searched = asked.info?.columns.find((column) => column.name === search);
  const hint = t("search", { column: searched ? meaning(searched) : search });
  const following = asked.answer?.next;
  return (
    <section class="panel wide" data-view={view} aria-busy={asked.waiting}>
      <header>
        <h2>{title}</h2>
        <p class="tools">
          <input
            type="search"
            value={begins}
            aria-label={hint}
            placeholder={hint}
            onInput={(event) => change({ [`${view}.q`]: event.currentTarget.value })}
          />
          <a href={`${asked.question}&format=csv&spreadsheet=true`} download={`${view}.csv`}>
            {t("csv")}
          </a>
        </p>
      </header>
      {about && <p class="about">{about}</p>}
      {stateOf(asked) ?? (
        <Table caption={title} asked={asked} columns={columns} links={links} sort={sorted} onSort={(by) => change({ [`${view}.sort`]: by })} />
      )}
      <footer>
        <Count asked={asked} />
        {cursor && (
          <button type="button" onClick={() => setCursor("")}>
            {t("page_first")}
          </button>
        )}
        {following && (
          <button type="button" onClick={() => setCursor(following)}>
            {t("page_next")}
          </button>
        )}
      </footer>
      <Covers asked={asked} />
    </section>
  );
}
