// Light, dark, or as the system says; the colours themselves stand in style.css.
import { computed, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
export const THEMES: Theme[] = ["auto", "light", "dark"];

const dark = typeof matchMedia === "undefined" ? undefined : matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(dark?.matches ?? false);
dark?.addEventListener("change", (event) => {
  systemDark.value = event.matches;
});

export const theme = signal<Theme>(stored());

function stored(): Theme {
  const found = typeof localStorage === "undefined" ? null : localStorage.getItem("theme");
  return THEMES.includes(found as Theme) ? (found as Theme) : "auto";
}

export function choose(wanted: Theme): void {
  localStorage.setItem("theme", wanted);
  theme.value = wanted;
  apply();
}

export function apply(): void {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}

// Series differ in lightness as well as hue, so that they can be told apart without colour.
const LIGHT = { text: "#1c2430", quiet: "#4b5666", line: "#dfe4ea", heat: ["#eef3fb", "#7ba7e0", "#1f5fbf", "#0b2a5c"], series: ["#1f5fbf", "#b45309", "#0f766e", "#9d174d", "#5b21b6", "#4d7c0f", "#475569", "#be123c"] };
const DARK = { text: "#e6eaf0", quiet: "#b0bac7", line: "#2c3542", heat: ["#202a38", "#2f5a96", "#7db3ff", "#e3efff"], series: ["#7db3ff", "#f5a35c", "#4fd1c0", "#f28cb8", "#b79bff", "#a9d666", "#b6c2d2", "#ff8fa3"] };

export const palette = computed(() => (theme.value === "dark" || (theme.value === "auto" && systemDark.value) ? DARK : LIGHT));
