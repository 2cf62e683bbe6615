// The TypeScript SDK 1.32: a client that opens with `initialize` (revision 2025-11-25) and knows the tasks of that
// revision's core.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';

import { assert, main, offers, overHttp, refused, server, step, text } from './steps.mjs';

async function connect(capabilities = {}, options = {}) {
  const client = new Client({ name: 'clients', version: '0' }, { capabilities, ...options });
  const surprises = [];
  client.onerror = (error) => {
    // Of progress that arrives together with the answer, or after the call was given up.
    if (!String(error).includes('progress notification for an unknown token')) surprises.push(error);
  };
  const transport = overHttp ? new StreamableHTTPClientTransport(server.url) : new StdioClientTransport(server);
  await client.connect(transport);
  return { client, transport, surprises };
}

/** Ends the session as a client should; nothing may have gone wrong behind the calls until then. */
async function close({ client, transport, surprises }) {
  assert.deepEqual(surprises, []);
  if (overHttp) await transport.terminateSession();
  await client.close();
}

const task = { task: { ttl: 60_000 } };

/** Calls a tool as a task, and follows it to its end. */
async function follow(client, name, args, onCreated) {
  const seen = { statuses: [] };
  const stream = client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, task);
  for await (const message of stream) {
    if (message.type === 'taskCreated') {
      seen.created = message.task;
      await onCreated?.(message.task);
    } else if (message.type === 'taskStatus') {
      seen.statuses.push(message.task.status);
    } else {
      seen[message.type] = message[message.type];
    }
  }
  assert.ok(seen.created, `${name} became no task`);
  return seen;
}

/** That the task is listed, or that the server cannot tell whose tasks they are and offers no list. */
async function listed(client, taskId) {
  if (!client.getServerCapabilities().tasks.list) {
    await refused(-32601, client.experimental.tasks.listTasks());
    return 'not offered';
  }
  const { tasks } = await client.experimental.tasks.listTasks();
  assert.ok(tasks.some((task) => task.taskId === taskId));
  return 'listed';
}

async function counter() {
  const session = await connect();
  const { client } = session;
  let counted;
  await step('tools', async () => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => [tool.name, tool.execution?.taskSupport]), [['count', 'optional']]);
    assert.ok(client.getServerCapabilities().tasks.requests.tools.call);
  });
  await step('progress of a plain call', async () => {
    const told = [];
    const result = await client.callTool({ name: 'count', arguments: { to: 3 } }, undefined, {
      onprogress: (progress) => told.push(progress.progress),
    });
    assert.equal(text(result), 'Counted to 3.');
    // This client drops a progress notification that arrives together with the answer, as the last one does.
    assert.deepEqual(told.slice(0, 2), [1, 2]);
  });
  await step('a task, followed', async () => {
    counted = await follow(client, 'count', { to: 3 });
    assert.equal(counted.created.status, 'working');
    assert.equal(text(counted.result), 'Counted to 3.');
    return counted.statuses;
  });
  await step('its state and its result, again', async () => {
    const { taskId } = counted.created;
    assert.equal((await client.experimental.tasks.getTask(taskId)).status, 'completed');
    assert.equal(text(await client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema)), 'Counted to 3.');
    return listed(client, taskId);
  });
  await step('a task, cancelled', async () => {
    const cancelled = await follow(client, 'count', { to: 1000 }, (created) =>
      client.experimental.tasks.cancelTask(created.taskId));
    assert.equal((await client.experimental.tasks.getTask(cancelled.created.taskId)).status, 'cancelled');
    assert.ok(cancelled.error && !cancelled.result);
  });
  await step('wrong arguments', async () => {
    const wrong = await client.callTool({ name: 'count', arguments: { to: 0 } });
    assert.ok(wrong.isError && text(wrong).includes('`to`'));
  });
  await step('a call that is given up', async () => {
    const given = new AbortController();
    await assert.rejects(client.callTool({ name: 'count', arguments: { to: 1000 } }, undefined, {
      signal: given.signal,
      onprogress: () => given.abort(),
    }));
    await client.ping();
  });
  await step('a task that is not there', () => refused(-32602, client.experimental.tasks.getTask('nowhere')));
  await close(session);
}

