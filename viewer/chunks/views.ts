// The other views of a run, and the page that compares two.
export { Compare } from "../pages/compare.tsx";
export { Agents } from "../views/agents.tsx";
export { Logs } from "../views/logs.tsx";
export { Timeline } from "../views/timeline.tsx";
export { Tree } from "../views/tree.tsx";
