// The TypeScript SDK 2.4 with ext-tasks: a client of the stateless revision 2026-07-28, with the tasks extension.
//
// The SDK's own client does not take task results, so ext-tasks is given a way past it: the SDK's transport, which
// writes the headers of HTTP as it does for the client.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';

import { assert, main, offers, overHttp, refused, server, signal, step, text } from './steps.mjs';

const VERSION = '2026-07-28';
const TASKS = 'io.modelcontextprotocol/tasks';
const info = { name: 'clients', version: '0' };

const transport = () => (overHttp ? new StreamableHTTPClientTransport(server.url) : new StdioClientTransport(server));

async function connect(capabilities = {}) {
  const client = new Client(info, { capabilities, versionNegotiation: { mode: { pin: VERSION } } });
  const surprises = [];
  client.onerror = (error) => {
    // Of progress that arrives together with the answer, or after the call was given up.
    if (!String(error).includes('progress notification for an unknown token')) surprises.push(error);
  };
  await client.connect(transport());
  assert.equal(client.getProtocolEra(), 'modern');
  return { client, surprises };
}

/** Requests past the client, over a transport of their own. */
async function raw() {
  const wire = transport();
  const waiting = new Map();
  let last = 0;
  wire.onmessage = (message) => {
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    // What has no answer that waits is a notification.
    answer?.fulfil(message.error ? { kind: 'error', error: message.error } : { kind: 'result', result: message.result });
  };
  await wire.start();
  const dispatch = async (request, options) => {
    const id = `raw-${(last += 1)}`;
    const answer = signal();
    waiting.set(id, answer);
    await wire.send({ jsonrpc: '2.0', id, ...request }, { requestSignal: options?.signal });
    return answer.promise;
  };
  return { dispatch, close: () => wire.close() };
}

/** A session of ext-tasks on top of the client. */
async function tasks(client, capabilities = {}, onInputRequest = undefined) {
  const { dispatch, close } = await raw();
  const session = createTaskSessionFromClient(client, {
    endpointId: 'clients',
    rawDispatch: dispatch,
    v2RequestFraming: { protocolVersion: VERSION, clientInfo: info, clientCapabilities: capabilities },
    ...(onInputRequest && { onInputRequest }),
  });
  return {
    session,
    dispatch: (method, params) =>
      dispatch({
        method,
        params: {
          ...params,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': VERSION,
            'io.modelcontextprotocol/clientInfo': info,
            'io.modelcontextprotocol/clientCapabilities': { ...capabilities, extensions: { [TASKS]: {} } },
          },
        },
      }),
    async close() {
      await session.close();
      await close();
    },
  };
}

/** Calls a tool, which must become a task, and follows it to its end. */
async function follow(session, name, args, onTask) {
  const execution = await session.callTool(name, args);
  assert.equal(execution.kind, 'task', `${name} became no task`);
  await onTask?.(execution);
  const statuses = [];
  const { outcome } = await execution.settle({
    onEvent: (event) => {
      if (event.type === 'task') statuses.push(event.task.status);
    },
  });
  return { outcome, statuses, taskId: execution.handle.taskId };
}

async function counter() {
  const { client, surprises } = await connect();
  let { session, dispatch, close } = await tasks(client);
  await step('tools', async () => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ['count']);
    assert.deepEqual(client.getServerCapabilities().extensions[TASKS], {});
  });
  await step('progress of a plain call', async () => {
    const told = [];
    const result = await client.callTool({ name: 'count', arguments: { to: 3 } }, {
      onprogress: (progress) => told.push(progress.progress),
    });
    assert.equal(text(result), 'Counted to 3.');
    assert.deepEqual(told.slice(0, 2), [1, 2]);
  });
  await step('a task, followed', async () => {
    const { outcome, statuses } = await follow(session, 'count', { to: 3 });
    assert.equal(text(resultFromTaskOutcome(outcome)), 'Counted to 3.');
    return statuses;
  });
  await step('a task, cancelled', async () => {
    const { outcome } = await follow(session, 'count', { to: 1000 }, (execution) => execution.cancel());
    assert.equal(outcome.status, 'cancelled');
  });
  if (overHttp) {
    await step('a task, left and found again', async () => {
      const execution = await session.callTool('count', { to: 5 });
      let reference;
      await execution.handoff((given) => { reference = JSON.stringify(given); });
      // As another run of the host would: over a connection that knows nothing of the first.
      await close();
      ({ session, dispatch, close } = await tasks(client));
      const resumed = await session.resumeTask(JSON.parse(reference));
      const { outcome } = await resumed.settle();
      assert.equal(text(resultFromTaskOutcome(outcome)), 'Counted to 5.');
    });
  }
  await step('wrong arguments', async () => {
    const wrong = await client.callTool({ name: 'count', arguments: { to: 0 } });
    assert.ok(wrong.isError && text(wrong).includes('`to`'));
  });
  await step('a call that is given up', async () => {
    const given = new AbortController();
    await assert.rejects(client.callTool({ name: 'count', arguments: { to: 1000 } }, {
      signal: given.signal,
      onprogress: () => given.abort(),
    }));
    assert.equal((await client.listTools()).tools.length, 1);
  });
  await step('a task that is not there', async () => {
    const answer = await dispatch('tasks/get', { taskId: 'nowhere' });
    assert.equal(answer.error?.code, -32602);
  });
  await close();
  assert.deepEqual(surprises, []);
  await client.close();
}