async function memorygraph() {
  const session = await connect();
  const { client } = session;
  const call = async (name, args) => {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(!result.isError, text(result));
    return result.structuredContent;
  };
  const ids = [];
  await step('tools', async () => {
    const { tools } = await client.listTools();
    assert.ok(tools.some((tool) => tool.name === 'recall_memories'));
    return tools.map((tool) => tool.name);
  });
  await step('memories', async () => {
    for (const [type, title] of [['problem', 'Redis timeout'], ['solution', 'Pool the connections']]) {
      ids.push((await call('store_memory', { type, title, content: 'Seen under load.' })).memory_id);
    }
    await call('create_relationship', { from_memory_id: ids[1], to_memory_id: ids[0], relationship_type: 'SOLVES' });
    assert.equal((await call('get_memory', { memory_id: ids[0] })).title, 'Redis timeout');
  });
  await step('recalled as a task', async () => {
    const { result } = await follow(client, 'recall_memories', { query: 'redis timeout' });
    const titles = result.structuredContent.memories.map((memory) => memory.title);
    assert.deepEqual(titles, ['Redis timeout', 'Pool the connections']);
  });
  await step('imported as a task', async () => {
    const memories = Array.from({ length: 500 }, (_, n) => ({ id: `m${n}`, type: 'fix', title: `Fix ${n}`, content: '.' }));
    const data = { format_version: '2.0', memories, relationships: [] };
    const { result } = await follow(client, 'import_memories', { data });
    assert.equal(result.structuredContent.memories.imported, 500);
    assert.equal((await call('get_memory', { memory_id: 'm499' })).title, 'Fix 499');
  });
  await step('a tool that fails as a task', async () => {
    const { error } = await follow(client, 'import_memories', { file: '/nowhere/at/all.json' });
    return String(error);
  });
  await step('wrong arguments', async () => {
    const wrong = await client.callTool({ name: 'get_memory', arguments: { memory_id: 'nope' } });
    assert.ok(wrong.isError && text(wrong).includes('nope'));
  });
  await close(session);
}

/** A client that makes a task of its own of what a task asks. */
async function entrusted() {
  const taskStore = new InMemoryTaskStore();
  const tasks = { cancel: {}, requests: { elicitation: { create: {} } } };
  const session = await connect({ elicitation: {}, tasks }, { taskStore });
  const made = [];
  session.client.setRequestHandler(ElicitRequestSchema, async ({ params }, extra) => {
    assert.ok(params.task, 'asked for a task');
    const task = await extra.taskStore.createTask({ ttl: extra.taskRequestedTtl, pollInterval: 50 });
    made.push({ task, of: params._meta['io.modelcontextprotocol/related-task'].taskId });
    // The person takes their time.
    setTimeout(() => {
      extra.taskStore.storeTaskResult(task.taskId, 'completed', { action: 'accept', content: { confirm: true } });
    }, 200);
    return { task };
  });
  const { result, created } = await follow(session.client, 'confirm_delete', { filename: 'c.txt' });
  assert.ok(!result.isError);
  assert.deepEqual(made.map(({ of }) => of), [created.taskId], 'one task, made once');
  await close(session);
  return text(result);
}

