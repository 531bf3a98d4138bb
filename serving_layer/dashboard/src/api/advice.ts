// What advisers did about students: read and written by the same route.
import { signal } from "@preact/signals";
import { ApiError, address, send } from "./client.ts";
import { advised } from "./live.ts";
import { me } from "./me.ts";
import { type Told, useTold } from "./told.ts";

export const KINDS = ["acknowledged", "contacted", "note", "outcome"] as const;
export type Kind = (typeof KINDS)[number];

export interface Advice {
  id: string;
  at: string;
  student: string;
  by: string;
  kind: Kind;
  text: string;
}

// How often this page has written: what it shows is asked for again.
const written = signal(0);

// Whether who looks writes and reads about students; whose they are, the API says.
export function advises(): boolean {
  return ["admin", "adviser"].includes(me.value?.role ?? "");
}

export function useAdvice(student?: string): Told<{ total: number; advice: Advice[] }> {
  return useTold(address("advice", { student }), `${written.value} ${advised.value}`);
}

// Null where it is kept; an event that may have been kept is sent again under its id.
export async function advise(id: string, student: string, kind: Kind, text: string): Promise<ApiError | null> {
  try {
    await send("advice", { id, student, kind, text }, me.value?.csrf ?? "");
  } catch (error) {
    return error instanceof ApiError ? error : new ApiError(0, "network", "");
  }
  written.value += 1;
  return null;
}
