/** A call of an SQL function, as a Worker makes it. */
export interface RecordedCall {
  name: string;
  payload: object;
}

/** What a request of the story makes the Worker ask. */
export interface RecordedRequest {
  request: string;
  calls: RecordedCall[];
}

/** A file of this folder. */
export interface Release {
  /** The number of the newest migration that the release had. */
  schema_version: number;
  /** A call of `create_tracer_token`: who asks. */
  token: RecordedCall;
  writes: RecordedRequest[];
  retried: RecordedRequest;
  reads: RecordedRequest[];
}
