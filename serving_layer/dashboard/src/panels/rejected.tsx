// What was rejected on a day, by topic and reason, with a few events as they came; for admins.
import { useTold } from "../api/told.ts";
import { address } from "../api/client.ts";
import { route, setParameters } from "../route.ts";
import { number, shown, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

interface Sample {
  partition: number;
  offset: number;
  kafka_timestamp: string;
  detail: string | null;
  value: string;
}

interface Rejected {
  day: string | null;
  days: string[];
  reasons: { topic: string; reason: string; events: number; samples: Sample[] }[];
  files: number;
  files_read: number;
}

export function RejectedEvents() {
  const { day } = route.value.parameters;
  const { value, error } = useTold<Rejected>(address("quarantine", { day }));
  return (
    <section class="panel wide" data-view="quarantine" aria-busy={!value && !error}>
      <header>
        <h2>{t("rejected")}</h2>
        {value?.day && (
          <label class="tools">
            {t("day")}{" "}
            <select value={value.day} onChange={(event) => setParameters({ day: event.currentTarget.value })}>
              {[...new Set([value.day, ...value.days])].map((one) => <option key={one} value={one}>{shown(one, "DATE")}</option>)}
            </select>
          </label>
        )}
      </header>
      <p class="about">{t("rejected_about")}</p>
      {value && value.files_read < value.files && <p class="notice">{t("rejected_partly", { n: value.files_read, all: value.files })}</p>}
      {error && !value ? <Trouble error={error} /> : !value ? <p class="waiting">{t("loading")}</p> : value.reasons.length ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("rejected")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("topic")}</th><th scope="col">{t("reason")}</th><th scope="col" class="figure">{t("events")}</th>
                <th scope="col">{t("samples")}</th>
              </tr>
            </thead>
            <tbody>
              {value.reasons.map(({ topic, reason, events, samples }) => (
                <tr key={`${topic} ${reason}`}>
                  <td>{topic}</td>
                  <td>{reason}</td>
                  <td class="figure">{number(events)}</td>
                  <td>
                    <details class="samples">
                      <summary aria-label={t("samples_of", { n: samples.length, reason, topic })}>{t("samples_n", { n: samples.length })}</summary>
                      {samples.map((sample) => (
                        <div key={`${sample.partition} ${sample.offset}`}>
                          <p>
                            {t("place", { partition: String(sample.partition), offset: sample.offset })}, {shown(sample.kafka_timestamp, "TIMESTAMP")}: {sample.detail}
                          </p>
                          <pre>{sample.value}</pre>
                        </div>
                      ))}
                    </details>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : <p class="empty">{t("rejected_none")}</p>}
    </section>
  );
}
