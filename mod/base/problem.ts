/** Something a person should know about, with what to do next: shown in `status`, in the log and by `doctor`. */
export interface Problem {
  /** Stable, for scripts and metrics: `foreign-device`. */
  readonly code: string;
  readonly severity: "warning" | "error";
  /** What was found, and where. Sentence case, no full stop. */
  readonly text: string;
  /** What to do next. Sentence case, no full stop. */
  readonly remedy: string;
}
