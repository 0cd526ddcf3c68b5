/**
 * Colours of charts as pairs: on a light ground, on a dark ground. They keep 3 : 1 contrast with their ground and differ
 * for the common kinds of colour blindness (after Okabe and Ito). A format may swap the first for the second.
 */
export interface ColourPair {
  readonly light: string;
  readonly dark: string;
}

/** Systems, in the plan's order; more than eight systems start again, with another dash. */
export const SYSTEM_COLOURS: readonly ColourPair[] = [
  { light: '#0a66b2', dark: '#6db6f2' },
  { light: '#c2500a', dark: '#f2935c' },
  { light: '#0b7a5b', dark: '#4fc9a4' },
  { light: '#a13a86', dark: '#e08ac8' },
  { light: '#7a6400', dark: '#d6bd45' },
  { light: '#5b4bb5', dark: '#a79bf0' },
  { light: '#8a3b32', dark: '#e0897d' },
  { light: '#4d5b66', dark: '#a9b8c4' },
];

/** Components of a request: the client's in greys, waiting in orange, computing in blues and greens. */
export const COMPONENT_COLOURS: Readonly<Record<string, ColourPair>> = {
  lateness: { light: '#b3261e', dark: '#f08a82' },
  send: { light: '#8e99a3', dark: '#77838d' },
  download: { light: '#a3a08e', dark: '#8a8775' },
  receive: { light: '#b07fa6', dark: '#c79bbd' },
  queue: { light: '#d9730d', dark: '#f0a04b' },
  computeInput: { light: '#7fb7e6', dark: '#9ccdf5' },
  computeInfer: { light: '#1565a8', dark: '#4a9be0' },
  computeOutput: { light: '#3f9c8f', dark: '#62c4b6' },
  serialise: { light: '#8f7a1f', dark: '#cdb648' },
  residual: { light: '#565f67', dark: '#aab4bd' },
};

export const OTHER_COLOUR: ColourPair = { light: '#6b6259', dark: '#b8aca0' };

/** Axes, labels, grid. */
export const INK: ColourPair = { light: '#24292f', dark: '#e6edf3' };
export const FAINT: ColourPair = { light: '#5e6872', dark: '#9da7b1' };
export const GRID: ColourPair = { light: '#dfe3e8', dark: '#343b44' };

/** Every pair a chart can hold. */
export const PALETTE: readonly ColourPair[] = [
  ...[...SYSTEM_COLOURS, ...Object.values(COMPONENT_COLOURS)],
  ...[OTHER_COLOUR, INK, FAINT, GRID],
];
