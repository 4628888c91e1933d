/** Where a command's words go and come from. stdout is the result and nothing else; stderr is progress and messages. */
export interface Terminal {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** All of standard input, for `-` and for secrets. */
  readonly readStdin: () => Promise<Uint8Array>;
  /** Asks for something that is not shown while it is typed. Absent where nobody is there to ask. */
  readonly askSecret?: (prompt: string) => Promise<string>;
  /** Whether stderr is a screen on which a progress line may be redrawn. */
  readonly isInteractive: boolean;
  /** Whether stdout takes colours. */
  readonly hasColors: boolean;
}
