// What a number covers: the run, the head, and how many seconds behind; one click away on every panel.
import type { Asked } from "../api/answer.ts";
import type { Vector } from "../api/client.ts";
import { linkTo, route } from "../route.ts";
import { duration, number, shown, t } from "../text/index.ts";

// `more` is what else the link that shows the numbers again has to say. Of several answers, each is named by its view.
export function Covers({ asked, more = {} }: { asked: Asked | Asked[]; more?: Record<string, number> }) {
  const told = [asked].flat().flatMap(({ answer, info }) => (answer ? [{ covers: answer.as_of, view: answer.view, topic: info?.topic ?? "" }] : []));
  const first = told[0]?.covers;
  if (!first) return null;
  const lags = told.map(({ covers }) => covers.lag_seconds).filter((lag) => lag !== null);
  const { screen, id, parameters } = route.value;
  return (
    <details class="covers">
      <summary>{t("covers")}{lags.length > 0 && `: ${t("fresh", { time: duration(Math.max(...lags)) })}`}</summary>
      {told.map(({ covers, view, topic }, place) => (
        <dl key={place}>
          {told.length > 1 && <><dt>{t("covers_view")}</dt><dd>{view}</dd></>}
          <dt>{t("covers_run")}</dt>
          <dd>{covers.run ?? t("covers_none")}</dd>
          <dt>{t("covers_head")}</dt>
          <dd>
            {topic} {Object.entries(covers.head[topic] ?? {}).map(([partition, offset]) => `${partition}: ${number(offset)}`).join(", ")}
          </dd>
          <dt>{t("covers_watermark")}</dt>
          <dd>{shown(covers.watermark, "TIMESTAMP")}</dd>
          <dt>{t("covers_lag")}</dt>
          <dd>{shown(covers.lag_seconds)}</dd>
        </dl>
      ))}
      {first.run && <a href={linkTo(screen, id, { ...parameters, ...texts(more), run: first.run })}>{t("covers_link")}</a>}
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