async function memorygraph() {
  const { client, surprises } = await connect();
  const { session, close } = await tasks(client);
  const call = async (name, args) => {
    const { outcome } = await (await session.callTool(name, args)).settle();
    const result = resultFromTaskOutcome(outcome);
    assert.ok(!result.isError, text(result));
    return result.structuredContent;
  };
  await step('tools', async () => {
    const { tools } = await client.listTools();
    assert.ok(tools.some((tool) => tool.name === 'recall_memories'));
    return tools.map((tool) => tool.name);
  });
  const ids = [];
  await step('memories', async () => {
    for (const [type, title] of [['problem', 'Redis timeout'], ['solution', 'Pool the connections']]) {
      ids.push((await call('store_memory', { type, title, content: 'Seen under load.' })).memory_id);
    }
    await call('create_relationship', { from_memory_id: ids[1], to_memory_id: ids[0], relationship_type: 'SOLVES' });
    assert.equal((await call('get_memory', { memory_id: ids[0] })).title, 'Redis timeout');
  });
  await step('recalled as a task', async () => {
    const { outcome } = await follow(session, 'recall_memories', { query: 'redis timeout' });
    const titles = resultFromTaskOutcome(outcome).structuredContent.memories.map((memory) => memory.title);
    assert.deepEqual(titles, ['Redis timeout', 'Pool the connections']);
  });
  await step('imported as a task', async () => {
    const memories = Array.from({ length: 500 }, (_, n) => ({ id: `m${n}`, type: 'fix', title: `Fix ${n}`, content: '.' }));
    const data = { format_version: '2.0', memories, relationships: [] };
    const { outcome } = await follow(session, 'import_memories', { data });
    assert.equal(resultFromTaskOutcome(outcome).structuredContent.memories.imported, 500);
    assert.equal((await call('get_memory', { memory_id: 'm499' })).title, 'Fix 499');
  });
  await step('a tool that fails as a task', async () => {
    const { outcome } = await follow(session, 'import_memories', { file: '/nowhere/at/all.json' });
    const result = resultFromTaskOutcome(outcome);
    assert.ok(result.isError);
    return text(result);
  });
  await close();
  assert.deepEqual(surprises, []);
  await client.close();
}

/** Content that fits the schema of a form. */
function answered(schema) {
  const value = (property) => (property.type === 'boolean' ? true : property.type === 'string' ? 'Ada' : 7);
  return Object.fromEntries(Object.entries(schema.properties).map(([key, property]) => [key, value(property)]));
}

