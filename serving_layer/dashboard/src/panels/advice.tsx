// Writing down what was done about a student, and what was.
import { useId, useState } from "preact/hooks";
import { type Advice, advise, type Kind, KINDS, useAdvice } from "../api/advice.ts";
import type { ApiError } from "../api/client.ts";
import { shown, t } from "../text/index.ts";
import { Trouble } from "./states.tsx";

const LONGEST = 2000;

export function Write({ student, kinds = KINDS }: { student: string; kinds?: readonly Kind[] }) {
  const name = useId();
  const [kind, setKind] = useState<Kind>(kinds[0]!);
  const [text, setText] = useState("");
  const [id, setId] = useState(fresh);
  const [state, setState] = useState<"" | "busy" | "kept" | ApiError>("");
  const submit = async (event: Event) => {
    event.preventDefault();
    setState("busy");
    const error = await advise(id, student, kind, text);
    setState(error ?? "kept");
    if (error) return;
    setText("");
    setId(fresh());
  };
  return (
    <form class="write" onSubmit={(event) => void submit(event)}>
      <label>
        {t("what_done")}{" "}
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
          {kinds.map((one) => <option key={one} value={one}>{t(`kind_${one}`)}</option>)}
        </select>
      </label>
      <label for={name}>{t("in_words")}</label>
      <textarea id={name} rows={2} maxLength={LONGEST} value={text} required={kind === "note" || kind === "outcome"}
        onInput={(event) => setText(event.currentTarget.value)} />
      <button type="submit" disabled={state === "busy"}>{t("write_down")}</button>
      <span role="status">{state === "kept" && t("written_down")}</span>
      {typeof state === "object" && <Trouble error={state} />}
    </form>
  );
}

// A random id by which the server knows an event that is sent again.
function fresh(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function Events({ events }: { events: Advice[] }) {
  return (
    <ol class="events">
      {events.map(({ id, at, by, kind, text }) => (
        <li key={id}>
          <strong>{t(`kind_${kind}`)}</strong> {shown(at, "TIMESTAMP")}, {by}
          {text && <p>{text}</p>}
        </li>
      ))}
    </ol>
  );
}

// All about one student, and the way to write more.
export function AdvicePanel({ student }: { student: string }) {
  const { value, error } = useAdvice(student);
  return (
    <section class="panel" data-view="advice" aria-busy={!value && !error}>
      <h2>{t("advice")}</h2>
      <p class="about">{t("advice_about")}</p>
      {error && !value ? <Trouble error={error} /> : !value ? <p class="waiting">{t("loading")}</p> : (
        <>
          {value.advice.length ? <Events events={value.advice} /> : <p class="empty">{t("advice_none")}</p>}
          <Write student={student} />
        </>
      )}
    </section>
  );
}
