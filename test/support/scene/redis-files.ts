import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Redis as its files: a log of its writes, whose manifest names the file that is read, and the copy that SAVE makes. Its
 * content is a line of text, the revision of what wrote it first.
 */
export class RedisFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  begin(line: string): void {
    mkdirSync(join(this.#folder, logFolder), { recursive: true });
    for (const [path, text] of [
      [`${logFolder}/${logName}.1.base.rdb`, rdb(line)],
      [`${logFolder}/${logName}.manifest`, `file ${logName}.1.base.rdb seq 1 type b\n`],
    ] as const)
      writeFileSync(join(this.#folder, path), text);
    for (const path of this.#paths()) chownSync(path, owner, owner);
  }

  /** What it would serve; undefined where it could not start. */
  get line(): string | undefined {
    try {
      const manifest = readFileSync(join(this.#folder, logFolder, `${logName}.manifest`), 'utf8');
      const base = /^file (\S+) seq \d+ type b\n$/.exec(manifest)?.[1] ?? '';
      const bytes = readFileSync(join(this.#folder, logFolder, base), 'latin1');
      return /^REDIS0009(.*)\u00ffCHECKSUM$/.exec(bytes)?.[1];
    } catch {
      return undefined;
    }
  }

  /** Files that redis, which is not root, could not write. */
  get foreign(): string[] {
    return this.#paths().filter((path) => statSync(path).uid !== owner);
  }

  #paths(): string[] {
    const below = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' });
    return [this.#folder, ...below.map((name) => join(this.#folder, name))];
  }
}

const owner = 999;
const logFolder = 'appendonlydir';
const logName = 'appendonly.aof';

function rdb(line: string): Buffer {
  return Buffer.from(`REDIS0009${line}\u00ffCHECKSUM`, 'latin1');
}

/** For the scripts of a stack. A file is replaced whole, with its owner, as redis does. */
export const redisScript = `redis_log=data/redis/${logFolder}
redis_base() { read -r word base rest < "$redis_log/${logName}.manifest"; echo "$redis_log/$base"; }
redis_line() { sed -e 's/^REDIS0009//' -e 's/.CHECKSUM$//' "$(redis_base)" | LC_ALL=C tr -d '\\377'; }
redis_write() { printf 'REDIS0009%s\\377CHECKSUM' "$2" > "$1.new"; chown ${owner}:${owner} "$1.new"; mv "$1.new" "$1"; }
redis_starts_with() {
  if [ ! -e "$redis_log" ]; then return; fi
  line=$(redis_line)
  redis_write "$(redis_base)" "$1 \${line#* }"
}
redis_cli() {
  case "$1" in
    PING) echo PONG ;;
    SAVE) note "redis SAVE"; redis_write data/redis/dump.rdb "$(redis_line)"; echo OK ;;
    'CONFIG GET dir') printf 'dir\\n/data\\n' ;;
    'CONFIG GET dbfilename') printf 'dbfilename\\ndump.rdb\\n' ;;
    'CONFIG GET appendonly') printf 'appendonly\\nyes\\n' ;;
  esac
}
`;
