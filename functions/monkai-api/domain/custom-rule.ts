import { RE2JS } from "re2js";

/** A tenant's own rule. `replacement` may take up `$1` to `$9`, `$&` (all that was found) and `$$` (a dollar). */
export interface CustomRule {
  name: string;
  pattern: string;
  replacement: string;
}

/** Finds and replaces in a text, in time that grows with its length and no faster. */
export interface CompiledRule {
  /** For each character, at most. */
  steps: number;
  replace(text: string): string;
}

/** An RE2 engine takes at most as many steps for a character as its compiled pattern has instructions. */
const MOST_STEPS = 200;
const REFERENCE = /\$([$&1-9])/g;

/** Throws where a pattern is not RE2 syntax or too large. */
export function compileRule({ pattern, replacement }: CustomRule): CompiledRule {
  const compiled = RE2JS.compile(pattern);
  const steps = compiled.programSize();
  if (steps > MOST_STEPS) throw new Error("is too large: repeat less, as {1,30} instead of {1,300}");
  return {
    steps,
    replace(text) {
      if (!compiled.test(text)) return text;
      return compiled
        .matcher(text)
        .replaceAll((found: string, ...groups: string[]) =>
          found === "" ? "" : expand(replacement, found, groups.slice(0, compiled.groupCount())),
        );
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
  if (!missing) return [];
  return [{ field: "replacement", message: `refers to ${missing[0]}, but the pattern has ${groups} groups` }];
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
