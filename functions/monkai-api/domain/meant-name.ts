/** What people call the filters of this API who know another one. Without case and `_`, as in `plain`. */
const ALIASES: Record<string, string[]> = {
  start_date: ["from", "since", "start", "starttime", "startat", "startedat", "after", "begin", "gte"],
  end_date: ["to", "until", "end", "endtime", "endat", "endedat", "before", "lte"],
  session_id: ["session", "conversation", "conversationid", "thread", "threadid", "chatid"],
  agent: ["agentname", "agentid", "bot"],
  trace_id: ["trace"],
  step_id: ["step", "spanid", "recordid", "observationid"],
  name: ["scorename", "metric"],
  text: ["search", "contains", "words", "q", "query", "like", "content"],
  tool_name: ["tool", "toolname", "function"],
  model: ["modelname", "modelid"],
  user_id: ["user", "externaluserid", "enduser"],
  min_duration_ms: ["minduration", "duration", "durationms", "minlatencyms", "latencyms", "slowerthan"],
  level: ["severity", "loglevel"],
  resource_id: ["resource"],
  namespace: ["project", "projectid", "app"],
  project_id: ["project", "namespace", "app"],
  root_only: ["roots", "root", "rootsonly", "onlyroots"],
  limit: ["pagesize", "perpage", "size", "max", "top", "take", "count"],
  offset: ["skip", "page"],
  cursor: ["nextcursor", "pagetoken", "next"],
  after: ["since", "watermark", "from"],
  scope: ["tree", "depth"],
  ids: ["id", "stepid", "stepids"],
  max_bytes: ["bytes", "size", "limit"],
  format: ["type", "as", "output"],
};

/** How many letters may be wrong in a name of so many. */
const mayDiffer = (length: number) => (length < 5 ? 1 : 2);

/** Which of the known names somebody meant who wrote another one: another word for it, or nearly its letters. */
export function meantName(written: string, known: string[]): string | undefined {
  const word = plain(written);
  const named = known.find((name) => plain(name) === word || ALIASES[lastPart(name)]?.includes(word));
  if (named !== undefined) return named;
  const [nearest] = known
    .map((name) => ({ name, distance: distance(word, plain(name)) }))
    .filter(({ distance }) => distance <= mayDiffer(word.length))
    .sort((one, other) => one.distance - other.distance);
  return nearest?.name;
}

/** `query.agent` is called `agent` where it stands. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function plain(name: string): string {
  return lastPart(name)
    .toLowerCase()
    .replace(/[^a-z]/g, "")
    .slice(0, 40);
}

/** Levenshtein's: how many letters one has to put in, take out or exchange. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [place, letter] of [...one].entries()) {
    const next = [place + 1];
    for (const [index, otherLetter] of [...other].entries()) {
      const exchanged = (row[index] as number) + (letter === otherLetter ? 0 : 1);
      next.push(Math.min(exchanged, (row[index + 1] as number) + 1, (next[index] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
