import { join } from 'node:path';
import { endsWithUs } from '../../support/ends-with-us.ts';
import type { EnginePlace } from './engine-place.ts';
import { addressesOf, cgroupOf } from './engine-traces.ts';

/** With its owner it dies, however that does; --kill-child then takes along all that lives in its namespace. */
export function engineCommand(place: EnginePlace, dataRoot: string, socket: string): string[] {
  return [
    ...endsWithUs,
    ...['unshare', '--fork', '--kill-child=SIGKILL', '--pid'],
    ...['--mount', '--mount-proc', '--propagation=slave', 'sh', join(import.meta.dir, 'own-engine.sh')],
    ...[`--data-root=${dataRoot}`, `--host=unix://${socket}`, '--group=root', '--bridge=none'],
    // A published port is served by a proxy, so this machine's packet filter and its settings stay as they are.
    ...['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
    `--default-address-pool=base=${addressesOf(place)}.0.0/16,size=24`,
    `--cgroup-parent=/${cgroupOf(place)}`,
  ];
}
