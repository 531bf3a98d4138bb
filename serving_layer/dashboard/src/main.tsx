import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { askFirst, follow, refused } from "./api/live.ts";
import { isStranger, me, recognise } from "./api/me.ts";

void recognise().then(async () => {
  if (isStranger(me.value)) return;
  await askFirst();
  follow();
});
// A session that has ended: who it was may log in again.
effect(() => {
  if (refused.value?.status === 401) void recognise();
});
render(<App />, document.getElementById("app")!);
