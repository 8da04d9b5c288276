import { existsSync } from 'node:fs';
import { RedisFiles, redisScript } from './redis-files.ts';
import type { Scene } from './scene.ts';

/**
 * Docker Compose, docker and systemctl as small scripts on PATH. The database is one line of a file: its revision and
 * its rows. What changes something is noted beside the other calls; questions are not.
 */

const services = ['core', 'orchestrator', 'postgres'] as const;

/** What a stack may have beside its database. */
export interface StackParts {
  /** A redis with a log of its writes, whose content has a revision, too: each started version writes its own. */
  hasRedis?: boolean;
  /** Services are made of images, which have to be here: those of the application follow the schema. */
  hasImages?: boolean;
}

export class MigratingStack {
  readonly #scene: Scene;

  constructor(scene: Scene, head: string, { hasRedis = false, hasImages = false }: StackParts = {}) {
    this.#scene = scene;
    if (hasRedis) scene.write('stack/services', [...services, 'redis'].join(' '));
    if (hasImages) scene.write('stack/has-images', '');
    scene.write('root/opt/homie_orchestrator/docker-compose.yml', '');
    this.#script('docker-compose', dockerCompose);
    this.#script('docker', docker);
    scene.fake('systemctl', systemctl);
    this.database = '0001 Ada';
    this.head = head;
    if (hasRedis) new RedisFiles(scene.at('data/redis')).begin(this.database);
    for (const image of hasImages ? this.imagesOf(head) : []) this.bring(image);
    this.runAll();
  }

  /** What the version with that head is made of. */
  imagesOf(head: string): string[] {
    if (!existsSync(this.#scene.at('stack/has-images'))) return [];
    return this.#services.map((name) => `${name}:${isApplication(name) ? head : 1}`);
  }

  hasImage(image: string): boolean {
    return existsSync(this.#scene.at('stack/images', image));
  }

  /** As `docker pull` does. */
  bring(image: string): void {
    this.#scene.write(`stack/images/${image}`, '');
  }

  /** Undefined where there is no redis. */
  get redis(): RedisFiles | undefined {
    const folder = this.#scene.at('data/redis');
    return existsSync(folder) ? new RedisFiles(folder) : undefined;
  }

  get #services(): string[] {
    const file = 'stack/services';
    return existsSync(this.#scene.at(file)) ? this.#scene.read(file).trim().split(' ') : [...services];
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
    for (const service of this.#services) this.#scene.write(`stack/running/${service}`, '');
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

function isApplication(service: string): boolean {
  return service === 'core' || service === 'orchestrator';
}

/** Built-in words of the shell where there are any: a test of many lives runs these tens of thousands of times. */
const common = `note() { echo "$*" >> calls; }
first_line() { read -r line < "$1"; echo "$line"; }
revision() { read -r first rest < stack/database; echo "$first"; }
words_in() { read -r line < "$1"; set -- $line; echo "[\\"rows\\",\\"people\\",$#]"; }
failing() { if [ -e "stack/fail-$1" ]; then cat "stack/fail-$1" >&2; exit 1; fi; }
# Half-way through: a test that stops at each step looks around here, too.
within() { if [ "\${HOMIE_STOPS:-}" = 1 ] && [ -n "\${HOMIE_STEPS:-}" ]; then echo "$$ within $*" >> "$HOMIE_STEPS"; kill -STOP $$; fi; }
services='${services.join(' ')}'
if [ -e stack/services ]; then read -r services < stack/services || :; fi
image_of() { case $1 in core|orchestrator) echo "$1:$2" ;; *) echo "$1:1" ;; esac; }
${redisScript}`;

/** Each compose file may have the head of its images beside it; else they are those of the booted slot. */
const dockerCompose = `words=$*
head=stack/head
while case "\${1:-}" in --*) true ;; *) false ;; esac; do
  case "$1" in --file=*) if [ -e "\${1#--file=}.head" ]; then head=\${1#--file=}.head; fi ;; esac
  shift
done
case "$1" in
  version) exit 0 ;;
  config)
    printf 'services:\\n'
    for one in $services; do
      if [ -e stack/has-images ]; then printf '  %s: {image: "%s"}\\n' "$one" "$(image_of "$one" "$(first_line "$head")")"
      else printf '  %s: {}\\n' "$one"; fi
    done ;;
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
        within alembic upgrade head
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
  info) echo "$PWD|aarch64" ;;
  manifest) exit 1 ;;
  pull) note "$*"; within "$*"; mkdir -p stack/images; : > "stack/images/$2" ;;
  load)
    note "docker load"
    mkdir -p stack/images
    while read -r image; do : > "stack/images/$image"; within docker load; done < "\${3#--input=}" ;;
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
      printf '"Config":{"Image":"%s","Labels":{"com.docker.compose.service":"%s"}}}' "$(image_of "$one" "$(first_line stack/head)")" "$one"
      separator=,
    done
    echo ']' ;;
  logs) for last; do :; done; echo "the last words of $last" ;;
  rm) exit 0 ;;
  image)
    for last; do :; done
    case "$2" in
      ls) for one in stack/images/*; do if [ -e "$one" ]; then one=\${one##*/}; echo "\${one%:*}|\${one#*:}|<none>|sha256:$one"; fi; done ;;
      inspect) if [ -e "stack/images/$last" ]; then echo "sha256:$last"; else echo "No such image: $last" >&2; exit 1; fi ;;
      rm) note "docker image rm $last"; rm -f "stack/images/$last" ;;
    esac ;;
  exec)
    shift
    if [ "$1" = --interactive ]; then shift; fi
    if [ ! -e "stack/running/$1" ]; then echo "container $1 is not running" >&2; exit 1; fi
    case "$*" in
      *redis-cli*) redis_cli "\${*##*redis-cli }" ;;
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
const systemctl = `${common}case "$1" in
  is-active) if [ -e unit-active ]; then echo active; else echo inactive; exit 3; fi ;;
  stop) case "$2" in *.timer|*.service) ;; *) rm -f unit-active ;; esac ;;
  start)
    if [ ! -e data/update/hold ] || [ -e run/released ]; then
      : > unit-active
      for one in $services; do : > "stack/running/$one"; done
      redis_starts_with "$(first_line stack/head)"
    fi ;;
esac`;
