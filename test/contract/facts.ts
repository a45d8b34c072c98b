// What an OpenAPI document states, as one line for each fact: two documents can then be compared whatever their style
// ($ref or inline, const or a single enum, nullable or null among the types).

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is read as the JSON that it is
type Json = any;

const CONSTRAINTS = [
  "format",
  "default",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "pattern",
];

/** The facts of all operations. `prefix` is what the document writes before every path. */
export function factsOf(document: Json, prefix = ""): Set<string> {
  const facts = new Set<string>();
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const [method, operation] of Object.entries<Json>(item)) {
      const name = `${method.toUpperCase()} ${path.replace(prefix, "")}`;
      facts.add(name);
      new Reader(document, (fact) => facts.add(`${name} ${fact}`)).operation(operation);
    }
  }
  return facts;
}

class Reader {
  readonly #document: Json;
  readonly #tell: (fact: string) => void;
  /** The schemas that are being read, by name: trees hold themselves. */
  readonly #within: string[] = [];

  constructor(document: Json, tell: (fact: string) => void) {
    this.#document = document;
    this.#tell = tell;
  }

  operation(operation: Json): void {
    const { operationId, parameters = [], requestBody, responses } = operation;
    this.#tell(`is ${operationId}`);
    if ((operation.security ?? this.#document.security).length > 0) this.#tell("wants a token");
    for (const reference of parameters) this.#parameter(this.#resolve(reference));
    if (requestBody) this.#content(requestBody.content, "request");
    for (const [status, reference] of Object.entries(responses))
      this.#response(status, this.#resolve(reference));
  }

  #parameter(parameter: Json): void {
    const at = `${parameter.in} ${parameter.name}`;
    if (parameter.required) this.#tell(`${at} is required`);
    this.#schema(parameter.schema, at);
  }

  #response(status: string, response: Json): void {
    this.#tell(`answers ${status}`);
    for (const header of Object.keys(response.headers ?? {})) this.#tell(`${status} header ${header}`);
    this.#content(response.content ?? {}, status);
  }

  #content(content: Json, at: string): void {
    for (const [mediaType, { schema }] of Object.entries<Json>(content)) {
      if (mediaType === "application/json") this.#schema(schema, at);
      else this.#tell(`${at} as ${mediaType}`);
    }
  }

  #schema(reference: Json, at: string): void {
    const name = reference.$ref?.split("/").at(-1);
    if (name && this.#within.includes(name)) {
      this.#tell(`${at}: ${name}`);
      return;
    }
    this.#within.push(name);
    this.#resolved(this.#whole(reference), at);
    this.#within.pop();
  }

  #resolved(schema: Json, at: string): void {
    const values = schema.const === undefined ? schema.enum : [schema.const];
    const types = [schema.type ?? []].flat();
    if (schema.nullable) types.push("null");
    if (types.length > 0) this.#tell(`${at}: ${types.sort().join(" or ")}`);
    if (values) this.#tell(`${at} is one of ${[...values].sort().join(", ")}`);
    for (const constraint of CONSTRAINTS) {
      if (schema[constraint] !== undefined) this.#tell(`${at} ${constraint} ${schema[constraint]}`);
    }
    for (const name of schema.required ?? []) this.#tell(`${at}.${name} is required`);
    for (const [name, member] of Object.entries<Json>(schema.properties ?? {})) {
      this.#schema(member, `${at}.${name}`);
      this.#tell(`${at}.${name}`);
    }
    if (schema.items) this.#schema(schema.items, `${at}[]`);
    for (const choice of schema.oneOf ?? schema.anyOf ?? []) {
      this.#schema(choice, `${at}<${this.#whole(choice).type}>`);
    }
  }

  /** A schema with what it refers to and what it is composed of put together. */
  #whole(reference: Json): Json {
    const { allOf = [], ...own } = this.#resolve(reference);
    const parts = [...allOf.map((part: Json) => this.#whole(part)), own];
    return {
      ...Object.assign({}, ...parts),
      properties: Object.assign({}, ...parts.map((part) => part.properties ?? {})),
      required: [...new Set(parts.flatMap((part) => part.required ?? []))],
    };
  }

  #resolve(reference: Json): Json {
    if (!reference.$ref) return reference;
    const [, ...path] = reference.$ref.split("/");
    return this.#resolve(path.reduce((holder: Json, name: string) => holder[name], this.#document));
  }
}
