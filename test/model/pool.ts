/** Does the work for each, some at a time: each waits more than it computes. Answers in order. */
export async function eachOf<T, R>(
  all: readonly T[],
  atOnce: number,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) {
      const index = next;
      next += 1;
      const one = all[index];
      if (one !== undefined) answers[index] = await work(one);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}
