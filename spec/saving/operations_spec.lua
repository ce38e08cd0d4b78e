-- Functional models that call nn.ops on their symbolic tensors: they come back from every format,
-- are what Keras writes, and cannot ask for more than a layer could.

local nn = require "nnlua"
local core = require "nnlua.core"
local scratch = require "spec.support.scratch"

local L, ops = nn.layers, nn.ops
local folder

local function path(name) return folder .. "/" .. name end

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

before_each(function()
  nn.utils.clear_session()
  nn.utils.set_random_seed(5)
end)

local function inputs()
  return nn.Input{shape = {6}, name = "x"}, nn.Input{shape = {6}, name = "z"}
end

local function rows() return {nn.random.normal{{4, 6}}, nn.random.normal{{4, 6}}} end

-- Outputs that between them use every kind of argument.
local function outputs(x, z)
  local a = L.Dense{6, name = "a"}(x)
  local y = 2 - (ops.relu(a) + 1) * z
  return {y, -a / 2, ops.clip{a, 0, 3} ^ 2,
    ops.matmul(y, ops.transpose(ops.mean{a, axis = 1, keepdims = true})),
    ops.concatenate{{a, z}, axis = -1}, ops.stack{{a, z}, axis = 2},
    ops.reshape{a, {-1, 2, 3}}, ops.transpose{ops.reshape{a, {-1, 2, 3}}, {1, 3, 2}},
    ops.expand_dims{a, axis = 2}, ops.split{a, 2, axis = 2}[2], ops.softmax(a),
    ops.leaky_relu{a, negative_slope = 0.3}, ops.max{a, axis = -1, keepdims = true},
    ops.logsumexp{a, axis = 2}, ops.where{ops.greater(a, 0), a, z},
    ops.one_hot{ops.cast(ops.greater(a, 0), "int32"), 2}, ops.einsum("ab,ab->a", a, z),
    ops.einsum("ab,cb->ac", a, z), ops.tensordot{a, z, axes = {{2}, {2}}},
    ops.pad{a, {{0, 0}, {1, 1}}, constant_values = 2}, ops.take{a, {1, 3}, axis = 2},
    ops.add(a, nn.tensor{1, 2, 3, 4, 5, 6}), ops.moveaxis{ops.reshape{a, {-1, 2, 3}}, 3, 2},
    ops.get_item{a, {false, {2, 3}}}, ops.get_item{a, {false, -1}}, ops.get_item{a, 1},
    ops.get_item{a, {false, {-3, -1}}}, ops.get_item{a, {false, {5, 2, -1}}},
    ops.get_item{a, {false, {1, 5, 2}}}, ops.get_item{a, {{1, 2}}}}
end

describe("a model with calls of nn.ops", function()
  for _, ending in ipairs {".keras", ".h5", ".safetensors"} do
    it("comes back from " .. ending, function()
      local x, z = inputs()
      local model, data = nn.Model{inputs = {x, z}, outputs = outputs(x, z)}, rows()
      model:save(path("a" .. ending))
      nn.utils.clear_session()
      local again = nn.saving.load_model(path("a" .. ending))
      local want, got = model(data), again(data)
      assert.equal(30, #got)
      for i = 1, #want do
        assert.same(want[i].shape, got[i].shape)
        assert.equal(core.sha256{want[i]}, core.sha256{got[i]}, "output " .. i)
      end
      again:save(path("b" .. ending))
      assert.equal(core.sha256_file(path("a" .. ending)), core.sha256_file(path("b" .. ending)))
    end)
  end

  it("trains on, and keeps the places of its layers' weights", function()
    local x = inputs()
    local y = L.Add{}{L.Dense{6, activation = "relu"}(x), x}
    y = L.BatchNormalization{}(ops.tanh(y + 1) * 2)
    local model = nn.Model{inputs = x, outputs = L.Dense{1}(ops.add(y, x))}
    model:compile{optimizer = "adam", loss = "mse"}
    local data = rows()
    model:fit{data[1], data[2]:sum{axis = -1}, epochs = 2, verbose = 0}
    model:save(path "t.keras")
    local again = nn.saving.load_model(path "t.keras")
    local function go_on(m)
      return m:fit{data[1], data[2]:sum{axis = -1}, epochs = 2, shuffle = false,
        verbose = 0}.history.loss
    end
    assert.same(go_on(model), go_on(again))
    -- Keras's files count layers, not operations
    model:save_weights(path "t.weights.h5")
    local names = {}
    for _, group in ipairs(core.hdf5.open(path "t.weights.h5"):tree().children[1].children) do
      names[#names + 1] = group.name
    end
    assert.same({"add", "batch_normalization", "dense", "dense_1", "input_layer"}, names)
  end)

  it("is read as Keras 3.15.1 wrote it", function()
    -- y = ops.relu(a) + 1; y = 2 - y * z; mean over axis 1; a[:, 1:3]; a[0]
    local text = [=[{"module": "keras.src.models.functional", "class_name": "Functional",
      "registered_name": "Functional", "config": {"name": "m", "layers": [
      {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [null, 4],
       "dtype": "float32", "name": "a"}, "name": "a", "inbound_nodes": []},
      {"module": "keras.src.ops.nn", "class_name": "Relu", "config": {"name": "relu"},
       "registered_name": "Relu", "name": "relu", "inbound_nodes": [{"args": [A], "kwargs": {}}]},
      {"module": "keras.src.ops.numpy", "class_name": "Add", "config": {"name": "add"},
       "registered_name": "Add", "name": "add", "inbound_nodes": [{"args": [
        {"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "dtype": "float32",
         "keras_history": ["relu", 0, 0]}}, 1], "kwargs": {}}]},
      {"module": "keras.src.ops.numpy", "class_name": "Subtract", "config": {"name": "s"},
       "registered_name": "Subtract", "name": "s", "inbound_nodes": [{"args": [2,
        {"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "dtype": "float32",
         "keras_history": ["add", 0, 0]}}], "kwargs": {}}]},
      {"module": "keras.src.ops.numpy", "class_name": "Max", "config": {"name": "max", "axis": 1,
       "keepdims": true, "initial": null}, "registered_name": "Max", "name": "max",
       "inbound_nodes": [{"args": [A], "kwargs": {}}]},
      {"module": "keras.src.ops.numpy", "class_name": "GetItem", "config": {"name": "get_item"},
       "registered_name": "GetItem", "name": "get_item", "inbound_nodes": [{"args": [A,
       [{"class_name": "__slice__", "config": {"start": null, "stop": null, "step": null}},
        {"class_name": "__slice__", "config": {"start": 1, "stop": 3, "step": null}}]],
       "kwargs": {}}]},
      {"module": "keras.src.ops.numpy", "class_name": "Absolute", "config": {"name": "absolute"},
       "registered_name": "Absolute", "name": "absolute",
       "inbound_nodes": [{"args": [A], "kwargs": {}}]}],
      "input_layers": ["a", 0, 0], "output_layers": [["s", 0, 0], ["max", 0, 0],
       ["get_item", 0, 0], ["absolute", 0, 0]]}}]=]
    text = text:gsub("%[A([%],])", '[{"class_name": "__keras_tensor__", "config": {"shape": '
      .. '[null, 4], "dtype": "float32", "keras_history": ["a", 0, 0]}}%1')
    local model = nn.saving.model_from_json(text)
    local got = model:predict{nn.tensor{{-1, 2, -3, 4}}, verbose = 0}
    assert.same({{1, -1, 1, -3}}, got[1]:totable())
    assert.same({{4}}, got[2]:totable())
    assert.same({{2, -3}}, got[3]:totable())
    assert.same({{1, 2, 3, 4}}, got[4]:totable())
  end)

  it("says what it cannot save", function()
    local function message(make)
      local x, z = inputs()
      local model = nn.Model{inputs = {x, z}, outputs = make(x, z)}
      local ok, text = pcall(model.save, model, path "no.keras")
      assert.is_false(ok)
      return text
    end
    local function says(part, make)
      local text = message(make)
      assert.is_truthy(text:find(part, 1, true), text)
    end
    says("save: nn.ops.argmax 'argmax' on symbolic tensors has no counterpart in Keras's files",
      function(x, z) return {ops.argmax{x, axis = 2}, z} end)
    says("nn.ops.take 'take': indices in a tensor cannot be saved", function(x, z)
      return ops.take{x, ops.cast(z, "int32"), axis = 2}
    end)
    says("nn.ops.add 'add': a Variable cannot be saved", function(x, z)
      return {ops.add(x, nn.Variable(nn.ones{6})), z}
    end)
    says("nn.ops.clip 'clip': inf is no number", function(x, z)
      return {ops.clip{x, 0, math.huge}, z}
    end)
  end)
