import type { MasterKeys, WrappedKey } from "../../functions/monkai-api/store/sealing/master-keys.ts";
import { callFunction, type Project } from "../stack/rpc.ts";

/** A data key as the database has it. Without `wrapped` it was forgotten. */
export interface ListedKey {
  tenant: string;
  tenant_id: string;
  number: number;
  wrapped: string | null;
  master_key: string | null;
  created_at: string;
}

/** All data keys, or those of a tenant, in the order of tenants and numbers. */
export function listedKeys(project: Project, tenant?: string): Promise<ListedKey[]> {
  return callFunction(project, "list_data_keys", { tenant });
}

/** Gives a tenant that writes with a data key a new one, or all that do. What was written before stays readable. Returns their names. */
export async function rotateDataKeys(
  project: Project,
  masters: MasterKeys,
  tenant?: string,
): Promise<string[]> {
  const keys = await listedKeys(project, tenant);
  const newest = keys.filter((key, index) => keys[index + 1]?.tenant_id !== key.tenant_id);
  const writing = newest.filter(({ wrapped }) => wrapped !== null);
  for (const { tenant_id, number } of writing) {
    await put(project, tenant_id, await masters.newDataKey(tenant_id, number + 1));
  }
  return writing.map((key) => key.tenant);
}

/** Wraps the data keys, or a tenant's, by the first master key that another one has wrapped. Returns how many. Throws where one does not open. */
export async function rewrapDataKeys(
  project: Project,
  masters: MasterKeys,
  tenant?: string,
): Promise<number> {
  const keys = await listedKeys(project, tenant);
  const others = keys.filter(
    (key): key is ListedKey & WrappedKey => key.wrapped !== null && key.master_key !== masters.first,
  );
  for (const key of others) {
    await put(project, key.tenant_id, await masters.rewrap(key.tenant_id, key), { instead_of: key.wrapped });
  }
  return others.length;
}

/** Forgets all data keys of a tenant, for good. Returns how many. */
export async function forgetDataKeys(project: Project, tenant: string): Promise<number> {
  return (await callFunction<{ forgotten: number }>(project, "forget_data_keys", { tenant })).forgotten;
}

async function put(project: Project, tenant_id: string, key: WrappedKey, more = {}): Promise<void> {
  const { done } = await callFunction<{ done: boolean }>(project, "put_data_key", {
    tenant_id,
    ...key,
    ...more,
  });
  if (!done) throw new Error("The data keys were changed by somebody else at this moment. Run it again.");
}
