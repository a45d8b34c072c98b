import "./style/tokens.css";
import "./style/page.css";
import "./style/parts.css";
import "./style/sessions.css";
import "./style/traces.css";
import "./style/timeline.css";
import "./style/tree.css";
import "./style/agents.css";
import "./style/compare.css";
import "./style/search.css";
import "./style/usage.css";
import "./style/run.css";
import "./style/panel.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { showTheme } from "./state/theme.ts";

showTheme();
render(<App />, document.getElementById("viewer") as HTMLElement);