/** The fixture of the official suite; its names and texts are the suite's. */
async function everything() {
  const session = await connect({ elicitation: {}, sampling: {} });
  const { client, transport } = session;
  const asked = [];
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    asked.push(params);
    const content = {};
    for (const [key, property] of Object.entries(params.requestedSchema.properties)) {
      content[key] = property.type === 'boolean' ? true : property.type === 'string' ? 'Ada' : 7;
    }
    return { action: 'accept', content };
  });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    asked.push(params);
    return { role: 'assistant', model: 'none', stopReason: 'endTurn', content: { type: 'text', text: 'Paris.' } };
  });

  await step('what is offered', async () => {
    const { tools, prompts, resources, logging, completions, tasks } = client.getServerCapabilities();
    assert.ok(tools && prompts && resources?.subscribe && logging && completions && tasks?.requests?.tools?.call);
  });
  await step('content', async () => {
    const { tools } = await client.listTools();
    assert.equal(text(await client.callTool({ name: 'greet', arguments: { name: 'Ada' } })), 'Hello, Ada!');
    const mixed = await client.callTool({ name: 'test_multiple_content_types' });
    assert.deepEqual(mixed.content.map((item) => item.type), ['text', 'image', 'resource']);
    assert.equal((await client.callTool({ name: 'test_error_handling' })).isError, true);
    return tools.length;
  });
  await step('progress', async () => {
    const told = [];
    await client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress: (p) => told.push(p.progress) });
    assert.deepEqual(told.slice(0, 2), [0, 50]);
  });
  await step('log', async () => {
    const logged = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => { logged.push(params.level); });
    await client.setLoggingLevel('debug');
    await client.callTool({ name: 'test_tool_with_logging' });
    assert.deepEqual(logged, ['info', 'info', 'info']);
  });
  await step('sampling and elicitation in a plain call', async () => {
    assert.ok(text(await client.callTool({ name: 'test_sampling', arguments: { prompt: 'Which city?' } })).includes('Paris.'));
    assert.ok(text(await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } })).includes('Ada'));
    assert.equal(asked.length, 2);
  });
  if (overHttp) {
    // The stream ends in the middle; the client resumes it by itself.
    await step('a stream that is resumed', async () => {
      const result = await client.callTool({ name: 'test_reconnection' });
      assert.ok(!result.isError);
    });
  }
  await step('a task, followed', async () => {
    const { result, statuses } = await follow(client, 'slow_compute', { seconds: 1, label: 'one' });
    assert.ok(!result.isError);
    return statuses;
  });
  await step('a task, cancelled', async () => {
    const { created, error } = await follow(client, 'slow_compute', { seconds: 60, label: 'long' }, (created) =>
      client.experimental.tasks.cancelTask(created.taskId));
    assert.ok(error);
    assert.equal((await client.experimental.tasks.getTask(created.taskId)).status, 'cancelled');
  });
  await step('tasks that fail', async () => {
    for (const name of ['failing_job', 'protocol_error_job']) {
      const { error, created } = await follow(client, name, {});
      assert.ok(error, `${name} did not fail`);
      assert.equal((await client.experimental.tasks.getTask(created.taskId)).status, 'failed');
    }
  });
  await step('elicitation in a task', async () => {
    asked.length = 0;
    const { result, created } = await follow(client, 'confirm_delete', { filename: 'a.txt' });
    assert.ok(!result.isError);
    assert.equal(asked.length, 1, 'asked once');
    assert.equal(asked[0]._meta['io.modelcontextprotocol/related-task'].taskId, created.taskId);
  });
  await step('two questions at once in a task', async () => {
    asked.length = 0;
    const { result } = await follow(client, 'multi_input', {});
    assert.ok(!result.isError);
    assert.equal(asked.length, 2, 'each asked once');
  });
  await step('elicitation in a task whose result nobody waits for', async () => {
    asked.length = 0;
    const created = await client.request(
      { method: 'tools/call', params: { name: 'confirm_delete', arguments: { filename: 'b.txt' }, ...task } },
      CreateTaskResultSchema,
    );
    // Over HTTP the question comes on the stream that the client holds open for such things.
    for (;;) {
      const { status } = await client.experimental.tasks.getTask(created.task.taskId);
      if (status === 'completed') break;
      assert.ok(['working', 'input_required'].includes(status), status);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(asked.length, 1, 'asked once');
  });
  await step('elicitation in a task, as a task of the client', entrusted);
  await offers(client, -32002);
  await step('subscriptions', async () => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, () => {});
    await client.subscribeResource({ uri: 'test://watched-resource' });
    await client.unsubscribeResource({ uri: 'test://watched-resource' });
  });
  if (overHttp) {
    await step('a session that has ended', async () => {
      await transport.terminateSession();
      await assert.rejects(fetch(server.url, { method: 'POST' }).then((answer) => { if (!answer.ok) throw answer; }));
    });
  }
  assert.deepEqual(session.surprises, []);
  await client.close();
}

await main({ counter, memorygraph, everything });
