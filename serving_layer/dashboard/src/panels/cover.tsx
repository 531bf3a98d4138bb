// What a number covers: the run, the head, and how many seconds behind; one click away on every panel.
import type { Asked } from "../api/answer.ts";
import type { Vector } from "../api/client.ts";
import { linkTo, route } from "../route.ts";
import { duration, number, shown, t } from "../text/index.ts";

// `more` is what else the link that shows the numbers again has to say.
export function Covers({ asked, more = {} }: { asked: Asked; more?: Record<string, number> }) {
  const covers = asked.answer?.as_of;
  if (!covers) return null;
  const topic = asked.info?.topic ?? "";
  const head = Object.entries(covers.head[topic] ?? {});
  const { screen, id, parameters } = route.value;
  return (
    <details class="covers">
      <summary>{t("covers")}{covers.lag_seconds !== null && `: ${t("fresh", { time: duration(covers.lag_seconds) })}`}</summary>
      <dl>
        <dt>{t("covers_run")}</dt>
        <dd>{covers.run ?? t("covers_none")}</dd>
        <dt>{t("covers_head")}</dt>
        <dd>
          {topic} {head.map(([partition, offset]) => `${partition}: ${number(offset)}`).join(", ")}
        </dd>
        <dt>{t("covers_watermark")}</dt>
        <dd>{shown(covers.watermark, "TIMESTAMP")}</dd>
        <dt>{t("covers_lag")}</dt>
        <dd>{shown(covers.lag_seconds)}</dd>
      </dl>
      {covers.run && <a href={linkTo(screen, id, { ...parameters, ...texts(more), run: covers.run })}>{t("covers_link")}</a>}
    </details>
  );
}

// What a window of the last minutes covers.
export function WindowCovers({ head, from }: { head: Record<string, Vector>; from?: string | null }) {
  return (
    <details class="covers">
      <summary>{t("covers")}</summary>
      <dl>
        <dt>{t("covers_from")}</dt>
        <dd>{from ? shown(from, "TIMESTAMP") : t("covers_all")}</dd>
        <dt>{t("covers_head")}</dt>
        <dd>
          {Object.entries(head).map(([topic, ends]) => (
            <div key={topic}>{topic} {Object.entries(ends).map(([partition, offset]) => `${partition}: ${number(offset)}`).join(", ")}</div>
          ))}
        </dd>
      </dl>
    </details>
  );
}

function texts(values: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
