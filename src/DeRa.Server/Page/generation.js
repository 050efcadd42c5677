// One streamed response: its choices as they grow, changes of its strength, and what happens when the server goes away.

import { post, stream, Gone, Refused } from "./api.js";
import { back, lost } from "./connection.js";
import { pathOf } from "./requests.js";

/** The most steps that a list of a schedule may have. */
const mostSteps = 64;

export class Generation {
  #body;
  #update;
  #ended = new AbortController();
  #id = null;
  #wanted = null;
  #sending = false;
  #changes = [];

  /** Choices, each with pieces of text; `tokens` are the measures of the tokens in a piece. */
  choices = [];

  isRunning = false;

  /** Why it waits, while the server is away. */
  waits = null;

  /** Whether a change came after the last token was drawn. */
  cameTooLate = false;

  seed = null;

  /** What the server counted, at the end. */
  usage = null;

  firstTokenMilliseconds = null;
  milliseconds = 0;

  /** A response to a request; `update` is called whenever there is more of it. */
  constructor(body, update) {
    this.#body = body;
    this.#update = update;
  }

  /** Streams it to its end. The same seed gives the same text, so that a broken stream is simply asked for again. */
  async run() {
    this.isRunning = true;
    try {
      for (let body = this.#body; ;) {
        this.#id = null;
        const started = performance.now();
        try {
          this.choices = [];
          await stream(pathOf(body), { ...body, stream_options: { include_usage: true } }, this.#ended.signal,
            event => this.#take(event, started));
          return;
        } catch (fault) {
          if (!(fault instanceof Gone)) throw fault;
          body = this.#bodyAgain();
          await this.#wait(fault.message);
        }
      }
    } catch (fault) {
      if (fault.name !== "AbortError") throw fault;
    } finally {
      this.isRunning = false;
      this.waits = null;
      this.#update();
    }
  }

  /** Ends it; what has come stays. */
  stop() {
    this.#ended.abort();
  }

  /** Changes the strength of the tokens that follow. While a change is on its way only the last of the next ones counts. */
  change(strength) {
    this.#wanted = strength;
    this.#sendChanges();
  }

  get text() {
    return this.textOf(0);
  }

  /** The text of a choice so far. */
  textOf(index) {
    return this.choices[index]?.pieces.map(piece => piece.text).join("") ?? "";
  }

  async #sendChanges() {
    if (this.#sending || !this.#id) return;
    this.#sending = true;
    while (this.#wanted !== null && this.#id) {
      const strength = this.#wanted;
      this.#wanted = null;
      try {
        const { choices } = await post(`v1/realignment/generations/${this.#id}`, { alignment_strength: strength });
        if (choices[0].from_token !== null) this.#changes.push([choices[0].from_token, strength]);
      } catch (fault) {
        // It had ended.
        if (fault instanceof Refused && fault.status === 404) this.cameTooLate = true;
        // What is wrong with the connection, the stream itself finds out.
        else if (!(fault instanceof Gone) && !(fault instanceof Refused && fault.status === 429)) throw fault;
      }
    }
    this.#sending = false;
    if (this.cameTooLate) this.#update();
  }

  async #wait(why) {
    this.#wanted = null;
    this.waits = why;
    this.#update();
    lost(why);
    await back(this.#ended.signal);
    this.waits = null;
  }

  /** The same request, with what was changed of it on its way. */
  #bodyAgain() {
    const body = { ...this.#body, ...(this.seed === null ? {} : { seed: this.seed }) };
    if (this.#changes.length === 0) return body;
    const { alignment_strength: first, alignment_schedule: schedule, ...rest } = body;
    const steps = schedule ? (Array.isArray(schedule) ? [...schedule] : [[0, schedule.start]]) : [[0, first]];
    for (const [from, strength] of this.#changes) {
      while (steps.length > 0 && steps.at(-1)[0] >= from) steps.pop();
      steps.push([steps.length === 0 ? 0 : from, strength]);
    }
    return { ...rest, alignment_schedule: steps.length <= mostSteps ? steps : [steps[0], ...steps.slice(1 - mostSteps)] };
  }

  #take(event, started) {
    if (event.generation_id) {
      this.#id = event.generation_id;
      if (this.#wanted !== null) this.#sendChanges();
    }
    this.seed = event.seed ?? this.seed;
    this.usage = event.usage ?? this.usage;
    this.milliseconds = performance.now() - started;
    for (const part of event.choices) {
      const choice = this.choices[part.index] ??= { pieces: [], finish: null, rewards: null, sums: null };
      const text = part.text ?? part.delta?.content ?? "";
      const strength = part.alignment_strength ?? event.alignment_strength ?? null;
      const tokens = part.measures?.tokens ?? null;
      if (text || tokens?.length) {
        this.firstTokenMilliseconds ??= this.milliseconds;
        choice.pieces.push({ text, strength, tokens });
      }
      if (part.finish_reason) Object.assign(choice, { finish: part.finish_reason, rewards: part.rewards ?? null, sums: part.measures });
    }
    this.#update();
  }
}