end)

describe("a file with operations", function()
  local function load(module, class_name, config, arguments, shape)
    config.name = "op"
    local tensor = {class_name = "__keras_tensor__",
      config = {keras_history = core.json.array{"x", 0, 0}}}
    local layers = {{module = "keras.layers", class_name = "InputLayer", name = "x",
      config = {batch_shape = core.json.array(shape or {core.json.null, 6}), name = "x"},
      inbound_nodes = core.json.array{}}, {module = module, class_name = class_name, name = "op",
      config = config, inbound_nodes = core.json.array{{kwargs = {},
        args = core.json.array{tensor, table.unpack(arguments or {})}}}}}
    return pcall(nn.saving.model_from_json, core.json.encode{class_name = "Functional",
      module = "keras.src.models.functional", config = {name = "m",
      layers = core.json.array(layers), input_layers = core.json.array{"x", 0, 0},
      output_layers = core.json.array{"op", 0, 0}}})
  end

  local function refused(part, ...)
    local ok, text = load(...)
    assert.is_false(ok)
    assert.is_truthy(text:find(part, 1, true), text)
  end

  it("names what is looked up in vain", function()
    local numpy = "keras.src.ops.numpy"
    refused("the operation Nope of keras.src.ops.numpy is not supported", numpy, "Nope", {})
    refused("is not supported", numpy, "load", {})
    refused("is not supported", "keras.src.ops.core", "Map", {})
    refused("there is no class 'Add'", "os", "Add", {})
    refused("expected at most 2", numpy, "Add", {}, {1, 2, 3})
  end)

  it("cannot ask for work or memory beyond its size", function()
    local numpy = "keras.src.ops.numpy"
    refused("at most 64", numpy, "Diff", {n = 10000000})
    refused("not supported", numpy, "Linspace", {num = 100000000}, {1})
    refused("at most", "keras.src.ops.nn", "AdaptiveMaxPool", {output_size = 100000000}, {},
      {core.json.null, 6, 6})
    refused("at most", "keras.src.ops.math", "IRFFT", {fft_length = 100000000}, {}, {6})
  end)
end)

describe("the budget of a load", function()
  it("holds for tensors that are made on the way", function()
    local budget = require "nnlua.saving.budget"
    local ok, text = pcall(budget.within, 100, "here", false, core.full, {1 << 28}, 0)
    assert.is_false(ok)
    assert.is_truthy(text:find("more than a file may ask for", 1, true), text)
    ok = pcall(budget.within, 100, "here", false, function()
      for _ = 1, 2000 do core.full({1 << 18}, 0) end
    end)
    assert.is_false(ok)
    assert.is_true(pcall(core.full, {1 << 24}, 0)) -- it is over
  end)
end)
