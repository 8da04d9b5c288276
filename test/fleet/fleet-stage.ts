import type { Setting } from '../support/scene/scene.ts';
import { FleetBoard } from './fleet-board.ts';
import { FleetServer } from './server/fleet-server.ts';
import { type ActionFacts, Management } from './server/management.ts';
import { type FleetWorkshop, openFleetWorkshop } from './workshop.ts';

/** The server, its operator, and what boards and bundles are made of: once for all stories. */
export class FleetStage implements AsyncDisposable {
  readonly server: FleetServer;
  readonly operator: Management;
  readonly workshop: FleetWorkshop;
  #boards = 0;
  readonly #releases = new Map<string, Promise<number>>();

  private constructor(server: FleetServer, workshop: FleetWorkshop) {
    this.server = server;
    this.operator = new Management(server.url);
    this.workshop = workshop;
  }

  static async open(): Promise<FleetStage> {
    const server = await FleetServer.start();
    try {
      return new FleetStage(server, await openFleetWorkshop());
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  release(version: string): Promise<number> {
    const known = this.#releases.get(version) ?? this.#upload(version);
    this.#releases.set(version, known);
    return known;
  }

  async #upload(version: string): Promise<number> {
    return await this.operator.addRelease(version, await this.workshop.bundle(version));
  }

  /** A new target, and the board that is it. */
  async board(
    config: Record<string, Setting> = {},
    { url = this.server.url, token }: BoardWish = {},
  ): Promise<FleetBoard> {
    this.#boards += 1;
    const id = `board-${this.#boards}`;
    const own = `token-of-${id}`;
    await this.operator.addTargets([{ controllerId: id, securityToken: own }]);
    return await FleetBoard.start(id, this.workshop, { url, token: token ?? own, config });
  }

  /** Until the server says so of the action. */
  async untilDetail(board: FleetBoard, action: string, detail: string): Promise<ActionFacts> {
    let facts = await this.operator.action(board.id, action);
    await board.waitFor(`"${detail}" at the server`, async () => {
      facts = await this.operator.action(board.id, action);
      return facts.detail === detail;
    });
    return facts;
  }

  /** All messages of the action, oldest first. */
  async messages(board: FleetBoard, action: string): Promise<string[]> {
    return (await this.operator.history(board.id, action)).flatMap(({ messages }) => messages);
  }

  /** How often the action came to each of hawkBit's states. */
  async typesOf(board: FleetBoard, action: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { type } of await this.operator.history(board.id, action))
      counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.workshop[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

interface BoardWish {
  url?: string;
  token?: string;
}
