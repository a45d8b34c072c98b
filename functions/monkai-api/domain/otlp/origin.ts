import type { JsonObject } from "../json.ts";
import { type Attributes, type Pairs, readingOf, toldText } from "./attributes.ts";
import type { Json } from "./plain.ts";
import { telling } from "./present.ts";
import { type Room, shared } from "./shared.ts";
import type { InstrumentationScope, Resource } from "./wire-messages.ts";

/** Where spans or records come from. Those of one scope share it. */
export interface Origin {
  namespace: string;
  /** The same for the same resource and scope. */
  digest: string;
  /** The members of the next step's `metadata` that say it. */
  metadata: () => JsonObject;
}

interface FromResource {
  resource?: Resource;
  schemaUrl: string;
}

interface FromScope {
  scope?: InstrumentationScope;
  schemaUrl: string;
}

export const LONGEST_NAMESPACE = 128;
const NAMESPACE_OF_NOBODY = "default";

/** What the steps of a resource have in common, and then those of each of its scopes. */
export function originsOf({ resource, schemaUrl }: FromResource, room: Room): (scope: FromScope) => Origin {
  const pairs = resource?.attributes ?? [];
  const namespace = namespaceOf(pairs);
  const told = telling({
    resource: objectOf(pairs),
    resource_schema_url: schemaUrl,
    resource_dropped_attributes_count: resource?.droppedAttributesCount,
    entity_refs: resource?.entityRefs,
  });
  const ofResource = shared(told, room);
  return ({ scope, schemaUrl: scopeSchemaUrl }) => {
    const ofScope = shared(telling({ scope: scopeOf(scope, scopeSchemaUrl) }), room);
    return {
      namespace,
      digest: `${ofResource.digest} ${ofScope.digest}`,
      metadata: () => ({ ...ofResource.ofNextStep(), ...ofScope.ofNextStep() }),
    };
  };
}

function scopeOf(scope: InstrumentationScope | undefined, schema_url: string): JsonObject {
  const { name, version, attributes = [], droppedAttributesCount } = scope ?? {};
  return telling({
    name,
    version,
    attributes: objectOf(attributes),
    dropped_attributes_count: droppedAttributesCount,
    schema_url,
  });
}

/** Attributes that nothing is taken from. Where a name comes twice, both are kept: as pairs. */
export function objectOf(pairs: Pairs): Json {
  const object: { [name: string]: Json } = Object.fromEntries(pairs);
  return Object.keys(object).length === pairs.length ? object : pairs;
}

function namespaceOf(pairs: Pairs): string {
  const reading = readingOf(pairs);
  return (
    toldText(reading, "namespace", LONGEST_NAMESPACE) ?? serviceOf(reading.attributes) ?? NAMESPACE_OF_NOBODY
  );
}

/** SDKs that were told no name say `unknown_service:node` and the like. */
function serviceOf(attributes: Attributes): string | undefined {
  const name = attributes.get("service.name");
  const isName = typeof name === "string" && name !== "" && name.length <= LONGEST_NAMESPACE;
  return isName && !name.startsWith("unknown_service") ? name : undefined;
}
