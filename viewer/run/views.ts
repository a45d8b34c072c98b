import type { Run } from "./run.ts";

/** What every view of a run is given: each is a component in viewer/views. */
export interface ViewProps {
  run: Run;
  /** The id of the step that the panel shows. */
  chosen: string | undefined;
  choose: (stepId: string) => void;
  /** The ids of the steps that are searched for; undefined: nothing is searched for. */
  matches: Set<string> | undefined;
  /** Its reader wants to see the end, wherever that is by now. */
  isFollowing?: boolean;
}
