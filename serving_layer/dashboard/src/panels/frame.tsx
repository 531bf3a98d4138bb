// What every chart stands in: title, the same numbers as a table, CSV and picture of what is seen, and what they cover.
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { t } from "../text/index.ts";
import { savePicture, saveTable } from "./saving.ts";

export interface FrameProps {
  title: string;
  about?: string;
  // The view or what else it is of; files are called so.
  name: string;
  busy: boolean;
  // What stands there where there is nothing to show.
  state: ComponentChildren;
  chart?: () => ComponentChildren;
  table: () => ComponentChildren;
  // Where the API gives the same rows as a file; the table that is seen else.
  csv?: string;
  wide?: boolean;
  children?: ComponentChildren;
}

export function Frame({ title, about, name, busy, state, chart, table, csv, wide, children }: FrameProps) {
  const [tabled, setTabled] = useState(!chart);
  const place = useRef<HTMLElement>(null);
  const isTable = tabled || !chart;
  return (
    <section class={wide ? "panel wide" : "panel"} ref={place} data-view={name} aria-busy={busy}>
      <header>
        <h2>{title}</h2>
        {!state && (
          <p class="tools">
            {chart && (
              <button type="button" aria-pressed={tabled} onClick={() => setTabled(!tabled)}>
                {tabled ? t("as_chart") : t("as_table")}
              </button>
            )}
            {csv ? <a href={csv} download={`${name}.csv`}>{t("csv")}</a>
              : isTable && <button type="button" onClick={() => saveTable(place.current!, name)}>{t("csv")}</button>}
            {!isTable && <button type="button" onClick={() => savePicture(place.current!, name)}>{t("picture")}</button>}
          </p>
        )}
      </header>
      {about && <p class="about">{about}</p>}
      {state || (isTable ? table() : chart())}
      {children}
    </section>
  );
}

// A table of our own making, as wide as it needs to be.
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <caption class="hidden">{label}</caption>
        {children}
      </table>
    </div>
  );
}
