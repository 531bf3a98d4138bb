import { render } from "preact";
import { App } from "./app.tsx";
import { followFreshness } from "./api/live.ts";

followFreshness();
render(<App />, document.getElementById("app")!);
