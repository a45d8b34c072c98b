import type { Nodes, Parents } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { SafeText } from "../parts/safe-text.tsx";
import { Told } from "./told.tsx";

/** How deep what was said may be nested; below, it is text. */
const DEEPEST = 20;

/** Markdown as elements of our own: its HTML is text, its images are named, and its links lead nowhere. */
export function Markdown({ text, version }: { text: string; version: number | undefined }) {
  const root = useMemo(() => fromMarkdown(text), [text]);
  return <div class="markdown">{below(root, { text, version, depth: 0 })}</div>;
}

interface About {
  text: string;
  version: number | undefined;
  depth: number;
}

function below(node: Parents, about: About): ComponentChildren {
  const next = { ...about, depth: about.depth + 1 };
  return node.children.map((child, index) => <Node key={`${index}`} node={child} about={next} />);
}

function Node({ node, about }: { node: Nodes; about: About }) {
  const told = (text: string) => <Told text={text} version={about.version} />;
  if (about.depth > DEEPEST) return told(sourceOf(node, about));
  switch (node.type) {
    case "text":
      return told(node.value);
    case "paragraph":
      return <p>{below(node, about)}</p>;
    case "heading":
      return <p class={`heading-${node.depth}`}>{below(node, about)}</p>;
    case "strong":
      return <strong>{below(node, about)}</strong>;
    case "emphasis":
      return <em>{below(node, about)}</em>;
    case "inlineCode":
      return <code>{told(node.value)}</code>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{told(node.value)}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{below(node, about)}</blockquote>;
    case "list":
      return node.ordered ? (
        <ol start={node.start ?? 1}>{below(node, about)}</ol>
      ) : (
        <ul>{below(node, about)}</ul>
      );
    case "listItem":
      return <li>{below(node, about)}</li>;
    case "break":
      return <br />;
    case "thematicBreak":
      return <hr />;
    case "link":
      return <Link address={node.url}>{below(node, about)}</Link>;
    case "image":
      return (
        <span class="media">
          image{node.alt ? ": " : ""}
          <SafeText text={node.alt ?? ""} />
        </span>
      );
    default:
      return told(sourceOf(node, about));
  }
}

/** Nothing that others wrote is followed by a click: an address of the web is shown, and any other is left as it was written. */
function Link({ address, children }: { address: string; children: ComponentChildren }) {
  const isOfTheWeb = /^https?:\/\//i.test(address);
  return (
    <>
      {children}{" "}
      <span class="quiet address">
        (<SafeText text={isOfTheWeb ? address : `no link: ${address}`} />)
      </span>
    </>
  );
}

/** As it was written. */
function sourceOf({ position }: Nodes, { text }: About): string {
  return position ? text.slice(position.start.offset, position.end.offset) : "";
}
