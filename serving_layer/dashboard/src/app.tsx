// The frame around every screen: where one can go, how fresh the answers are, language and colours.
import { useEffect } from "preact/hooks";
import { begun, freshness, offline } from "./api/live.ts";
import { inMenu, isStranger, logOut, me } from "./api/me.ts";
import { linkTo, route, setParameters } from "./route.ts";
import { MENU, SCREENS } from "./screens/index.ts";
import { duration, type Language, LANGUAGES, language, speak, t } from "./text/index.ts";
import { apply, choose, type Theme, THEMES, theme } from "./theme.ts";

apply();

export function App() {
  const known = me.value;
  const menu = MENU.filter((item) => inMenu(item.name, known));
  const own = known?.person ?? "";
  // Who came without a wish is shown the first screen of the role: students, their own page.
  const wanted = route.value.screen === "courses" && menu.length ? menu.find(({ name }) => name === "courses")?.name ?? menu[0]!.name : route.value.screen;
  const { parameters } = route.value;
  const id = wanted === "student" && !route.value.id ? own : route.value.id;
  const shown = SCREENS.find(({ name }) => name === wanted) ?? SCREENS[0]!;
  const heading = isStranger(known) ? t("log_in") : shown.title(id);
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.title = `${heading} – ${t("title")}`;
  });
  return (
    <>
      <a class="skip" href="#content" onClick={toContent}>
        {t("skip")}
      </a>
      <header class="frame">
        <a class="brand" href={linkTo("courses")}>
          {t("title")}
        </a>
        <nav aria-label={t("title")}>
          {menu.map((item) => (
            <a key={item.name} href={linkTo(item.name)} aria-current={item.name === shown.name ? "page" : undefined}>
              {item.name === "student" ? t("my_page") : item.title("")}
            </a>
          ))}
          <a href="docs">{t("api")}</a>
        </nav>
        <Fresh />
        {known?.logout && (
          <p class="fresh">
            {known.person}{" "}
            <button type="button" onClick={() => void logOut()}>
              {t("log_out")}
            </button>
          </p>
        )}
        <Choice label={t("language")} value={language.value} options={Object.entries(LANGUAGES).map(([code, { name }]) => [code, name])}
          onChange={(code) => speak(code as Language)} />
        <Choice label={t("theme")} value={theme.value} options={THEMES.map((name) => [name, t(`theme_${name}`)])}
          onChange={(name) => choose(name as Theme)} />
      </header>
      <main id="content" tabIndex={-1}>
        <h1>{heading}</h1>
        {offline.value && <p class="trouble" role="status">{t("offline")}</p>}
        {parameters.run && (
          <p class="notice">
            {t("pinned", { run: parameters.run })}{" "}
            <button type="button" onClick={() => setParameters({ run: undefined })}>
              {t("unpin")}
            </button>
          </p>
        )}
        {isStranger(known) ? <Door login={known?.login ?? null} /> : known && begun.value && <shown.Screen key={`${shown.name}/${id}`} id={id} />}
      </main>
    </>
  );
}

// What a stranger finds: the way in, and back to where they wanted to go.
function Door({ login }: { login: string | null }) {
  const next = `/${location.hash}`;
  return (
    <section class="panel" data-view="login">
      <p>{t("log_in_about")}</p>
      {login ? <a class="door" href={`${login.replace(/^\//, "")}?next=${encodeURIComponent(next)}`}>{t("log_in")}</a> : <p class="trouble">{t("no_login")}</p>}
    </section>
  );
}

function toContent(event: Event) {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

const FRESH_SECONDS = 60;

function Fresh() {
  const lag = freshness.value?.lag_seconds;
  const known = lag !== null && lag !== undefined;
  const state = offline.value ? "away" : known && lag <= FRESH_SECONDS ? "fresh" : "late";
  return <p class="fresh" data-state={state}>{known ? t("fresh", { time: duration(lag) }) : t("fresh_unknown")}</p>;
}

interface ChoiceProps {
  label: string;
  value: string;
  options: [string, string][];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label class="choice">
      <span class="hidden">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
