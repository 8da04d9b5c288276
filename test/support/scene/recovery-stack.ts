import { existsSync, rmSync } from 'node:fs';
import type { Scene } from './scene.ts';

/**
 * A stack of postgres, redis and api on a scene, in any state: docker-compose and docker are scripts, and so are the
 * programs in the containers. What they do shows in files: `up-<service>` while it runs, `database` for what the
 * database holds, `databases` for the names there are.
 */
export class RecoveryStack {
  readonly #scene: Scene;

  constructor(scene: Scene, running: readonly string[] = ['postgres', 'redis', 'api']) {
    this.#scene = scene;
    scene.write('root/opt/homie_orchestrator/docker-compose.yml', 'services: {}\n');
    const services = ['postgres', 'redis', 'api'].map((name) => `  ${name}:\n    image: ${name}:1\n`);
    scene.write('compose.yml', `name: homie\nservices:\n${services.join('')}`);
    scene.write('database', 'rows\n');
    scene.write('databases', 'homie\n');
    scene.write('data/redis/dump.rdb', redisFile('live'));
    for (const service of running) scene.write(`up-${service}`, '');
    scene.fake('docker-compose', compose);
    scene.fake('docker', docker);
    scene.fake('psql', psql);
    scene.fake('pg_dump', 'cat database');
    scene.fake('pg_restore', pgRestore);
    scene.fake('redis-cli', redisCli);
  }

  get running(): string[] {
    return ['api', 'postgres', 'redis'].filter((name) => existsSync(this.#scene.at(`up-${name}`)));
  }

  /** The calls that start or stop something, oldest first. */
  get switched(): string[] {
    return this.#scene
      .calls()
      .filter((call) => /^docker-compose .* (up|stop) |^systemctl (start|stop) /.test(call))
      .map((call) => call.replace(/^docker-compose .* --project-name=homie /, 'docker-compose '));
  }

  /** Stopped, it runs again at once: what else than we has started it. */
  startsAgain(service: 'redis'): void {
    this.#scene.write(`restarted-${service}`, '');
  }

  down(): void {
    for (const service of this.running) rmSync(this.#scene.at(`up-${service}`));
  }
}

/** The parts of the RDB format that the tests need: its name, the end mark, a checksum. */
export function redisFile(content: string): Uint8Array {
  return Buffer.concat([Buffer.from(`REDIS0009${content}`), Buffer.from([0xff]), Buffer.alloc(8)]);
}

const compose = `for word in "$@"; do last=$word; done
case "$1 $last" in
  "version "*) echo 2.20.0; exit ;;
  *" config") cat compose.yml; exit ;;
esac
verb=
for word in "$@"; do case "$word" in
  up|stop) verb=$word ;;
  -*) ;;
  *) if [ "$verb" = up ]; then touch "up-$word"; elif [ "$verb" = stop ] && [ ! -e "restarted-$word" ]; then rm -f "up-$word"; fi ;;
esac; done`;

const docker = `case "$1" in
  ps) for service in postgres redis api; do echo "id-$service"; done ;;
  inspect)
    separator='['
    for service in postgres redis api; do
      status=exited
      if [ -e "up-$service" ]; then status=running; fi
      printf '%s{"Id":"id-%s","State":{"Status":"%s","ExitCode":0,"StartedAt":""},"HostConfig":{},' "$separator" "$service" "$status"
      printf '"Config":{"Image":"x","Labels":{"com.docker.compose.service":"%s"}}}' "$service"
      separator=,
    done
    echo ']' ;;
  exec)
    shift
    if [ "$1" = --interactive ]; then shift; fi
    service=\${1#id-}
    [ -e "up-$service" ] || { echo "container $service is not running" >&2; exit 1; }
    shift
    PGDATA="$PWD" POSTGRES_USER=homie POSTGRES_DB=homie PATH="$PWD/bin:$PATH" exec "$@" ;;
esac`;

/** Answers by what it is asked. */
const psql = `script=$(cat)
case "$script" in
  *'DROP DATABASE IF EXISTS :"fresh"'*'CREATE DATABASE'*) echo homie_restore >> databases ;;
  *"json_build_object('name'"*) echo '{"name":"homie","isWhole":true,"note":null}' ;;
  *"json_build_array('bytes'"*) echo '["bytes","",1000]' ;;
  *'ALTER DATABASE :"fresh" RENAME'*) mv fresh database; echo homie > databases ;;
  *'SELECT datname FROM pg_database'*) grep -v '^homie$' databases || true ;;
  *'DROP DATABASE IF EXISTS :"fresh"'*) sed -i /_restore/d databases ;;
  *'DROP DATABASE IF EXISTS :"replaced"'*) sed -i /_replaced/d databases ;;
esac`;

const pgRestore = `case "$*" in
  *--dbname*) cat > fresh ;;
  *) cat > /dev/null ;;
esac`;

const redisCli = `case "$*" in
  SAVE) echo OK ;;
  "CONFIG GET dir") printf 'dir\\n/data\\n' ;;
  "CONFIG GET dbfilename") printf 'dbfilename\\ndump.rdb\\n' ;;
  "CONFIG GET appendonly") printf 'appendonly\\nno\\n' ;;
esac`;
