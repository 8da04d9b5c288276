/**
 * Until it holds. A wait in vain ends long before the test's own time limit, and says what it was for; `withinMs` is for
 * what takes its time on a busy machine.
 */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`within ${withinMs / 1000} s it was never so: ${holds}`);
    await Bun.sleep(10);
  }
}
