// `pg` has no types of its own. `@supabase/pg-delta` wants its pools; everything else here uses `postgres`.
declare module "pg" {
  class Pool {
    constructor(options: { connectionString: string; max: number });
    end(): Promise<void>;
  }

  export { Pool };
  export default { Pool };
}
