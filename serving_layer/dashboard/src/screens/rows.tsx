// The rows behind a number or a mark: any view with the conditions of the address, `#/rows/VIEW?is.course_id=C&is.last_active__lt=D`.
import { useEffect, useState } from "preact/hooks";
import type { Parameters, Row, ViewInfo } from "../api/client.ts";
import { views } from "../api/live.ts";
import { List } from "../panels/list.tsx";
import { linkTo, route, setParameters } from "../route.ts";
import { meaning } from "../text/columns.ts";
import { shown, t } from "../text/index.ts";

export const name = "rows";
export const title = () => t("rows_behind");

const PREFIX = "is.";
const SIGNS: Record<string, string> = { gte: "≥", lte: "≤", gt: ">", lt: "<", in: "∈", isnull: "= –", "": "=" };

export function linkToRows(view: string, conditions: Parameters, more: Record<string, string> = {}): string {
  const kept = Object.entries(conditions).filter(([name, value]) => value !== undefined && !["sort", "limit", "fields"].includes(name));
  return linkTo("rows", view, { ...Object.fromEntries(kept.map(([name, value]) => [PREFIX + name, String(value)])), ...more });
}

export function Screen({ id }: { id: string }) {
  const [info, setInfo] = useState<ViewInfo | undefined>();
  useEffect(() => void views().then((known) => setInfo(known.get(id)), () => undefined), [id]);
  const conditions = Object.entries(route.value.parameters).filter(([name]) => name.startsWith(PREFIX));
  const asked = Object.fromEntries(conditions.map(([name, value]) => [name.slice(PREFIX.length), value]));
  const key = info?.key ?? ["user_id"];
  const person = key.find((column) => column === "user_id" || column === "student_id");
  const links: Record<string, (row: Row) => string> = {};
  if (person) links[person] = (row) => linkTo("student", String(row[person]));
  if (key.includes("course_id")) links.course_id = (row) => linkTo("course", String(row.course_id));
  return (
    <>
      <ul class="conditions">
        {conditions.map(([name, value]) => (
          <li key={name}>
            {told(name.slice(PREFIX.length), value, info)}{" "}
            <button type="button" aria-label={t("without", { what: told(name.slice(PREFIX.length), value, info) })} onClick={() => setParameters({ [name]: undefined })}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <List title={id} view={id} parameters={asked} search={person ?? key[0]!} sort={key.join(",")} links={links} />
    </>
  );
}

// A condition in words: the column's meaning, a sign and the value.
function told(name: string, value: string, info?: ViewInfo): string {
  const [column = "", operator = ""] = name.split("__", 2);
  const known = info?.columns.find((one) => one.name === column);
  const sign = operator === "isnull" && value === "false" ? "≠ –" : (SIGNS[operator] ?? operator);
  return `${known ? meaning(known) : column} ${sign} ${operator === "isnull" ? "" : shown(value, known?.type)}`.trim();
}
