import { significant } from '../units.js';

/** `6,000` */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `0.12 %` of a share. */
export function percent(share: number): string {
  return `${significant(share * 100)} %`;
}

/** `p99` of 0.99, `p99.9` of 0.999. */
export function percentileName(p: number): string {
  return `p${Number((p * 100).toFixed(3))}`;
}
