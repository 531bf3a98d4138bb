// A row of single numbers from one row of a view, and how each has changed.
import { useAnswer } from "../api/answer.ts";
import type { Parameters, Value } from "../api/client.ts";
import type { Run } from "../api/runs.ts";
import { change, shown, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

export interface FiguresProps {
  view: string;
  parameters: Parameters;
  names: Record<string, string>;
  // The older run that says what the figures were; or the columns that do.
  since?: Run;
  before?: Record<string, string>;
}

export function Figures({ view, parameters, names, since, before = {} }: FiguresProps) {
  const asked = useAnswer(view, { ...parameters, limit: 1 }, true);
  const older = useAnswer(since ? view : undefined, { ...parameters, limit: 1, as_of_run: since?.run }, true);
  const row = asked.answer?.rows[0];
  const types = new Map((asked.info?.columns ?? []).map((column) => [column.name, column.type]));
  if (asked.error && !asked.answer) return <Trouble error={asked.error} again={asked.again} />;
  const told = (column: string) => {
    if (before[column]) return <Change now={row?.[column]} then={row?.[before[column]]} since={t("than_week_before")} />;
    return since && <Change now={row?.[column]} then={older.answer?.rows[0]?.[column]} since={t("since", { day: shown(since.published_at.slice(0, 10), "DATE") })} />;
  };
  return (
    <dl class="figures" data-view={view} aria-busy={asked.waiting}>
      {Object.entries(names).map(([column, name]) => (
        <div key={column}>
          <dt>{name}</dt>
          <dd class={types.get(column)?.startsWith("TIMESTAMP") ? "long" : undefined}>{asked.answer ? shown(row?.[column], types.get(column)) : "…"}</dd>
          {told(column)}
        </div>
      ))}
    </dl>
  );
}

function Change({ now, then, since }: { now?: Value; then?: Value; since: string }) {
  if (typeof now !== "number" || typeof then !== "number") return null;
  return <dd class="change"><strong>{change(now - then)}</strong> {since}</dd>;
}
