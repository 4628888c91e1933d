/** Where a command's words go and come from. stdout is the result and nothing else; stderr is progress and messages. */
export interface Terminal {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** All of standard input, for `-` and for secrets. */
  readonly readStdin: () => Promise<Uint8Array>;
  /** Asks whoever sits at the keyboard; absent when nobody does. What is typed to a hidden question is not shown. */
  readonly ask?: (question: string, options: { readonly hidden: boolean }) => Promise<string>;
  /** Whether stderr is a screen on which a progress line may be redrawn. */
  readonly isInteractive: boolean;
  /** Whether stdout takes colours. */
  readonly hasColors: boolean;
}
