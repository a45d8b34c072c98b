/** A body that is no OTLP. Its message is for the sender: it says what is wrong, and where. */
export class OtlpError extends Error {
  override name = "OtlpError";
}
