// Two terms side by side: the courses that were created for each, and the students in them.
import { useAnswer } from "../api/answer.ts";
import { route, setParameters } from "../route.ts";
import { number, t } from "../text/index.ts";
import { listed } from "../text/values.ts";
import { Covers } from "./cover.tsx";
import { cohorts, type Line, Lines, type Side, weeks } from "./sides.tsx";
import { stateOf } from "./states.tsx";

const SIDES = ["a", "b"] as const;
const MOST = 10_000;
// As many values the API takes in a list.
const MOST_COURSES = 1000;

function lines(): Line[] {
  return [
    { title: t("students_here"), view: "course_student_activity", parameters: { dropped_on__isnull: "true" } },
    { title: t("students_left"), view: "course_student_activity", parameters: { dropped_on__isnull: "false" } },
    { title: t("watched_half"), view: "video_student_course_summary", parameters: { video_coverage_percentage__gte: 50 } },
    { title: t("graded_students"), view: "assessment_student_overall_performance", parameters: { avg_assignment_score__isnull: "false" } },
    { title: t("rule_grade", { n: 50 }), view: "assessment_student_overall_performance", parameters: { avg_assignment_score__lt: 50 } },
  ];
}

export function Terms() {
  const asked = useAnswer("course_terms", { fields: "course_id,semester", sort: "-semester,course_id", limit: MOST });
  const state = stateOf(asked);
  if (state) return state;
  const courses = new Map<string, string[]>();
  for (const { semester, course_id } of asked.answer?.rows ?? []) courses.set(String(semester), [...(courses.get(String(semester)) ?? []), String(course_id)]);
  const known = [...courses.keys()];
  const chosen = SIDES.map((side, place) => route.value.parameters[`term_${side}`] ?? known[place] ?? known[0]!);
  const sides: Side[] = chosen.map((term) => {
    const within = (courses.get(term) ?? []).slice(0, MOST_COURSES);
    return { name: term, of: within.length ? { course_id__in: listed(within) } : undefined };
  });
  return (
    <>
      <form class="thresholds" onSubmit={(event) => event.preventDefault()}>
        {SIDES.map((side, place) => (
          <label key={side}>
            {t(`term_${side}`)}{" "}
            <select value={chosen[place]} onChange={(event) => setParameters({ [`term_${side}`]: event.currentTarget.value })}>
              {known.map((term) => <option key={term} value={term}>{term}</option>)}
            </select>
          </label>
        ))}
      </form>
      <section class="panel wide" data-view="terms">
        <h2>{t("figures")}</h2>
        <p class="about">{t("terms_about")}</p>
        <div class="scroll" tabIndex={0} role="region" aria-label={t("figures")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("figure")}</th>
                {chosen.map((term, place) => <th scope="col" class="figure" key={place}>{term}</th>)}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{t("courses")}</th>
                {chosen.map((term, place) => <td class="figure" key={place}>{number(courses.get(term)?.length ?? 0)}</td>)}
              </tr>
              <Lines lines={[...lines(), ...weeks(), ...cohorts()]} sides={sides} />
            </tbody>
          </table>
        </div>
        {chosen.some((term) => (courses.get(term)?.length ?? 0) > MOST_COURSES) && <p class="about">{t("first_shown", { n: number(MOST_COURSES) })}</p>}
        <Covers asked={asked} />
      </section>
    </>
  );
}
