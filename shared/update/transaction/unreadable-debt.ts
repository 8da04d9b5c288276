/**
 * Whether a transaction that this version cannot read says that data has to be restored: by the names of the fields alone,
 * as docs/formats.md fixes them.
 */
export function owesInOtherForm(content: unknown): boolean {
  if (typeof content !== 'object' || content === null || !('migration' in content)) return false;
  if ('restored' in content || ('isClosed' in content && content.isClosed === true)) return false;
  const steps = 'steps' in content && Array.isArray(content.steps) ? content.steps : [];
  return !steps.some((step: unknown) => isCommitted(step));
}

function isCommitted(step: unknown): boolean {
  return typeof step === 'object' && step !== null && 'state' in step && step.state === 'committed';
}
