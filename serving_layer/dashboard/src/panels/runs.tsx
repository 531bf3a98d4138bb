// The runs that are kept: a link shows the dashboard as of one; going back to one is a command, as serving writes nothing to the store.
import { useState } from "preact/hooks";
import { me } from "../api/me.ts";
import { useRuns } from "../api/runs.ts";
import { linkTo } from "../route.ts";
import { number, shown, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

export function Runs() {
  const { value, error } = useRuns();
  const goes = me.value?.role === "admin";
  return (
    <section class="panel wide" data-view="runs" aria-busy={!value && !error}>
      <h2>{t("runs")}</h2>
      <p class="about">{t("runs_about")}</p>
      {error && !value ? <Trouble error={error} /> : !value ? <p class="waiting">{t("loading")}</p> : value.runs.length ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("runs")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("run")}</th><th scope="col">{t("published")}</th>
                <th scope="col" class="figure">{t("counted")}</th><th scope="col">{t("run_serves")}</th>
                {goes && <th scope="col">{t("go_back")}</th>}
              </tr>
            </thead>
            <tbody>
              {value.runs.map(({ run, published_at, events, serves }) => (
                <tr key={run}>
                  <td><a href={linkTo("courses", "", { run })}>{run}</a></td>
                  <td>{shown(published_at, "TIMESTAMP")}</td>
                  <td class="figure">{number(events)}</td>
                  <td>{serves ? "✓" : ""}</td>
                  {goes && <td>{serves ? "–" : <GoBack run={run} />}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : <p class="empty">{t("empty")}</p>}
    </section>
  );
}

function GoBack({ run }: { run: string }) {
  const [copied, setCopied] = useState(false);
  const command = `learn republish ${run}`;
  return (
    <details class="command">
      <summary aria-label={t("go_back_to", { run })}>{t("go_back")}</summary>
      <p>{t("go_back_about")}</p>
      <p>
        <code>{command}</code>{" "}
        {navigator.clipboard && (
          <button type="button" onClick={() => void navigator.clipboard.writeText(command).then(() => setCopied(true), () => undefined)}>
            {t("copy")}
          </button>
        )}
        <span role="status">{copied && ` ${t("copied")}`}</span>
      </p>
    </details>
  );
}
