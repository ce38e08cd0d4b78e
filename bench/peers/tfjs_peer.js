// TensorFlow.js's layers, on its WebAssembly backend or plain JavaScript, whichever is faster at
// the workload (tfjs-node needs a binary from outside the registry).
//
//   node tfjs_peer.js FOLDER W1|W2|W3|W4|I1|S1

const fs = require('fs');
const path = require('path');
const readline = require('readline');

const say = (what) => fs.writeSync(1, JSON.stringify(what) + '\n');
console.log = console.warn = console.info = () => {};
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

const [folder, name] = process.argv.slice(2);

function npy(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const shape = bytes.toString('latin1', 10, start).match(/\(([^)]*)\)/)[1]
    .split(',').filter((s) => s.trim()).map(Number);
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(size);
  Buffer.from(data.buffer).set(bytes.subarray(start, start + 4 * size));
  return {data, shape};
}

function load(workload) {
  const stem = path.join(folder, workload);
  const words = fs.readFileSync(stem + '.spec', 'utf8').trim().split(/\s+/);
  const [rows, batch, epochs] = words.slice(0, 3).map(Number);
  const widths = words.slice(5).map(Number);
  const weights = [];
  for (let i = 1; i < widths.length; i++) {
    weights.push(npy(`${stem}-w${i}.npy`), npy(`${stem}-b${i}.npy`));
  }
  return {rows, batch, epochs, widths, weights, adam: words[3] === 'adam',
    softmax: words[4] === 'softmax', x: npy(stem + '-x.npy'), y: npy(stem + '-y.npy')};
}

function zeros() {
  return {rows: 32, batch: 32, epochs: 1, widths: [39, 5, 5, 2], weights: [], adam: true,
    softmax: true, x: {data: new Float32Array(32 * 39), shape: [32, 39]},
    y: {data: new Float32Array(64), shape: [32, 2]}};
}

const tensor = (a) => tf.tensor(a.data, a.shape);

function build(work) {
  const model = tf.sequential();
  const last = work.widths.length - 1;
  for (let i = 1; i <= last; i++) {
    model.add(tf.layers.dense({units: work.widths[i], inputShape: [work.widths[i - 1]],
      activation: i < last ? 'relu' : work.softmax ? 'softmax' : 'linear'}));
  }
  model.compile({optimizer: work.adam ? tf.train.adam(0.001) : tf.train.momentum(0.01, 0.9),
    loss: work.softmax ? 'categoricalCrossentropy' : 'meanSquaredError',
    metrics: work.softmax ? ['accuracy'] : []});
  if (work.weights.length) model.setWeights(work.weights.map(tensor));
  return model;
}

async function fit(model, work, x, y, epochs) {
  const h = await model.fit(x, y, {batchSize: work.batch, epochs, shuffle: true, verbose: 0,
    yieldEvery: 'never'});
  const final = (key) => h.history[key] && h.history[key][epochs - 1];
  return {loss: final('loss'), accuracy: final('acc')};
}

const now = () => Number(process.hrtime.bigint()) * 1e-9;
const median = (t) => t.sort((a, b) => a - b)[Math.floor(t.length / 2)];

async function use(backend) {
  await tf.setBackend(backend);
  await tf.ready();
}

async function fastest(seconds) {
  const times = {};
  for (const backend of ['wasm', 'cpu']) {
    await use(backend);
    try {
      await seconds();
      const t = now();
      await seconds();
      times[backend] = now() - t;
    } catch (e) {
      process.stderr.write(`${backend}: ${e}\n`); // a backend without a kernel that training needs
    }
  }
  const best = Object.keys(times).sort((a, b) => times[a] - times[b])[0];
  await use(best);
  return best === 'cpu' ? 'plain JavaScript' : 'WebAssembly';
}

async function answer(mode, round) {
  say({ready: true, version: tf.version.tfjs, mode});
  for await (const line of readline.createInterface({input: process.stdin})) {
    if (line.trim() === 'quit') break;
    say(await round());
  }
  process.exit(0);
}

async function train() {
  const work = load(name);
  const few = work.batch * 3;
  const mode = await fastest(async () => {
    const x = tensor(work.x).slice([0, 0], [few, -1]);
    const y = tensor(work.y).slice([0, 0], [few, -1]);
    await fit(build(work), work, x, y, 1);
  });
  const x = tensor(work.x), y = tensor(work.y);
  await answer(mode, async () => {
    const model = build(work);
    const t = now();
    const result = await fit(model, work, x, y, work.epochs);
    return {seconds: now() - t, ...result};
  });
}

async function infer() {
  const work = load('W2');
  const rows = Math.min(work.rows, 1024);
  const some = (n) => tf.tensor(work.x.data.subarray(0, n * 784), [n, 784]);
  const mode = await fastest(async () => { await build(work).predict(some(rows)).data(); });
  const model = build(work);
  const times = async (x, n) => {
    const all = [];
    for (let i = 0; i < n; i++) {
      const t = now();
      const y = model.predict(x);
      await y.data();
      all.push(now() - t);
      y.dispose();
    }
    return all.sort((a, b) => a - b);
  };
  const one = some(1), many = some(rows);
  await answer(mode, async () => {
    const t = await times(one, 300);
    return {p50: t[150], p99: t[297], rows_a_second: rows / median(await times(many, 10))};
  });
}

async function firstStep() {
  await use('cpu');
  const work = zeros();
  await fit(build(work), work, tensor(work.x), tensor(work.y), 1);
  say({step: true});
  process.stdin.once('data', () => process.exit(0)).once('end', () => process.exit(0));
}

wasm.setWasmPaths(path.join(path.dirname(
  require.resolve('@tensorflow/tfjs-backend-wasm')), path.sep));
(name === 'S1' ? firstStep() : name === 'I1' ? infer() : train()).catch((e) => {
  process.stderr.write(String(e.stack) + '\n');
  process.exit(1);
});
