import { RE2JS } from "re2js";

/** A tenant's own rule. `replacement` may take up `$1` to `$9`, `$&` (all that was found) and `$$` (a dollar). */
export interface CustomRule {
  name: string;
  pattern: string;
  replacement: string;
}

export interface CompiledRule {
  /** Of the engine for each character, at most, while it looks for one match. */
  steps: number;
  /** `onMatch` is called for each match, with what takes its place. */
  replace: (text: string, onMatch: (found: string, replacement: string) => void) => string;
}

/** An RE2 engine takes at most as many steps for a character as its compiled pattern has instructions. */
const MOST_STEPS = 500;
/** What a pattern's counted repetitions may add up to: said before it is compiled, which takes long with more. */
const MOST_REPETITIONS = 1_000;
const REFERENCE = /\$([$&1-9])/g;

/** Throws where a pattern is not RE2 syntax or too large. */
export function compileRule({ pattern, replacement }: CustomRule): CompiledRule {
  const repetitions = [...pattern.matchAll(/\{(?:\d{1,6},)?(\d{1,6}),?\}/g)].map(([, most]) => Number(most));
  if (repetitions.reduce((sum, most) => sum + most, 0) > MOST_REPETITIONS) {
    throw new Error(`repeats more than ${MOST_REPETITIONS} times all in all`);
  }
  const compiled = RE2JS.compile(pattern);
  const steps = compiled.programSize();
  if (steps > MOST_STEPS) {
    throw new Error(
      `takes ${steps} steps for each character, and at most ${MOST_STEPS} are allowed: repeat less`,
    );
  }
  return {
    steps,
    replace(text, onMatch) {
      if (!compiled.test(text)) return text;
      return compiled.matcher(text).replaceAll((found: string, ...groups: string[]) => {
        const put = found === "" ? "" : expand(replacement, found, groups.slice(0, compiled.groupCount()));
        onMatch(found, put);
        return put;
      });
    },
  };
}

/** What is wrong with a rule, by field. */
export function ruleProblems(rule: CustomRule): { field: "pattern" | "replacement"; message: string }[] {
  try {
    compileRule(rule);
  } catch (error) {
    return [{ field: "pattern", message: (error as Error).message }];
  }
  const groups = RE2JS.compile(rule.pattern).groupCount();
  const missing = [...rule.replacement.matchAll(REFERENCE)].find(([, name]) => Number(name) > groups);
  const message = missing
    ? `refers to ${missing[0]}, but the pattern has ${groups} groups`
    : "refers with $1 to $9 to groups and with $& to all that was found; a dollar is $$";
  const isStray = /\$|\\\d/.test(rule.replacement.replace(REFERENCE, ""));
  return missing || isStray ? [{ field: "replacement", message }] : [];
}

/** Steps that the rules together take for each character, at most. Rules that cannot be compiled take none. */
export function stepsOf(rules: CustomRule[]): number {
  const valid = rules.filter((rule) => ruleProblems(rule).length === 0);
  return valid.reduce((sum, rule) => sum + compileRule(rule).steps, 0);
}

function expand(replacement: string, found: string, groups: string[]): string {
  return replacement.replace(REFERENCE, (_, name) => {
    if (name === "$") return "$";
    return name === "&" ? found : (groups[Number(name) - 1] ?? "");
  });
}
