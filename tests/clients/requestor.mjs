// The TypeScript SDK 1.32: a server on its standard streams whose tools ask their client by tasks of the client's.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const server = new Server({ name: 'requestor', version: '0' }, { capabilities: { tools: {} } });
const { tasks } = server.experimental;

const message = { role: 'user', content: { type: 'text', text: 'What is new?' } };
const sampling = { messages: [message], maxTokens: 100 };
const form = {
  mode: 'form',
  message: 'Who are you?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
};
const options = { task: { ttl: 60_000 } };

/** Follows what was asked to its end, and gives the states on the way. */
async function follow(stream, onCreated) {
  const seen = { states: [] };
  for await (const told of stream) {
    if (told.type === 'taskCreated') {
      seen.id = told.task.taskId;
      seen.states.push('created');
      await onCreated?.(seen.id);
    } else if (told.type === 'taskStatus') {
      if (seen.states.at(-1) !== told.task.status) seen.states.push(told.task.status);
    } else {
      seen[told.type] = told[told.type];
    }
  }
  return seen;
}

const tools = {
  async sample() {
    const seen = await follow(tasks.createMessageStream(sampling, options));
    const { tasks: listed } = await tasks.listTasks();
    const again = await tasks.getTask(seen.id);
    return { states: seen.states, text: seen.result.content.text, again: again.status, listed: listed.length };
  },
  async elicit() {
    const seen = await follow(tasks.elicitInputStream(form, options));
    return { states: seen.states, result: seen.result };
  },
  async cancel() {
    const seen = await follow(tasks.createMessageStream(sampling, options), (id) => tasks.cancelTask(id));
    return { states: seen.states, again: (await tasks.getTask(seen.id)).status };
  },
};

server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.keys(tools).map((name) => ({ name, inputSchema: { type: 'object' } })),
}));
server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
  const told = await tools[params.name]();
  return { content: [{ type: 'text', text: JSON.stringify(told) }] };
});
await server.connect(new StdioServerTransport());
