/** A field of a message, with its type as the file has it. */
export interface Field {
  name: string;
  number: number;
  type: string;
  isList: boolean;
}

/** What the files declare, nested or not, by its own name. */
export interface Declared {
  messages: Map<string, Field[]>;
  enums: Map<string, [name: string, number: number][]>;
}

/** Reads as much of the language of .proto files as OpenTelemetry's use. It throws where they say anything else. */
export function readProto(texts: string[]): Declared {
  const declared: Declared = { messages: new Map(), enums: new Map() };
  for (const text of texts) readBlock(tokensOf(text), declared, []);
  return declared;
}

/** Words and signs, the next one last. */
function tokensOf(text: string): string[] {
  const withoutComments = text.replace(/\/\/.*$/gm, "").replace(/\/\*[\s\S]*?\*\//g, "");
  return (withoutComments.match(/"[^"]*"|[\w.]+|[^\s\w]/g) ?? []).reverse();
}

function readBlock(tokens: string[], declared: Declared, fields: Field[]): void {
  for (let word = tokens.pop(); word !== undefined && word !== "}"; word = tokens.pop()) {
    if (word === "message") readMessage(tokens, declared);
    else if (word === "enum") readEnum(tokens, declared);
    else if (word === "oneof") readOneOf(tokens, declared, fields);
    else if (["syntax", "package", "import", "option", "reserved"].includes(word)) skipStatement(tokens);
    else if (word !== ";") fields.push(readField(word, tokens));
  }
}

function readMessage(tokens: string[], declared: Declared): void {
  const fields: Field[] = [];
  declared.messages.set(nameOfBlock(tokens), fields);
  readBlock(tokens, declared, fields);
}

function readOneOf(tokens: string[], declared: Declared, fields: Field[]): void {
  nameOfBlock(tokens);
  readBlock(tokens, declared, fields);
}

function readEnum(tokens: string[], declared: Declared): void {
  const fields: Field[] = [];
  const name = nameOfBlock(tokens);
  for (let word = tokens.pop(); word !== "}"; word = tokens.pop()) {
    expectSign("=", tokens.pop());
    fields.push({ name: word as string, number: Number(tokens.pop()), type: "", isList: false });
    skipStatement(tokens);
  }
  declared.enums.set(
    name,
    fields.map((field) => [field.name, field.number]),
  );
}

function nameOfBlock(tokens: string[]): string {
  const name = tokens.pop() as string;
  expectSign("{", tokens.pop());
  return name;
}

function readField(first: string, tokens: string[]): Field {
  const isList = first === "repeated";
  const type = isList || first === "optional" ? (tokens.pop() as string) : first;
  const name = tokens.pop() as string;
  expectSign("=", tokens.pop());
  const number = Number(tokens.pop());
  if (!Number.isInteger(number)) throw new Error(`The field ${name} has no number.`);
  skipStatement(tokens);
  return { name, number, type, isList };
}

function skipStatement(tokens: string[]): void {
  for (let word = tokens.pop(); word !== ";"; word = tokens.pop()) {
    if (word === undefined) throw new Error("A statement has no end.");
  }
}

function expectSign(sign: string, found: string | undefined): void {
  if (found !== sign) throw new Error(`There is ${found} where ${sign} is expected.`);
}
