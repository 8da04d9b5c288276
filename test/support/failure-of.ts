import { Failure } from '../../shared/system/failure.ts';

/** The Failure that the work ends with; a success, and any other error, fails the test. */
export async function failureOf(work: () => unknown): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('a Failure was expected');
}
