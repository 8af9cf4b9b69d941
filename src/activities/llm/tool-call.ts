import type { JsonObject } from '../../machine/json.ts';

/** A function that a model may ask for, as providers want it described. `parameters` is a JSON schema. */
export type ToolSpec = Readonly<{ name: string; description: string; parameters: JsonObject }>;

/** One call that a model asks for. `arguments` is what it wrote, which need not be JSON. */
export type ToolCall = Readonly<{ id: string; name: string; arguments: string }>;

/** A message of a conversation with a model. Answers of tools follow the message that asked for them. */
export type ChatMessage = Readonly<
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls?: readonly ToolCall[] }
  | { role: 'tool'; content: string; toolCallId: string }
>;

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** A message as providers take it. Arguments that are no object are left out: some refuse the whole conversation for them. */
export function wireMessage(message: ChatMessage) {
  if (message.role === 'tool') {
    return { role: 'tool' as const, content: message.content, tool_call_id: message.toolCallId };
  }
  if (message.role !== 'assistant' || message.toolCalls === undefined) {
    return { role: message.role, content: message.content };
  }
  const calls = message.toolCalls.map(({ id, name, arguments: given }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: isObjectText(given) ? given : '{}' },
  }));
  return { role: 'assistant' as const, content: message.content === '' ? null : message.content, tool_calls: calls };
}
