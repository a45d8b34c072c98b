import { Copy, firstStep } from "./copy.tsx";
import { Empty } from "./empty.tsx";

/** For a tenant that has nothing: what sends its first step. `what` shows up when that was done. */
export function NoData({ title, what }: { title: string; what: string }) {
  const { curl, python, typescript } = firstStep();
  const programs = [
    ["curl", curl],
    ["Python", python],
    ["TypeScript", typescript],
  ] as const;
  return (
    <Empty title={title}>
      <p>
        Nothing was traced with this token's tenant. This sends a first step; {what} shows up here by itself.
      </p>
      {programs.map(([name, code]) => (
        <section key={name} class="program">
          <h3>{name}</h3>
          <Copy text={code} label={`Copy ${name}`} />
          <pre tabIndex={0} role="region" aria-label={name}>
            {code}
          </pre>
        </section>
      ))}
    </Empty>
  );
}
