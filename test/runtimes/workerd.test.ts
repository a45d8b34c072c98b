import { inject } from "vitest";
import { inTheApi, inTheDatabase, onTheWire } from "../scenarios/index.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("workerdUrl")}${path}`, init);

onTheWire("workerd", api);
inTheApi("workerd", api);
inTheDatabase("workerd", api);
