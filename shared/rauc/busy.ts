/** Whether RAUC's service refuses to answer because it is installing: it answers all its methods so. */
export function isBusyAnswer(stderr: string): boolean {
  return /already processing/i.test(stderr);
}
