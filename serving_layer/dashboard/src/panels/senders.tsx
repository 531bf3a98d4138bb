// Who may send to the collector, and what became of what they sent; for admins.
import { useTold } from "../api/told.ts";
import { number, shown, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

// Each with its name in the texts, where `rejected` is the title of a panel.
const FATES = {
  received: "received", accepted: "accepted", duplicate: "duplicate", rejected: "rejected_events", deferred: "deferred", erased: "erased",
} as const;
const FIELDS = Object.keys(FATES) as (keyof typeof FATES)[];

type Source = { name: string; standard: string; declared: boolean; course: string | null } & Record<keyof typeof FATES, number | null>;

interface Told {
  sources: Source[];
  collectors: { address: string; answers: boolean }[];
}

export function Senders() {
  const { value, error } = useTold<Told>("collector");
  const away = (value?.collectors ?? []).filter(({ answers }) => !answers);
  return (
    <section class="panel wide" data-view="collector" aria-busy={!value && !error}>
      <h2>{t("senders")}</h2>
      <p class="about">{t("senders_about")}</p>
      {value && !value.collectors.length && <p class="notice">{t("collectors_none")}</p>}
      {away.map(({ address }) => <p class="trouble" key={address}>{t("collector_away", { address })}</p>)}
      {error && !value ? <Trouble error={error} /> : !value ? <p class="waiting">{t("loading")}</p> : value.sources.length ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("senders")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("sender")}</th><th scope="col">{t("standard")}</th>
                {FIELDS.map((field) => <th scope="col" class="figure" key={field}>{t(FATES[field])}</th>)}
                <th scope="col">{t("ledger")}</th>
              </tr>
            </thead>
            <tbody>
              {value.sources.map((source) => (
                <tr key={`${source.name} ${source.standard}`}>
                  <th scope="row">{source.name}{!source.declared && ` (${t("undeclared")})`}</th>
                  <td>{source.standard}</td>
                  {FIELDS.map((field) => <td class="figure" key={field}>{source[field] === null ? "–" : number(source[field])}</td>)}
                  <td>{closes(source)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : <p class="empty">{t("senders_none")}</p>}
    </section>
  );
}

function closes(source: Source): string {
  if (source.received === null) return shown(null);
  return source.received === FIELDS.slice(1).reduce((sum, fate) => sum + (source[fate] ?? 0), 0) ? t("closes") : t("open");
}
