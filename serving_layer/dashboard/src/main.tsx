import { render } from "preact";
import { App } from "./app.tsx";
import { follow } from "./api/live.ts";

follow();
render(<App />, document.getElementById("app")!);
