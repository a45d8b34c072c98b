import { useEffect, useRef } from "preact/hooks";
import { isError, type Skeleton } from "../run/run.ts";
import { theme } from "../state/theme.ts";
import { barOf, type Scale } from "./scale.ts";
import { bounded, moved, type TimeWindow } from "./window.ts";

/** Pixels. */
const HEIGHT = 40;

interface Props {
  steps: Skeleton[];
  /** Of the whole run, as wide as the map. */
  scale: Scale;
  shown: TimeWindow;
  show: (next: TimeWindow) => void;
}

/** All steps at once, with the part of them that is seen: it is dragged, or moved by the arrows. */
export function Minimap({ steps, scale, shown, show }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chosenTheme = theme.value;
  useEffect(() => {
    const draw = () => canvas.current && paint(canvas.current, steps, scale);
    const system = matchMedia("(prefers-color-scheme: dark)");
    draw();
    system.addEventListener("change", draw);
    return () => system.removeEventListener("change", draw);
  }, [steps, scale, chosenTheme]);

  const showAt = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const middle = (event.clientX - left) / Math.max(width, 1);
    show(bounded({ zoom: shown.zoom, at: middle - 0.5 / shown.zoom }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const ways: Record<string, TimeWindow> = {
      ArrowLeft: moved(shown, -0.25),
      ArrowRight: moved(shown, 0.25),
      PageUp: moved(shown, -1),
      PageDown: moved(shown, 1),
      Home: bounded({ zoom: shown.zoom, at: 0 }),
      End: bounded({ zoom: shown.zoom, at: 1 }),
    };
    const next = ways[event.key];
    if (!next) return;
    event.preventDefault();
    show(next);
  };
  const size = 1 / shown.zoom;
  const furthest = 1 - size;
  return (
    <div
      class="minimap"
      role="slider"
      tabIndex={0}
      aria-label="Part of the run that is shown"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={furthest > 0 ? Math.round((shown.at / furthest) * 100) : 0}
      aria-valuetext={`${percent(shown.at)} to ${percent(shown.at + size)}`}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        showAt(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && showAt(event)}
    >
      <canvas ref={canvas} />
      <div class="minimap-window" style={{ left: percent(shown.at), width: percent(size) }} />
    </div>
  );
}

/** A line for each step, from the first at the top to the last at the bottom. */
function paint(canvas: HTMLCanvasElement, steps: Skeleton[], scale: Scale): void {
  const density = devicePixelRatio;
  canvas.width = scale.width * density;
  canvas.height = HEIGHT * density;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  context.scale(density, density);
  const thick = Math.max(1, Math.min(3, HEIGHT / Math.max(steps.length, 1)));
  // Errors are drawn last, and higher: they are seen among thousands.
  for (const failed of [false, true]) {
    context.fillStyle = style.getPropertyValue(failed ? "border-top-color" : "color");
    steps.forEach((step, index) => {
      if (isError(step) !== failed) return;
      const { left, width } = barOf(scale, step);
      const top = (index / steps.length) * (HEIGHT - thick);
      context.fillRect(
        left,
        failed ? Math.max(0, top - 2) : top,
        Math.max(1, width),
        failed ? thick + 4 : thick,
      );
    });
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}
