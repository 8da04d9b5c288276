/** U-Boot's environment as libubootenv keeps it twice: CRC (little end first), counter, `name=value` with a zero each. */

const headBytes = 5;

export type Variables = Readonly<Record<string, string>>;

export function encodeCopy(variables: Variables, counter: number, sizeBytes: number): Buffer {
  const copy = Buffer.alloc(sizeBytes);
  const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`);
  copy.write(`${text.join('')}\0`, headBytes, 'latin1');
  copy.writeUInt32LE(Bun.hash.crc32(copy.subarray(headBytes)), 0);
  copy.writeUInt8(counter, 4);
  return copy;
}

/** Undefined where its CRC does not fit. */
export function decodeCopy(copy: Buffer): { variables: Variables; counter: number } | undefined {
  if (copy.readUInt32LE(0) !== Bun.hash.crc32(copy.subarray(headBytes))) return undefined;
  const text = copy.toString('latin1', headBytes);
  const lines = text.slice(0, text.indexOf('\0\0')).split('\0');
  const pairs = lines
    .filter((line) => line.includes('='))
    .map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
  return { variables: Object.fromEntries(pairs), counter: copy.readUInt8(4) };
}

/** The copy that counts: the whole one, or that with the later counter, where 0 comes after 255. */
export function newestOf(first: Buffer, second: Buffer): Variables | undefined {
  const [one, two] = [decodeCopy(first), decodeCopy(second)];
  if (one === undefined || two === undefined) return (one ?? two)?.variables;
  const isSecondNewer =
    one.counter === 255 && two.counter === 0
      ? true
      : one.counter === 0 && two.counter === 255
        ? false
        : two.counter > one.counter;
  return (isSecondNewer ? two : one).variables;
}