/** The fixture of the official suite; its names and texts are the suite's. */
async function everything() {
  const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
  const { client, surprises } = await connect(capabilities);
  const asked = [];
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push('elicitation');
    return { action: 'accept', content: answered(params.requestedSchema) };
  });
  client.setRequestHandler('sampling/createMessage', () => {
    asked.push('sampling');
    return { role: 'assistant', model: 'none', stopReason: 'endTurn', content: { type: 'text', text: 'Paris.' } };
  });
  client.setRequestHandler('roots/list', () => {
    asked.push('roots');
    return { roots: [{ uri: 'file:///home/ada', name: 'home' }] };
  });

  await step('what is offered', async () => {
    const { tools, prompts, resources, completions, extensions, tasks } = client.getServerCapabilities();
    assert.ok(tools && prompts && resources && completions && !tasks);
    assert.deepEqual(extensions[TASKS], {});
  });
  await step('content', async () => {
    const { tools } = await client.listTools();
    assert.equal(text(await client.callTool({ name: 'greet', arguments: { name: 'Ada' } })), 'Hello, Ada!');
    const mixed = await client.callTool({ name: 'test_multiple_content_types', arguments: {} });
    assert.deepEqual(mixed.content.map((item) => item.type), ['text', 'image', 'resource']);
    assert.equal((await client.callTool({ name: 'test_error_handling', arguments: {} })).isError, true);
    return tools.length;
  });
  await step('progress', async () => {
    const told = [];
    await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, { onprogress: (p) => told.push(p.progress) });
    assert.deepEqual(told.slice(0, 2), [0, 50]);
  });
  await step('questions in the middle of a call', async () => {
    for (const [suffix, wanted] of [
      ['elicitation', ['elicitation']],
      ['sampling', ['sampling']],
      ['list_roots', ['roots']],
      ['request_state', ['elicitation']],
      ['multiple_inputs', ['elicitation', 'roots', 'sampling']],
      ['multi_round', ['elicitation', 'elicitation']],
    ]) {
      asked.length = 0;
      const result = await client.callTool({ name: `test_input_required_result_${suffix}`, arguments: {} });
      assert.ok(!result.isError && result.content.length > 0, suffix);
      assert.deepEqual([...asked].sort(), wanted, suffix);
    }
  });
  await step('a question in the middle of a prompt', async () => {
    const { messages } = await client.getPrompt({ name: 'test_input_required_result_prompt' });
    assert.ok(messages.length > 0);
  });
  await step('a capability that the client does not declare', async () => {
    const { client: mute } = await connect();
    await refused(-32021, mute.callTool({ name: 'test_missing_capability', arguments: {} }));
    await mute.close();
  });
  await step('a header made of an argument', async () => {
    // The client mirrors it by itself, once it knows the tool.
    const { tools } = await client.listTools();
    const { name } = tools.find((tool) => tool.inputSchema.properties?.value?.['x-mcp-header']);
    for (const value of ['plain', 'Grüße, \n', '']) {
      assert.ok(!(await client.callTool({ name, arguments: { value } })).isError);
    }
  });
  await step('changes, listened to', async () => {
    const changed = signal();
    client.setNotificationHandler('notifications/tools/list_changed', () => changed.fulfil());
    const subscription = await client.listen({ toolsListChanged: true });
    assert.equal(subscription.honoredFilter.toolsListChanged, true);
    await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
    await changed.promise;
    await subscription.close();
  });
  await offers(client, -32602);

  const asks = [];
  const { session, close } = await tasks(client, capabilities, async (request) => {
    asks.push(request.kind);
    assert.equal(request.kind, 'elicitation');
    return { action: 'accept', content: answered(request.params.requestedSchema) };
  });
  await step('a task, followed', async () => {
    const { outcome, statuses } = await follow(session, 'slow_compute', { seconds: 1, label: 'one' });
    assert.ok(!resultFromTaskOutcome(outcome).isError);
    return statuses;
  });
  await step('a task, cancelled', async () => {
    const { outcome } = await follow(session, 'slow_compute', { seconds: 60, label: 'long' }, (execution) =>
      execution.cancel());
    assert.equal(outcome.status, 'cancelled');
  });
  await step('tasks that fail', async () => {
    const failing = await follow(session, 'failing_job', {});
    assert.equal(resultFromTaskOutcome(failing.outcome).isError, true);
    const broken = await follow(session, 'protocol_error_job', {});
    assert.equal(broken.outcome.status, 'failed');
    return String(broken.outcome.error);
  });
  await step('questions in a task', async () => {
    for (const [name, args, questions] of [
      ['confirm_delete', { filename: 'a.txt' }, 1],
      ['multi_input', {}, 2],
    ]) {
      asks.length = 0;
      const { outcome } = await follow(session, name, args);
      assert.ok(!resultFromTaskOutcome(outcome).isError);
      assert.equal(asks.length, questions, name);
    }
  });
  await step('a question, then a task', async () => {
    asks.length = 0;
    const { outcome } = await follow(session, 'test_tool_with_task', {});
    assert.ok(text(resultFromTaskOutcome(outcome)).includes('Ada'));
    assert.deepEqual(asks, ['elicitation']);
  });
  await close();
  assert.deepEqual(surprises, []);
  await client.close();
}

await main({ counter, memorygraph, everything });
