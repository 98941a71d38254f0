import { type ClientRegistrar, encodeOutcome } from './client-registrar.ts';
import type { ClusterEdges } from './cluster-edges.ts';
import type { GroupLeadership } from './group-leadership.ts';
import type { InterestBarrier } from './interest-barrier.ts';
import { decodeQuestion, encodeGiftOutcome, encodeTexts } from './link-questions.ts';
import type { Peers } from './peers.ts';
import type { SessionOwnership } from './session-ownership.ts';

const NOTHING = new Uint8Array(0);

/** What the answers come from. */
export interface QuestionAnswersParts {
  readonly edges: ClusterEdges;
  readonly peers: Peers;
  readonly barrier: InterestBarrier;
  readonly ownership: SessionOwnership;
  readonly registrar: ClientRegistrar;
  readonly groups: GroupLeadership;
}

/** Answers what the other brokers ask. */
export class QuestionAnswers {
  readonly #parts: QuestionAnswersParts;
  #stopped = false;

  constructor(parts: QuestionAnswersParts) {
    this.#parts = parts;
  }

  answer(from: number, id: number, question: Uint8Array): void {
    const { peers, edges } = this.#parts;
    this.#answerTo(from, question).then(
      (answer) => peers.linkTo(from).reply(id, answer),
      (error: unknown) => {
        edges.failed(`a question of broker ${from}`, error);
        peers.linkTo(from).reply(id, null);
      },
    );
  }

  /** From now on every question is refused. */
  stop(): void {
    this.#stopped = true;
  }

  /** @returns null: refused */
  async #answerTo(from: number, bytes: Uint8Array): Promise<Uint8Array | null> {
    if (this.#stopped) return null;
    const { barrier, ownership, registrar, groups, edges } = this.#parts;
    const question = decodeQuestion(bytes);
    switch (question.kind) {
      case 'applied': {
        const { routesRevision, subscriptionsRevision } = question;
        const applied = await barrier.here(routesRevision, subscriptionsRevision);
        return applied ? NOTHING : null;
      }
      case 'yield':
        await ownership.giveUp(question.clientId);
        registrar.lost(question.clientId);
        return NOTHING;
      case 'grant':
        return encodeOutcome(await registrar.register(question.holder, from));
      case 'release':
        registrar.released(question.clientId, from);
        return NOTHING;
      case 'assert':
        return encodeTexts(registrar.asserted(question.holders, from));
      case 'want':
      case 'endMember':
      case 'dealt':
      case 'deny':
        return (await groups.answer(from, question)) ? NOTHING : null;
      case 'give':
        return encodeGiftOutcome(await edges.durable.receive(question));
    }
  }
}
