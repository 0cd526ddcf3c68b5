import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** The best approximation W [k, n] ≈ A·B of that rank in the least-squares sense; A [k, r], B [r, n]. */
export interface Factors {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly rank: number;
  /** Share of ‖W‖² that A·B keeps. */
  readonly energy: number;
}

/**
 * Truncated singular value decomposition through the eigenvectors of the smaller Gram matrix: half the digits of a full
 * SVD, which single-precision weights do not have anyway, at a fraction of its time. `rankFor` gets the shares of ‖W‖² by
 * singular value, largest first, and answers how many to keep. Source: Eckart and Young; Golub and Van Loan, 8.6.
 */
export function truncate(
  weights: Float32Array,
  k: number,
  n: number,
  rankFor: (energies: readonly number[]) => number,
): Factors {
  const tall = k >= n;
  const size = Math.min(k, n);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram(weights, k, n, tall), {
    assumeSymmetric: true,
  });
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!);
  const squares = order.map((i) => Math.max(0, realEigenvalues[i]!));
  const total = squares.reduce((x, y) => x + y, 0) || 1;
  const rank = Math.min(size, Math.max(1, rankFor(squares.map((square) => square / total))));
  const vectors = new Float32Array(size * rank);
  for (let row = 0; row < size; row++)
    for (let r = 0; r < rank; r++) vectors[row * rank + r] = eigenvectorMatrix.get(row, order[r]!);
  const energy = squares.slice(0, rank).reduce((x, y) => x + y, 0) / total;
  // W ≈ (W·V)·Vᵀ, or U·(Uᵀ·W): the factors are exact projections, whatever the eigenvalues' last digits.
  if (tall) return { a: product(weights, vectors, k, n, rank), b: transposed(vectors, n, rank), rank, energy };
  const u = transposed(vectors, k, rank);
  return { a: vectors, b: product(u, weights, rank, k, n), rank, energy };
}

/** WᵀW [n, n] or WWᵀ [k, k], in double precision. */
function gram(weights: Float32Array, k: number, n: number, tall: boolean): Matrix {
  const size = tall ? n : k;
  const rows = tall ? transposed(weights, k, n) : weights;
  const length = tall ? k : n;
  const result = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let x = i * length, y = j * length, end = x + length; x < end; x++, y++) sum += rows[x]! * rows[y]!;
      result.set(i, j, sum);
      result.set(j, i, sum);
    }
  return result;
}

function product(a: Float32Array, b: Float32Array, m: number, inner: number, n: number): Float32Array {
  const result = new Float32Array(m * n);
  const row = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let x = 0; x < inner; x++) {
      const value = a[i * inner + x]!;
      if (value === 0) continue;
      for (let j = 0, at = x * n; j < n; j++, at++) row[j]! += value * b[at]!;
    }
    result.set(row, i * n);
  }
  return result;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++) result[column * rows + row] = matrix[at]!;
  return result;
}
