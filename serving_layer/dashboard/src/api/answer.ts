// An answer that stays current: asked when the question changes, and again when the view may have other rows.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Answer, ApiError, address, type Cover, type Parameters, shared, type ViewInfo } from "./client.ts";
import { freshness, stateOf, views } from "./live.ts";
import { route } from "../route.ts";

export interface Asked {
  question: string;
  info?: ViewInfo;
  answer?: Answer;
  error?: ApiError;
  waiting: boolean;
  // Asks once more, where it went wrong.
  again?: () => void;
}

// Between two questions of the same kind, so that a view that changes all the time is not asked for all the time.
const REST_MS = 300;

// About as long as an answer takes to be drawn.
const DRAWN_MS = 30;
const rest = (ms = 0) => new Promise((go) => setTimeout(go, ms));
let first: Promise<unknown> | undefined;

// What a page asks first is drawn before it asks the rest, with which it would share the server's and the browser's cores.
// What is asked `later` leaves the first place to whatever else a page asks at once.
async function inTurn<T>(ask: () => Promise<T>, later: boolean): Promise<T> {
  if (!first && later) await rest();
  if (first) {
    await first;
    return ask();
  }
  const asked = ask();
  const drawn = () => rest(DRAWN_MS);
  first = asked.then(drawn, drawn);
  return asked;
}

// Whether the server has said meanwhile that it covers more; asked before it said anything, an answer may be older.
function isBehind({ head }: Cover, topic = ""): boolean {
  return Object.entries(freshness.peek()?.head[topic] ?? {}).some(([partition, end]) => end > (head[topic]?.[partition] ?? 0));
}

// `undefined` as the view asks nothing; `later` is told above.
export function useAnswer(view: string | undefined, parameters: Parameters, later = false): Asked {
  const run = route.value.parameters.run;
  const as_of_run = parameters.as_of_run ?? run;
  const question = view ? address(`views/${view}`, { ...parameters, as_of_run }) : "";
  const [found, setFound] = useState<Asked>({ question, waiting: true });
  const state = as_of_run ? "" : stateOf(view);
  const again = useRef({ state, ask: () => undefined as void });
  useEffect(() => {
    if (!view) return;
    const stop = new AbortController();
    let busy = false;
    let wanted = false;
    const ask = async () => {
      wanted = busy;
      if (busy) return;
      busy = true;
      const blind = freshness.peek() === null;
      try {
        const [answer, known] = await Promise.all([inTurn(() => shared<Answer>(question, again.current.state), later), views()]);
        if (stop.signal.aborted) return;
        setFound({ question, answer, info: known.get(view), waiting: false });
        wanted ||= blind && isBehind(answer.as_of, known.get(view)?.topic);
      } catch (error) {
        if (stop.signal.aborted) return;
        const told = error instanceof ApiError ? error : new ApiError(0, "network", "");
        setFound((before) => ({ ...(before.question === question ? before : {}), question, error: told, waiting: false }));
      }
      setTimeout(() => {
        busy = false;
        if (wanted && !stop.signal.aborted) void ask();
      }, REST_MS);
    };
    again.current.ask = () => void ask();
    void ask();
    return () => stop.abort();
  }, [question]);
  useEffect(() => {
    if (again.current.state === state) return;
    again.current.state = state;
    again.current.ask();
  }, [state]);
  return { ...(found.question === question ? found : { question, waiting: true }), again: () => again.current.ask() };
}
