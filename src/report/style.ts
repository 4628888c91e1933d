/** How words are marked for a screen. The plain one marks nothing, for pipes and files. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const same = (text: string): string => text;

export const PLAIN: Style = { good: same, bad: same, warning: same, faint: same, strong: same };

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001B[${on}m${text}\u001B[${off}m`;

export const COLORS: Style = {
  good: sgr(32, 39),
  bad: sgr(31, 39),
  warning: sgr(33, 39),
  faint: sgr(2, 22),
  strong: sgr(1, 22),
};
