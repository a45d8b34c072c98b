// A session or a trace as it is first shown. What is loaded together is one file: it is smaller, and waits for one answer.
export { Session } from "../pages/session.tsx";
export { Trace } from "../pages/trace.tsx";
