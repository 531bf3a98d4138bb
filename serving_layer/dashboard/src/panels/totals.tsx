// Numbers of rows, counted by the server; each leads to those rows.
import { useAnswer } from "../api/answer.ts";
import type { Parameters } from "../api/client.ts";
import { linkToRows } from "../screens/rows.tsx";
import { number, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

export interface Counted {
  title: string;
  view: string;
  parameters: Parameters;
}

export function Totals({ items }: { items: Counted[] }) {
  return (
    <dl class="figures" data-totals="">
      {items.map((item) => (
        <Total key={item.title} {...item} />
      ))}
    </dl>
  );
}

// The shortest question that the API answers with how many rows there are. Charts, of which a page has its shape, go first.
function Total({ title, view, parameters }: Counted) {
  const asked = useAnswer(view, { ...parameters, limit: 1 }, true);
  return (
    <div data-view={view} aria-busy={asked.waiting}>
      <dt>{title}</dt>
      <dd>
        {asked.error && !asked.answer ? <Trouble error={asked.error} again={asked.again} /> : asked.answer ? (
          <a href={linkToRows(view, parameters)} aria-label={t("leads_to", { n: asked.answer.total, what: title })}>{number(asked.answer.total)}</a>
        ) : "…"}
      </dd>
    </div>
  );
}
