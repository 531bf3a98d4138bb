// Texts, numbers and times in the reader's language; times are told in the reader's zone, days as the views count them (UTC).
import { computed, signal } from "@preact/signals";
import type { Value } from "../api/client.ts";
import { en } from "./en.ts";
import { vi } from "./vi.ts";

type Plural = { one: string; other: string };
export type Texts = { [K in keyof typeof en]: (typeof en)[K] extends string ? string : Plural };
export type Name = keyof Texts;
export type Language = "en" | "vi";

export const LANGUAGES: Record<Language, { name: string; texts: Texts }> = {
  en: { name: "English", texts: en },
  vi: { name: "Tiếng Việt", texts: vi },
};

function chosen(): Language {
  if (typeof localStorage === "undefined") return "en";
  const wanted = localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  return wanted in LANGUAGES ? (wanted as Language) : "en";
}

export const language = signal<Language>(chosen());

export function speak(wanted: Language): void {
  localStorage.setItem("language", wanted);
  language.value = wanted;
}

const numbers = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }));
const days = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeZone: "UTC" }));
const shortDays = computed(() => new Intl.DateTimeFormat(language.value, { month: "short", day: "numeric", timeZone: "UTC" }));
const shortTimes = computed(() => new Intl.DateTimeFormat(language.value, { timeStyle: "short" }));
const times = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }));
const plurals = computed(() => new Intl.PluralRules(language.value));

export function t(name: Name, values: Record<string, string | number> = {}): string {
  const text = LANGUAGES[language.value].texts[name];
  const form = typeof text === "string" ? text : text[plurals.value.select(Number(values.n)) === "one" ? "one" : "other"];
  return form.replace(/\{(\w+)\}/g, (_, key: string) => told(values[key] ?? ""));
}

function told(value: string | number): string {
  return typeof value === "number" ? numbers.value.format(value) : value;
}

// A day where there is little room, without its year.
export function shortDay(day: string): string {
  return shortDays.value.format(new Date(`${day}T00:00:00Z`));
}

export function shortTime(moment: string): string {
  return shortTimes.value.format(new Date(moment));
}

// What events, assignments and topics call themselves in capitals or in one word, as people would.
export function kind(value: string): string {
  const named = `called_${value.toLowerCase()}` as Name;
  if (named in en) return t(named);
  return /^[A-Z_]+$/.test(value) ? `${value[0]}${value.slice(1).toLowerCase().replaceAll("_", " ")}` : value;
}

// A difference with its sign.
export function change(value: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 2, signDisplay: "exceptZero" }).format(value);
}

export function number(value: number): string {
  return numbers.value.format(value);
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

// So many seconds in the largest unit of which there are two.
export function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => seconds >= 2 * length) ?? UNITS[3];
  return new Intl.NumberFormat(language.value, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(seconds / size);
}

// A value of a column of a type of the API.
export function shown(value: Value | undefined, type = ""): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return number(value);
  if (type === "DATE") return days.value.format(new Date(`${value}T00:00:00Z`));
  if (type.startsWith("TIMESTAMP")) return times.value.format(new Date(String(value)));
  return String(value);
}
