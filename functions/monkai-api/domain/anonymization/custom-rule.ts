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
  /** Of the pattern, that a replacement may refer to. */
  groups: number;
  /** `onMatch` is called for each match, with what takes its place. */
  replace: (text: string, onMatch: (found: string, replacement: string) => void) => string;
}

/** An RE2 engine takes at most as many steps for a character as its compiled pattern has instructions. */
const MOST_STEPS = 500;
/** What a pattern's counted repetitions may add up to: said before it is compiled, which takes long with more. */
const MOST_REPETITIONS = 1_000;
/** Characters of a pattern. */
export const LONGEST_PATTERN = 500;
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
  const groups = compiled.groupCount();
  return {
    steps,
    groups,
    replace(text, onMatch) {
      if (!compiled.test(text)) return text;
      return compiled.matcher(text).replaceAll((found: string, ...captured: string[]) => {
        const put = found === "" ? "" : expand(replacement, found, captured.slice(0, groups));
        onMatch(found, put);
        return put;
      });
    },
  };
}

interface RuleProblem {
  field: "pattern" | "replacement";
  message: string;
}

/** What is wrong with a rule, by field; and its steps, none where something is. */
export function checkRule(rule: CustomRule): { problems: RuleProblem[]; steps: number } {
  try {
    const { steps, groups } = compileRule(rule);
    const problems = replacementProblems(rule, groups);
    return { problems, steps: problems.length > 0 ? 0 : steps };
  } catch (error) {
    return { problems: [{ field: "pattern", message: (error as Error).message }], steps: 0 };
  }
}

function replacementProblems(rule: CustomRule, groups: number): RuleProblem[] {
  const missing = [...rule.replacement.matchAll(REFERENCE)].find(([, name]) => Number(name) > groups);
  const message = missing
    ? `refers to ${missing[0]}, but the pattern has ${groups} groups`
    : "refers with $1 to $9 to groups and with $& to all that was found; a dollar is $$";
  const isStray = /\$|\\\d/.test(rule.replacement.replace(REFERENCE, ""));
  return missing || isStray ? [{ field: "replacement", message }] : [];
}

function expand(replacement: string, found: string, groups: string[]): string {
  return replacement.replace(REFERENCE, (_, name) => {
    if (name === "$") return "$";
    return name === "&" ? found : (groups[Number(name) - 1] ?? "");
  });
}
