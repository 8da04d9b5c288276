import type { Cut, State, Turn } from './matrix.ts';

/** What `reports/kill-matrix.json` says of a flow. */
export interface FlowReport {
  flow: string;
  steps: string[];
  /** The moments at which power fails, times the slots that come up then. */
  cells: number;
  boots: number;
  /** The moments that leave the same state, which was run once for all of them. */
  states: { cuts: string[]; ends: Partial<Record<Turn, string>> }[];
  untested: string[];
  badEnds: string[];
}

export function flowReportOf(
  flow: string,
  { states, boots }: { states: readonly State[]; boots: number },
): FlowReport {
  const told: FlowReport = { flow, steps: [], cells: 0, boots, states: [], untested: [], badEnds: [] };
  const steps = new Set<string>();
  for (const { cuts, ends } of states) {
    const names = cuts.map(nameOf);
    for (const { step } of cuts) steps.add(step);
    const kinds = Object.entries(ends).map(([turn, end]) => [turn, end.kind] as const);
    told.states.push({ cuts: names, ends: Object.fromEntries(kinds) });
    told.cells += cuts.length * kinds.length;
    if (kinds.length === 0) told.untested.push(...names);
    for (const [turn, end] of Object.entries(ends))
      if (end.kind === 'bad') told.badEnds.push(`${names[0]}, ${turn}: ${end.wrong.join('; ')}`);
  }
  told.steps = [...steps];
  return told;
}

function nameOf({ side, step }: Pick<Cut, 'side' | 'step'>): string {
  return `${side} ${step}`;
}

export function rowOf({ flow, steps, cells, boots, states, untested, badEnds }: FlowReport): string {
  const count = (wanted: string): number =>
    states.flatMap(({ ends }) => Object.values(ends)).filter((kind) => kind === wanted).length;
  const ends = ['old', 'new'].map((kind) => `${kind} ${count(kind)}`).join(', ');
  const size = `${steps.length} steps, ${cells} cells, ${states.length} states, ${boots} boots`;
  return `${flow}: ${size}; ${ends}; untested ${untested.length}, bad ends ${badEnds.length}`;
}

/** All flows together. */
export class MatrixReport {
  readonly #flows: FlowReport[] = [];

  add(flow: FlowReport): void {
    this.#flows.push(flow);
  }

  toJSON() {
    const sum = (of: (flow: FlowReport) => number): number =>
      this.#flows.reduce((total, flow) => total + of(flow), 0);
    return {
      steps: sum(({ steps }) => steps.length),
      cells: sum(({ cells }) => cells),
      states: sum(({ states }) => states.length),
      boots: sum(({ boots }) => boots),
      untested: sum(({ untested }) => untested.length),
      badEnds: sum(({ badEnds }) => badEnds.length),
      flows: this.#flows.toSorted((one, other) => (one.flow < other.flow ? -1 : 1)),
    };
  }
}
