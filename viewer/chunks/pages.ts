// The pages beside sessions and traces.
export { Logs } from "../pages/logs.tsx";
export { Search } from "../pages/search.tsx";
export { Settings } from "../pages/settings.tsx";
export { Traces } from "../pages/traces.tsx";
export { Usage } from "../pages/usage.tsx";
