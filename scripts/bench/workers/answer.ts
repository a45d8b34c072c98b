/** What `record_steps` answers to one LLM call. */
export const ANSWER = JSON.stringify({
  tenant_id: "0b8a1f5e-5d5c-4d0e-9a53-0c7de4c3a4f1",
  token_id: "6a2b9b54-9d54-4a3c-8d4f-6a0f4c1c2d3e",
  namespaces: null,
  rate_limit: { bucket: "traces", limit: 600, remaining: 599, reset: 30 },
  data: {
    ids: "019ab1c2-7d3e-7a41-8b5c-2f6d9e0",
    refused: [],
  },
});
