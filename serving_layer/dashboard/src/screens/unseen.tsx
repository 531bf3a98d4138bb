// Who takes a course and hasn't opened a video, a material or an assignment of it: `#/unseen/COURSE?view=…&column=…&what=…`.
import { useEffect, useState } from "preact/hooks";
import { type Answer, ApiError, address, get, type Parameters, type Row } from "../api/client.ts";
import { stateOf as epochOf } from "../api/live.ts";
import { Trouble } from "../panels/states.tsx";
import { linkTo, route } from "../route.ts";
import { number, shown, t } from "../text/index.ts";

export const name = "unseen";
export const title = () => t("unseen", { what: route.value.parameters.what ?? "" });

// What can be opened, the view that says who has, and its column; nothing else is taken from the address.
const OPENED: Record<string, string> = {
  video_id: "video_total_watch_time", assignment_id: "assessment_student_work", material_id: "course_student_materials",
};
const STUDENTS = "course_student_activity";
const PAGE = 10_000;

export function linkToUnseen(course: string, column: string, what: string): string {
  return linkTo("unseen", course, { column, what });
}

// Every row of a question, page by page; the pages agree.
async function all(view: string, parameters: Parameters, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null | undefined;
  do {
    const page: Answer = await get(address(`views/${view}`, { ...parameters, limit: PAGE, cursor: cursor ?? undefined }), signal);
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor);
  return rows;
}

export function Screen({ id }: { id: string }) {
  const { column = "video_id", what = "", run } = route.value.parameters;
  const view = OPENED[column] ?? OPENED.video_id!;
  const [found, setFound] = useState<Row[] | ApiError | null>(null);
  const [students, setStudents] = useState(0);
  const epoch = run ? "" : `${epochOf(view)} ${epochOf(STUDENTS)}`;
  useEffect(() => {
    const stop = new AbortController();
    const of = { course_id: id, as_of_run: run };
    Promise.all([
      all(STUDENTS, { ...of, dropped_on__isnull: "true", fields: "user_id,last_active", sort: "last_active" }, stop.signal),
      all(view, { ...of, [column]: what, fields: "user_id" }, stop.signal),
    ]).then(
      ([taking, opened]) => {
        const seen = new Set(opened.map((row) => row.user_id));
        setStudents(taking.length);
        setFound(taking.filter((row) => !seen.has(row.user_id!)));
      },
      (error: unknown) => !stop.signal.aborted && setFound(error instanceof ApiError ? error : new ApiError(0, "network", "")),
    );
    return () => stop.abort();
  }, [id, column, what, epoch]);
  if (found instanceof ApiError) return <Trouble error={found} />;
  return (
    <section class="panel wide" data-view={view} aria-busy={found === null}>
      <h2>{t("course", { id })}</h2>
      {found === null ? <p class="waiting">{t("loading")}</p> : (
        <>
          <p class="count">{t("unseen_of", { n: found.length, all: students })}</p>
          <div class="scroll" tabIndex={0} role="region" aria-label={t("unseen", { what })}>
            <table>
              <thead>
                <tr><th scope="col">{t("student_column")}</th><th scope="col">{t("last_seen")}</th></tr>
              </thead>
              <tbody>
                {found.slice(0, PAGE / 10).map((row) => (
                  <tr key={String(row.user_id)}>
                    <td><a href={linkTo("student", String(row.user_id))}>{String(row.user_id)}</a></td>
                    <td>{shown(row.last_active, "DATE")}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {found.length > PAGE / 10 && <p class="about">{t("first_shown", { n: number(PAGE / 10) })}</p>}
        </>
      )}
    </section>
  );
}
