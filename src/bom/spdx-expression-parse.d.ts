declare module 'spdx-expression-parse' {
  interface License {
    readonly license: string;
    readonly plus?: boolean;
    readonly exception?: string;
  }
  interface Conjunction {
    readonly left: License | Conjunction;
    readonly conjunction: 'and' | 'or';
    readonly right: License | Conjunction;
  }
  export default function parse(source: string): License | Conjunction;
}
