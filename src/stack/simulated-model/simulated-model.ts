import { type ChatAnswer, ChatRefusal, type ChatRequest, type ChatServer, startChatServer } from './chat-server.ts';
import { fitRecipe } from './fit-recipe.ts';
import { playPhase } from './player.ts';
import { readPhasePrompt } from './prompt-reader.ts';
import { openRecipeBook } from './recipe-book.ts';

type SimulatedModelOptions = Readonly<{
  /** How long each answer takes; 0 by default. */
  paceMs?: number;
  /** Whether the first attempt of the code holds its deliberate mistake; true by default. */
  firstAttemptMistake?: boolean;
  /** 0, the default, takes a free port. */
  port?: number;
}>;

/**
 * Starts the simulated model: an OpenAI-compatible server on 127.0.0.1 that plays the five roles from recipes.
 * @throws AppError `port_taken` when the given port is in use
 */
export async function startSimulatedModel({
  paceMs = 0,
  firstAttemptMistake = true,
  port = 0,
}: SimulatedModelOptions = {}): Promise<ChatServer> {
  const book = openRecipeBook();
  const answer = async ({ messages }: ChatRequest): Promise<ChatAnswer> => {
    const prompt = readPhasePrompt(messages);
    if (!prompt) {
      throw new ChatRefusal(
        400,
        'No user message has a line "# Phase: …": the simulated model only plays the roles of a build. Configure a ' +
          'model provider for anything else.',
        'messages',
      );
    }
    const result = playPhase(prompt, fitRecipe(book, prompt), { firstAttemptMistake });
    return { content: asAnswer(JSON.stringify(result, null, 2)), delayMs: paceMs };
  };
  return startChatServer({ answer, port });
}

// Models like to fence their JSON. Where the JSON itself quotes a fence, the answer stays plain.
function asAnswer(json: string): string {
  return json.includes('```') ? json : `\`\`\`json\n${json}\n\`\`\``;
}
