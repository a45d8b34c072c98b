// What wrangler.toml puts into a Worker in the place of supabase-js's parts for signing in, realtime, files and functions: 50
// KiB gzipped, which this API never calls. What is left is the client of the REST layer.

class Unused {
  /** The one thing that supabase-js does with any of them by itself, when it is made. */
  setAuth(): void {}
}

export {
  Unused as AuthClient,
  Unused as FunctionRegion,
  Unused as FunctionsClient,
  Unused as FunctionsError,
  Unused as FunctionsFetchError,
  Unused as FunctionsHttpError,
  Unused as FunctionsRelayError,
  Unused as RealtimeClient,
  Unused as StorageApiError,
  Unused as StorageClient,
};
