// The least that workerd can run.
export default { fetch: () => new Response("{}") };
