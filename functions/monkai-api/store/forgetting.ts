/** What a request has erased, and how many steps are left to the next one. */
export interface Erasure {
  erased: { steps: number; sessions: number; scores: number };
  remaining_steps: number;
}
