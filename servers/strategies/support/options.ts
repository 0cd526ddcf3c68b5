import { z } from 'zod';

/** A whole number ≥ 0; in limits 0 stands for "no limit". */
export const count = () => z.number().int().nonnegative();

/** A whole number ≥ 1. */
export const positive = () => z.number().int().positive();
