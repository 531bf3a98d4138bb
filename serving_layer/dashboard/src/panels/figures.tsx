// A row of single numbers from one row of a view.
import { useAnswer } from "../api/answer.ts";
import type { Parameters } from "../api/client.ts";
import { shown } from "../text/index.ts";
import { Trouble } from "./states.tsx";

export function Figures({ view, parameters, names }: { view: string; parameters: Parameters; names: Record<string, string> }) {
  const asked = useAnswer(view, { ...parameters, limit: 1 });
  const row = asked.answer?.rows[0];
  const types = new Map((asked.info?.columns ?? []).map((column) => [column.name, column.type]));
  if (asked.error && !asked.answer) return <Trouble error={asked.error} />;
  return (
    <dl class="figures" data-view={view} aria-busy={asked.waiting}>
      {Object.entries(names).map(([column, name]) => (
        <div key={column}>
          <dt>{name}</dt>
          <dd>{asked.answer ? shown(row?.[column], types.get(column)) : "…"}</dd>
        </div>
      ))}
    </dl>
  );
}
