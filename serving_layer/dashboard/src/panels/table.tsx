// Rows as a table; what they are sorted by is asked of the server, never done here.
import type { Asked } from "../api/answer.ts";
import type { Column, Row } from "../api/client.ts";
import { meaning } from "../text/columns.ts";
import { shown, t } from "../text/index.ts";

export interface TableProps {
  caption: string;
  asked: Asked;
  columns?: string[];
  links?: Record<string, (row: Row) => string>;
  sort?: string;
  onSort?: (sort: string) => void;
}

export function Table({ caption, asked, columns, links = {}, sort, onSort }: TableProps) {
  const { answer, info, question } = asked;
  if (!answer) return null;
  const known = new Map((info?.columns ?? []).map((column) => [column.name, column]));
  // What is the same in every row, because it was asked for, is left out.
  const fixed = new URLSearchParams(question.split("?")[1] ?? "");
  const names = columns ?? answer.columns.filter((name) => !fixed.has(name));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {names.map((name) => (
              <Head
                key={name} column={known.get(name) ?? { name, type: "", meaning: name }} figure={isFigure(known.get(name)?.type)}
                sort={sort} onSort={onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.rows.map((row, place) => (
            <tr key={place}>
              {names.map((name) => (
                <td key={name} class={isFigure(known.get(name)?.type) ? "figure" : undefined}>
                  {links[name] ? <a href={links[name]!(row)}>{shown(row[name])}</a> : shown(row[name], known.get(name)?.type)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isFigure(type = ""): boolean {
  return type === "BIGINT" || type === "DOUBLE";
}

interface HeadProps {
  column: Column;
  figure: boolean;
  sort?: string;
  onSort?: (sort: string) => void;
}

function Head({ column, figure, sort, onSort }: HeadProps) {
  const down = sort === `-${column.name}`;
  const up = sort === column.name;
  const told = meaning(column);
  return (
    <th scope="col" class={figure ? "figure" : undefined} aria-sort={up ? "ascending" : down ? "descending" : undefined} title={column.name}>
      {onSort ? (
        <button type="button" class="said" title={t("sort_by", { column: told })} onClick={() => onSort(down ? column.name : `-${column.name}`)}>
          {told}
          <span aria-hidden="true">{up ? " ▲" : down ? " ▼" : ""}</span>
        </button>
      ) : (
        <span class="said">{told}</span>
      )}
    </th>
  );
}

export function Count({ asked }: { asked: Asked }) {
  return asked.answer ? <p class="count">{t("rows", { n: asked.answer.total })}</p> : null;
}
