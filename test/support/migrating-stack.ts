import type { Scene } from './scene.ts';

/**
 * Docker Compose, docker and systemctl as small scripts on PATH. The database is one line of a file: its revision and
 * its rows. What changes something is noted beside the other calls; questions are not.
 */

const services = ['core', 'orchestrator', 'postgres'] as const;

export class MigratingStack {
  readonly #scene: Scene;

  constructor(scene: Scene, head: string) {
    this.#scene = scene;
    scene.write('root/opt/homie_orchestrator/docker-compose.yml', '');
    this.#script('docker-compose', dockerCompose);
    this.#script('docker', docker);
    scene.fake('systemctl', systemctl);
    this.database = '0001 Ada';
    this.head = head;
    this.runAll();
  }

  get database(): string {
    return this.#scene.read('stack/database').trim();
  }

  set database(line: string) {
    this.#scene.write('stack/database', `${line}\n`);
  }

  /** What the images of the booted slot migrate to. */
  set head(revision: string) {
    this.#scene.write('stack/head', `${revision}\n`);
  }

  /** As Docker does at a boot. */
  runAll(): void {
    for (const service of services) this.#scene.write(`stack/running/${service}`, '');
  }

  /** The next call of `what` fails with the words, having done half of it: dump, upgrade, restore. */
  fail(what: 'dump' | 'upgrade' | 'restore', words: string): void {
    this.#scene.write(`stack/fail-${what}`, `${words}\n`);
  }

  mend(): void {
    for (const what of ['dump', 'upgrade', 'restore']) this.#scene.remove(`stack/fail-${what}`);
  }

  #script(name: string, body: string): void {
    this.#scene.write(`bin/${name}`, `#!/bin/sh\ncd '${this.#scene.path}'\n${common}${body}`, 0o755);
  }
}

/** Built-in words of the shell where there are any: a test of many lives runs these tens of thousands of times. */
const common = `note() { echo "$*" >> calls; }
first_line() { read -r line < "$1"; echo "$line"; }
revision() { read -r first rest < stack/database; echo "$first"; }
words_in() { read -r line < "$1"; set -- $line; echo "[\\"rows\\",\\"people\\",$#]"; }
failing() { if [ -e "stack/fail-$1" ]; then cat "stack/fail-$1" >&2; exit 1; fi; }
`;

/** Each compose file may have the head of its images beside it; else they are those of the booted slot. */
const dockerCompose = `words=$*
head=stack/head
while case "\${1:-}" in --*) true ;; *) false ;; esac; do
  case "$1" in --file=*) if [ -e "\${1#--file=}.head" ]; then head=\${1#--file=}.head; fi ;; esac
  shift
done
case "$1" in
  version) exit 0 ;;
  config) printf 'services:\\n'; for one in ${services.join(' ')}; do printf '  %s: {}\\n' "$one"; done ;;
  up) note "$*"; shift; for one; do case "$one" in --*) ;; *) touch "stack/running/$one" ;; esac; done ;;
  stop) note "$*"; shift; for one; do rm -f "stack/running/$one"; done ;;
  run)
    case "$*" in
      *'alembic current') revision ;;
      *'alembic heads') echo "$(first_line "$head") (head)" ;;
      *'alembic upgrade head')
        note "alembic upgrade head"
        read -r first rows < stack/database
        echo "half $rows" > stack/database
        cp data/update/transaction.json stack/seen
        echo "$words" > stack/upgraded-by
        if [ -e stack/cut-upgrade ]; then
          touch stack/is-cut
          while [ -e stack/cut-upgrade ]; do sleep 0.1; done
          exit 1
        fi
        failing upgrade
        echo "$(first_line "$head") $rows" > stack/database ;;
      *) note "unknown run $*"; exit 64 ;;
    esac ;;
  *) note "unknown compose $*"; exit 64 ;;
esac
`;

const docker = `case "$1" in
  ps)
    case "$*" in
      *compose.service=*) echo "\${*##*compose.service=}" ;;
      *) for one in stack/running/*; do if [ -e "$one" ]; then echo "\${one##*/}"; fi; done ;;
    esac ;;
  inspect)
    shift 2
    separator='['
    for one; do
      printf '%s{"Id":"%s","RestartCount":0,"State":{"Status":"running","ExitCode":0,"StartedAt":"now"},' "$separator" "$one"
      printf '"HostConfig":{"RestartPolicy":{"Name":"always"}},'
      printf '"Config":{"Image":"%s:1","Labels":{"com.docker.compose.service":"%s"}}}' "$one" "$one"
      separator=,
    done
    echo ']' ;;
  logs) for last; do :; done; echo "the last words of $last" ;;
  rm) exit 0 ;;
  image) [ "$2" = ls ] ;;
  exec)
    case "$*" in
      *pg_isready*version_num*) revision ;;
      *pg_isready*) exit 0 ;;
      *pg_dump*) note "pg_dump"; failing dump; cat stack/database ;;
      *'pg_restore --file=/dev/null') cat > /dev/null ;;
      *'pg_restore --exit-on-error'*) note "pg_restore"; failing restore; cat > stack/fresh ;;
      *'RENAME TO :"replaced"'*) note "swap"; mv stack/fresh stack/database ;;
      *homie_restore*'pg_database_size'*) echo '["bytes","",1]'; words_in stack/fresh ;;
      *'pg_database_size'*) echo '["bytes","",1]'; words_in stack/database ;;
      *'FROM pg_database WHERE datname IN'*) echo '{"name":"homie","isWhole":true,"note":null}' ;;
      *'printf %s "$PGDATABASE"') printf homie ;;
      *version_num*) revision ;;
    esac ;;
  *) note "unknown docker $*"; exit 64 ;;
esac
`;

/** The orchestrator's unit brings the whole stack up. Stopped, it leaves what others have started. */
const systemctl = `case "$1" in
  is-active) if [ -e unit-active ]; then echo active; else echo inactive; exit 3; fi ;;
  stop) case "$2" in *.timer|*.service) ;; *) rm -f unit-active ;; esac ;;
  start)
    if [ ! -e data/update/hold ] || [ -e run/released ]; then
      touch unit-active ${services.map((name) => `stack/running/${name}`).join(' ')}
    fi ;;
esac`;
