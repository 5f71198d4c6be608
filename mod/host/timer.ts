/**
 * Timers that a start can afford. The first setTimeout of a process makes Deno load Node's timers and all that they need,
 * 4 ms between `gossamer up` and its subnet (docs/adr/0012-start-up.md); AbortSignal.timeout takes a tenth of that.
 * It allocates more and runs on when it is cancelled, so it serves only while the agent starts.
 */

let starting = false;

/** Says whether the agent is starting, or may load what it needs later. */
export function setStarting(isStarting: boolean): void {
  starting = isStarting;
}

/** Whether each timer costs more than a wake-up, because it cannot be taken back. */
export function isStarting(): boolean {
  return starting;
}

/** Calls back once after `delayMs`, at most 2^31 - 1, unless the function returned is called before. */
export function startTimer(callback: () => void, delayMs: number): () => void {
  if (!starting) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }
  const signal = AbortSignal.timeout(delayMs);
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}
