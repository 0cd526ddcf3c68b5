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
  const { vectors, rank, energy } = largest(gram(weights, k, n, tall), rankFor);
  // W ≈ (W·V)·Vᵀ, or U·(Uᵀ·W): the factors are exact projections, whatever the eigenvalues' last digits.
  if (tall) return { a: product(weights, vectors, k, n, rank), b: transposed(vectors, n, rank), rank, energy };
  const u = transposed(vectors, k, rank);
  return { a: vectors, b: product(u, weights, rank, k, n), rank, energy };
}

/**
 * The factors that keep most of what the layer y = x·W + b answered, `answers` [rows, n], about its mean ȳ: with their
 * principal components V, y ≈ ȳ + (y − ȳ)·V·Vᵀ = x·(W·V)·Vᵀ + (b − ȳ)·V·Vᵀ + ȳ. `energy` is the share of their variance.
 */
export function projected(
  weights: Float32Array,
  bias: Float32Array | undefined,
  answers: Float32Array,
  k: number,
  n: number,
  rankFor: (energies: readonly number[]) => number,
): Factors & { readonly bias: Float32Array } {
  const rows = answers.length / n;
  const mean = new Float64Array(n);
  for (let at = 0; at < answers.length; at++) mean[at % n]! += answers[at]! / rows;
  const centred = answers.map((value, at) => value - mean[at % n]!);
  const { b, rank, energy } = components(centred, rows, n, rankFor);
  const vectors = transposed(b, rank, n);
  const offset = Float32Array.from(mean, (value, i) => (bias?.[i] ?? 0) - value);
  const kept = product(product(offset, vectors, 1, n, rank), b, 1, rank, n);
  return {
    a: product(weights, vectors, k, n, rank),
    b,
    bias: kept.map((value, i) => value + mean[i]!),
    rank,
    energy,
  };
}

/** The principal components of centred rows [rows, n]: orthonormal, as rows of `b` [rank, n], through the smaller Gram matrix. */
function components(
  centred: Float32Array,
  rows: number,
  n: number,
  rankFor: (energies: readonly number[]) => number,
): Omit<Factors, 'a'> {
  const tall = rows >= n;
  // Rows about their mean have one direction less than there are rows: from what is left only rounding would come.
  const { vectors, rank, energy } = largest(gram(centred, rows, n, tall), rankFor, tall ? 0 : 1e-10);
  if (tall) return { b: transposed(vectors, n, rank), rank, energy };
  const b = product(transposed(vectors, rows, rank), centred, rank, rows, n);
  for (let r = 0; r < rank; r++) {
    const row = b.subarray(r * n, (r + 1) * n);
    const length = Math.hypot(...row) || 1;
    for (let i = 0; i < n; i++) row[i]! /= length;
  }
  return { b, rank, energy };
}

/**
 * The eigenvectors of a Gram matrix that `rankFor` keeps, as columns [size, rank], largest first; none whose share of the
 * whole is below `least`.
 */
function largest(matrix: Matrix, rankFor: (energies: readonly number[]) => number, least = 0) {
  const size = matrix.rows;
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!);
  const squares = order.map((i) => Math.max(0, realEigenvalues[i]!));
  const total = squares.reduce((x, y) => x + y, 0) || 1;
  const usable = squares.filter((square) => square >= least * total).length;
  const rank = Math.max(1, Math.min(usable, rankFor(squares.map((square) => square / total))));
  const vectors = new Float32Array(size * rank);
  for (let row = 0; row < size; row++)
    for (let r = 0; r < rank; r++) vectors[row * rank + r] = eigenvectorMatrix.get(row, order[r]!);
  return { vectors, rank, energy: squares.slice(0, rank).reduce((x, y) => x + y, 0) / total };
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
