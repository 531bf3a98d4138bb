import { useEffect, useMemo, useState } from "preact/hooks";
import { type Answer, ApiError, address, type Freshness, get, type Row } from "../api/client.ts";
import { freshness } from "../api/live.ts";
import { me } from "../api/me.ts";
import { useTold } from "../api/told.ts";
import { Chart, type Option } from "../charts/chart.tsx";
import { over } from "../charts/options.ts";
import { WindowCovers } from "../panels/cover.tsx";
import { Frame, Scroll } from "../panels/frame.tsx";
import { RejectedEvents } from "../panels/rejected.tsx";
import { Runs } from "../panels/runs.tsx";
import { Senders } from "../panels/senders.tsx";
import { Trouble } from "../panels/states.tsx";
import { duration, kind, language, number, shown, t } from "../text/index.ts";

export const name = "operation";
export const title = () => t("operation");

const FATES = ["landed", "counted", "duplicate", "invalid"] as const;
const EVERY_MS = 5000;
const MINUTES = 60;

export function Screen() {
  return (
    <>
      <Ledger />
      <Runs />
      <div class="panels">
        <Window name="events_by_category" title={t("events_by_type")} about={t("events_by_type_about")}
          chart={(rows) => over(rows, "minute", "TIMESTAMP", "event_category", { event_count: "" }, "bar", t("events"))} />
        <Window name="events_by_type" title={t("events_by_kind")} about={t("events_by_kind_about")}
          chart={(rows) => over(rows, "minute", "TIMESTAMP", "event_type", { event_count: "" }, "bar", t("events"))} />
        <Window name="failed_logins" title={t("failed_logins")} about={t("failed_logins_about")}
          chart={(rows) => over(rows, "minute", "TIMESTAMP", undefined, { failed_logins: t("failed_logins"), users: t("users") }, "line")} />
        <Window name="active_users" title={t("active_users")} about={t("active_users_about")}
          chart={(rows) => over(rows, "minute", "TIMESTAMP", undefined,
            { last_5_minutes: t("minute_short", { n: 5 }), last_15_minutes: t("minute_short", { n: 15 }) }, "line", t("users"))} />
      </div>
      {me.value?.role === "admin" && (
        <>
          <RejectedEvents />
          <Senders />
          <Pages />
        </>
      )}
    </>
  );
}

// Where other tools are, as the server's setting says.
function Pages() {
  const { value } = useTold<{ pages: { name: string; address: string }[] }>("operation");
  if (!value?.pages.length) return null;
  return (
    <section class="panel wide" data-view="pages">
      <h2>{t("pages")}</h2>
      <ul class="doors">
        {value.pages.map(({ name, address }) => <li key={name}><a href={address} rel="noreferrer">{name}</a></li>)}
      </ul>
    </section>
  );
}

function Window({ name, title, about, chart }: { name: string; title: string; about: string; chart: (rows: Row[]) => Option }) {
  const [answer, setAnswer] = useState<(Answer & { as_of: { complete_from?: string | null } }) | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const rows = answer?.rows ?? null;
  useEffect(() => {
    const stop = new AbortController();
    let again: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        setAnswer(await get<Answer>(address(`realtime/${name}`, { minutes: MINUTES }), stop.signal));
        setError(null);
      } catch (failed) {
        if (stop.signal.aborted) return;
        setError(failed instanceof ApiError ? failed : new ApiError(0, "network", ""));
      }
      again = setTimeout(ask, EVERY_MS);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(again);
    };
  }, [name]);
  const option = useMemo(() => rows && chart(rows), [rows, language.value]);
  const state = error && !rows ? <Trouble error={error} /> : rows === null ? <p class="waiting">{t("loading")}</p> : rows.length ? null : <p class="empty">{t("empty")}</p>;
  const columns = Object.keys(rows?.[0] ?? {});
  return (
    <Frame
      title={title} about={about} name={name} busy={false} state={state} csv={address(`realtime/${name}`, { minutes: MINUTES, format: "csv", spreadsheet: "true" })}
      chart={() => option && <Chart label={`${title}. ${about}`} option={option} />}
      table={() => (
        <Scroll label={title}>
          <thead><tr>{columns.map((column) => <th scope="col" key={column} class={column === "minute" ? undefined : "figure"}>{kind(column)}</th>)}</tr></thead>
          <tbody>
            {(rows ?? []).map((row, place) => (
              <tr key={place}>
                {columns.map((column) => (
                  <td key={column} class={typeof row[column] === "number" ? "figure" : undefined}>{column === "minute" ? shown(row[column], "TIMESTAMP") : kind(shown(row[column]))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </Scroll>
      )}
    >
      {answer && <WindowCovers head={answer.as_of.head} from={answer.as_of.complete_from} />}
    </Frame>
  );
}

// The whole of /freshness, asked again when what is covered has moved.
function useLedger(): Freshness | null {
  const [found, setFound] = useState<Freshness | null>(null);
  const covered = JSON.stringify([freshness.value?.run, freshness.value?.head]);
  useEffect(() => {
    const stop = new AbortController();
    get<Freshness>("freshness", stop.signal).then(setFound, () => undefined);
    return () => stop.abort();
  }, [covered]);
  return found;
}

function Ledger() {
  const now = useLedger();
  if (!now) return <p class="waiting">{t("loading")}</p>;
  return (
    <section class="panel wide" data-view="ledger">
      <h2>{t("ledger")}</h2>
      <p class="about">{t("ledger_about")}</p>
      <dl class="figures">
        <div><dt>{t("run")}</dt><dd>{now.run ?? t("covers_none")}</dd></div>
        <div><dt>{t("published")}</dt><dd class="long">{shown(now.published_at, "TIMESTAMP")}</dd></div>
        <div><dt>{t("speed_layer")}</dt><dd class="long">{shown(now.speed_layer, "TIMESTAMP")}</dd></div>
        <div><dt>{t("behind")}</dt><dd>{now.lag_seconds === null ? "–" : duration(now.lag_seconds)}</dd></div>
      </dl>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("ledger")}>
        <table>
          <caption class="hidden">{t("ledger")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("topic")}</th>
              {FATES.map((fate) => <th scope="col" class="figure" key={fate}>{t(fate)}</th>)}
              <th scope="col">{t("ledger")}</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(now.ledger).map(([topic, partitions]) => {
              const sums = FATES.map((fate) => Object.values(partitions).reduce((sum, entry) => sum + (entry[fate] ?? 0), 0));
              const [landed = 0, ...others] = sums;
              return (
                <tr key={topic}>
                  <th scope="row">{topic}</th>
                  {sums.map((sum, place) => <td class="figure" key={place}>{number(sum)}</td>)}
                  <td>{landed === others.reduce((a, b) => a + b, 0) ? t("closes") : t("open")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
