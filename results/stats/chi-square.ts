/**
 * P[χ² ≥ x] with so many degrees of freedom, a whole number ≥ 1: the recurrence Q(a + 1, h) = Q(a, h) + hᵃe⁻ʰ/Γ(a + 1) from
 * Q(1, h) = e⁻ʰ or Q(½, h) = erfc(√h), h = x/2.
 */
export function chiSquareTail(x: number, freedom: number): number {
  const h = x / 2;
  const odd = freedom % 2 === 1;
  let tail = odd ? erfc(Math.sqrt(h)) : Math.exp(-h);
  let term = odd ? (Math.sqrt(h) * Math.exp(-h) * 2) / Math.sqrt(Math.PI) : h * Math.exp(-h);
  for (let a = odd ? 0.5 : 1; a < freedom / 2; a++) {
    tail += term;
    term *= h / (a + 1);
  }
  return Math.min(1, tail);
}

/** For z ≥ 0: the power series of erf while that is exact, then the continued fraction, from its far end. */
function erfc(z: number): number {
  return z < 2 ? 1 - erf(z) : continuedFraction(z);
}

function erf(z: number): number {
  let power = z;
  let sum = z;
  for (let n = 1; n < 60; n++) {
    power *= -(z * z) / n;
    sum += power / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function continuedFraction(z: number): number {
  let fraction = z;
  for (let k = 80; k >= 1; k--) fraction = z + k / 2 / fraction;
  return Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction);
}
