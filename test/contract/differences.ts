/** Why our document states something that a published one does not, or the other way round. */
export interface Difference {
  reason: string;
  /** What is stated: see `facts.ts`. */
  facts: RegExp;
}

/** What the published documents state and ours does not. */
export const LEFT_OUT: Difference[] = [
  {
    reason: "A null in a message comes back as it was sent.",
    facts:
      /\.(?:records\[\]\.)?msg\S*\.(?:sender|tool_calls|tool_call_id|tool_name|is_internal_tool|internal_tool_type)(?::| is one of)/,
  },
];

/** What ours states beside them. No client that keeps to the published documents runs into any of it. */
export const ADDED: Difference[] = [
  { reason: "Every refusal says what is left of the limit.", facts: / (?:4\d\d|500) header X-RateLimit-/ },
  { reason: "The limit in the IETF draft's headers too.", facts: / header RateLimit(?:-|$)/ },
  { reason: "A body can be too large, and not JSON.", facts: / (?:answers )?41[35]\b/ },
  { reason: "A database that is out of order is no fault of the request.", facts: / (?:answers )?503\b/ },
  { reason: "SOAT's answers carry a request id.", facts: /^GET \/traces\S* \d+ header X-Request-ID/ },
  { reason: "SOAT's requests may, too.", facts: /^GET \/traces\S* header X-Request-ID/ },
  {
    reason: "SOAT's endpoints are limited like all others.",
    facts: /^GET \/traces\S* (?:answers 429|\d+ header|429)/,
  },
  {
    reason: "SOAT's parameters can be wrong, and servers fail.",
    facts: /^GET \/traces\S* (?:answers )?(?:400|500)/,
  },
  {
    reason: "SOAT's errors have a code and a request id beside the text.",
    facts: /^GET \/traces\S* 40[134]\.(?:code|request_id|error is required)/,
  },
  {
    reason: "More to filter traces by.",
    facts: /^GET \/traces query (?:session_id|agent|start_date|end_date|root_only|limit m|offset m)/,
  },
  {
    reason: "A trace says where it is from in words.",
    facts: /^GET \/traces\S* 200\S*\.(?:namespace|agent|session_id|content_redacted_at|scores)\b/,
  },
  { reason: "Texts and numbers have an end.", facts: / (?:min|max)(?:imum|Length|Items) \d+$/ },
  { reason: "Formats of what we make are told.", facts: / 200\S* (?:format date-time)$/ },
  { reason: "What always comes back is told to be required.", facts: / 200\S* is required$/ },
  { reason: "A success is always `true`.", facts: / 200\S*\.success is one of true/ },
  {
    reason: "A trace may name its namespace, its agent and its place in a tree.",
    facts: /^POST \/traces\/\S+ request\S*\.(?:namespace|agent|trace_id|parent_trace_id)\b/,
  },
  {
    reason: "A null in a message comes back as it was sent, and may be sent.",
    facts:
      /\.msg\S*\.(?:sender|tool_calls|tool_call_id|tool_name|is_internal_tool|internal_tool_type)(?:: \S+ or | is one of)/,
  },
  {
    reason: "Its answer has the step's id, and the trace's where that was sent.",
    facts: /^POST \/traces\/\S+ 200\S*\.(?:id|trace_id)\b/,
  },
  {
    reason: "A step may say how it went and when it began.",
    facts: /^POST \S+ request\S*\.(?:status|error|started_at)\b/,
  },
  {
    reason: "A step that is read back has its id, its trace, how it went and when it began.",
    facts: / 200\.(?:records|logs)\[\]\.(?:id|trace_id|status|error|started_at)\b/,
  },
  {
    reason: "How many of the tokens came from a cache, and were spent on thinking, where that was told.",
    facts: /^POST \S+ (?:request\.records|200\.records)\[\]\.(?:cached_input_tokens|reasoning_tokens)\b/,
  },
  {
    reason:
      "A log entry that is traced may have the object of one that is uploaded, which has metadata beside it then.",
    facts: /^POST \/(?:traces\/\S+ request\S*\.custom_object|logs\/upload request\.logs\[\]\.metadata)/,
  },
  {
    reason: "More to filter records and logs by.",
    facts:
      /^POST \/(?:record_query request\.query|(?:records|logs)\/(?:query|export) request)\.(?:agent|session_id|trace_id)\b/,
  },
  {
    reason: "An empty page says so where there is no namespace of that name.",
    facts: /^POST \/(?:record_query|logs\/query) 200\.warning/,
  },
  { reason: "Exact paging while rows come in.", facts: / (?:request\S*\.cursor|200\.next_cursor)/ },
  {
    reason: "Uploads answer with the names that published clients read.",
    facts: / 200\.(?:total_inserted|dropped_count|duplicates_skipped|duplicate|details)\b/,
  },
  { reason: "Redacted by which rules: sent by the Python SDK.", facts: /\.anonymization_version/ },
  {
    reason: "A record that was traced has what was traced, a log entry its session and agent.",
    facts:
      / 200\.(?:records|logs)\[\]\.(?:trace_type|provider|latency_ms|input|output|tool_name|arguments|result|metadata|session_id|agent)\b/,
  },
  {
    reason: "A call that came as a span has what only spans tell.",
    facts: / 200\.records\[\]\.(?:operation|system_instructions|usage|time_to_first_token_ms|call_id)\b/,
  },
  {
    reason: "The same fields are taken when log entries are uploaded.",
    facts: /^POST \/logs\/upload request\.logs\[\]\.(?:session_id|agent)\b/,
  },
  {
    reason: "A file has a name, and may be CSV.",
    facts: /^POST \/(?:records|logs)\/export 200 (?:header Content-Disposition|as text\/csv)/,
  },
  {
    reason: "A session that get-or-create makes has metadata, as one of create.",
    facts: /^POST \/sessions\/get-or-create request\.metadata/,
  },
  {
    reason: "The codes of a batch's errors are those of all errors.",
    facts: / 200\.results\[\]\.error\.code is one of/,
  },
  { reason: "A 401 says how to authenticate (RFC 9110).", facts: / 401 header WWW-Authenticate$/ },
];
