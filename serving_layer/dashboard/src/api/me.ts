// Who looks: their role, and where they log in and out.
import { signal } from "@preact/signals";
import { ApiError, get } from "./client.ts";

export interface Me {
  role: string | null;
  person: string | null;
  login: string | null;
  logout: string | null;
  csrf: string | null;
}

const EVERYONE: Me = { role: "admin", person: null, login: null, logout: null, csrf: null };

export const me = signal<Me | null>(null);

export async function recognise(): Promise<void> {
  try {
    const { authentication } = await get<{ authentication: string }>("health/live");
    me.value = authentication === "required" ? await get<Me>("me") : EVERYONE;
  } catch (error) {
    // Without a server nobody is known to be a stranger: what is asked for says that it can't be reached.
    me.value = error instanceof ApiError && error.status === 0 ? EVERYONE : { ...EVERYONE, role: null };
  }
}

// Where nobody is named, and a login is at hand or needed.
export function isStranger(known: Me | null): boolean {
  return known !== null && known.role === null;
}

// Whether rows of whole courses are shown to who looks; students and advisers see persons' rows alone.
export function seesCourses(): boolean {
  return ["admin", "service", "analyst", "lecturer"].includes(me.value?.role ?? "");
}

// Whether what is of no course is shown: of a person to all but lecturers, of everybody together to few.
export function seesBeyondCourses(): boolean {
  return me.value?.role !== "lecturer";
}

export function seesEverybody(): boolean {
  return ["admin", "service", "analyst"].includes(me.value?.role ?? "");
}

export async function logOut(): Promise<void> {
  const known = me.value;
  if (!known?.logout) return;
  await fetch(known.logout.replace(/^\//, ""), { method: "POST", headers: { "X-CSRF-Token": known.csrf ?? "" } });
  location.reload();
}

// The screens that a role has in its menu; whatever else it asks for, the API answers by its own rules.
const MENUS: Record<string, string[]> = {
  student: ["student"],
  adviser: ["students", "adviser"],
  lecturer: ["courses", "adviser", "compare"],
};

export function inMenu(screen: string, known: Me | null): boolean {
  const own = MENUS[known?.role ?? ""];
  return own ? own.includes(screen) : screen !== "student";
}
