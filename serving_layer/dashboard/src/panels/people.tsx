// People with the reasons why they are listed, and what was done about them where who looks may know.
import { type Advice, advises } from "../api/advice.ts";
import { linkTo } from "../route.ts";
import { t } from "../text/index.ts";
import { Events, Write } from "./advice.tsx";

export interface Person {
  user: string;
  courses: Map<string, { text: string; fresh: boolean }[]>;
  reasons: number;
  fresh: boolean;
}

export function People({ people, advice }: { people: Person[]; advice: Map<string, Advice[]> }) {
  const writes = advises();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t("people_to_see")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("student_column")}</th><th scope="col">{t("reasons")}</th>
            {writes && <th scope="col">{t("advice")}</th>}
          </tr>
        </thead>
        <tbody>
          {people.map(({ user, courses }) => (
            <tr key={user}>
              <td><a href={linkTo("student", user)}>{user}</a></td>
              <td class="why">
                <ul class="reasons">
                  {[...courses].map(([course, reasons]) => (
                    <li key={course}>
                      <a href={linkTo("course", course)}>{course}</a>
                      {reasons.map(({ text, fresh }, place) => (
                        <span class="reason" key={place}>{text}{fresh && <strong class="badge">{t("since_yesterday")}</strong>}</span>
                      ))}
                    </li>
                  ))}
                </ul>
              </td>
              {writes && (
                <td>
                  <Events events={(advice.get(user) ?? []).slice(0, 1)} />
                  <details>
                    <summary aria-label={t("write_about", { student: user })}>{t("write")}</summary>
                    <Write student={user} />
                  </details>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
