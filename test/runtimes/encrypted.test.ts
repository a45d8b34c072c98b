import { inject } from "vitest";
import { newContentKey } from "../../functions/monkai-api/domain/content-keys.ts";
import { figures, scenarios } from "../scenarios/index.ts";
import { appInProcess } from "../support/app.ts";

const { api } = appInProcess(inject("restUrl"), inject("serviceKey"), { contentKeys: newContentKey("test") });

scenarios("an API that encrypts", api);
figures("an API that encrypts", api);
