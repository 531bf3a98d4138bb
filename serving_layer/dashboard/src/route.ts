// Where the reader is: `#/course/COURSE001?run=…`. A screen's state that a link must reproduce stands in the address.
import { signal } from "@preact/signals";

export interface Route {
  screen: string;
  id: string;
  parameters: Record<string, string>;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [screen = "", ...rest] = path.split("/");
  return { screen: screen || "courses", id: decode(rest.join("/")), parameters: Object.fromEntries(new URLSearchParams(query)) };
}

export function linkTo(screen: string, id = "", parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${screen}${id ? `/${encodeURIComponent(id)}` : ""}${query ? `?${query}` : ""}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = signal<Route>(typeof location === "undefined" ? parseRoute("") : parseRoute(location.hash));

if (typeof addEventListener !== "undefined") {
  addEventListener("hashchange", () => {
    route.value = parseRoute(location.hash);
  });
}

// Change some parameters of the address without a new entry in the browser's history.
export function setParameters(changes: Record<string, string | undefined>): void {
  const { screen, id, parameters } = route.value;
  const merged = { ...parameters, ...changes };
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value)) as Record<string, string>;
  history.replaceState(null, "", linkTo(screen, id, kept));
  route.value = parseRoute(location.hash);
}
