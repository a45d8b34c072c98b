/** How long and how large everything is measured. */
export interface Settings {
  /** Alternating rounds per figure. */
  rounds: number;
  /** Length of one side of a round. */
  seconds: number;
  /** Requests per endpoint, volume and round where latencies are measured one by one. */
  latencies: number;
  /** Starts of each worker. */
  starts: number;
  /** Records of the growing tenant: the two volumes that are compared. */
  volumes: { small: number; large: number };
}

export const FULL: Settings = {
  rounds: 7,
  seconds: 2,
  latencies: 30,
  starts: 15,
  volumes: { small: 10_000, large: 1_000_000 },
};

/** For those who work on the benchmark: no figure of it means much. */
export const QUICK: Settings = {
  rounds: 3,
  seconds: 1,
  latencies: 10,
  starts: 5,
  volumes: { small: 10_000, large: 100_000 },
};
