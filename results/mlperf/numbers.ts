/** A double as `std::to_string` prints it, or with so many decimals. Python's JSON reads NaN and Infinity too. */
export function fixed(value: number, decimals = 6): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return value.toFixed(decimals);
}

/** A double as a C++ stream prints it by default: six significant digits, `1.23457e+06` from a million on. */
export function general(value: number): string {
  if (!Number.isFinite(value))
    return fixed(value)
      .toLowerCase()
      .slice(0, value < 0 ? 4 : 3);
  if (value === 0) return '0';
  const [digits, exponent] = value.toExponential(5).split('e') as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return trimmed(value.toFixed(5 - power));
  return `${trimmed(digits)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Nanoseconds are whole in LoadGen. */
export function whole(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value)) : 'NaN';
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
