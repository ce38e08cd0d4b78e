-- Time is linear in the file: ten times the file takes less than thirty times the time, for files
-- that were made to be slow. CPU time counts, and what is done in no time at all passes.

local nn = require "nnlua"
local core = require "nnlua.core"
local inspect = require "nnlua.inspect"
local zip_bytes = require "spec.support.zip_bytes"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local json = core.json
local folder, path

local function write(name, text)
  path = files.write(folder .. "/" .. name, text)
end

local function seconds(f)
  local best = math.huge
  for _ = 1, 2 do
    collectgarbage()
    local start = os.clock()
    f()
    best = math.min(best, os.clock() - start)
    if best > 0.2 then break end
  end
  return best
end

-- make(n) writes the file; load() may fail, but with an error.
local function linear(n, make, load)
  local times = {}
  for k, size in ipairs {n, 10 * n} do
    make(size)
    times[k] = seconds(function() pcall(load) end)
  end
  assert.is_true(times[2] < 30 * math.max(times[1], 0.01),
    ("%.3f s, ten times the size %.3f s"):format(times[1], times[2]))
  nn.utils.clear_session()
end

local one = core.new({1}, "float32")

local function load_model() nn.saving.load_model(path) end
local function look() inspect.file(path) end

local function keras(config, items)
  path = folder .. "/m.keras"
  core.behind.zip(path, {{"config.json", json.encode(config)},
    {"model.weights.h5", core.hdf5.encode(items or {{"group", "layers"}})}}):wait()
end

local function list(n, f)
  local out = {}
  for i = 1, n do out[i] = f(i) end
  return out
end

local function sequential(layers, more)
  local config = more or {}
  config.class_name = "Sequential"
  config.config = {name = "s", layers = json.array(layers)}
  return config
end

local function input(name)
  return {class_name = "InputLayer", inbound_nodes = json.array{},
    config = {batch_shape = json.array{json.null, 1}, name = name}}
end

local function activation(i, nodes)
  return {class_name = "Activation", config = {name = "a" .. i, activation = "relu"},
    inbound_nodes = nodes}
end

local function call(name, node)
  return {args = json.array{{class_name = "__keras_tensor__",
    config = {keras_history = json.array{name, node, 0}}}}, kwargs = {}}
end

describe("loading is linear in", function()
  setup(function() folder = scratch.make() end)
  teardown(function() scratch.remove(folder) end)

  it("the tensors of a safetensors file", function()
    local function make(n)
      path = folder .. "/m.safetensors"
      core.safetensors.save(path, list(n, function(i) return {"t" .. i, one} end), {})
    end
    linear(3000, make, look)
  end)

  it("the arrays of a .npz", function()
    local function make(n)
      path = folder .. "/m.npz"
      core.zip.save_npz(path, list(n, function(i) return {"t" .. i, one} end))
    end
    linear(3000, make, look)
  end)

  it("members whose names collide in usual hash tables", function()
    linear(3000, function(n) -- "Aa" and "B@" are the same to h * 33 + c
      write("m.keras", zip_bytes.archive(list(n, function(i)
        local name = {}
        for bit = 0, 15 do name[bit + 1] = i >> bit & 1 == 1 and "Aa" or "B@" end
        return {name = table.concat(name), data = ""}
      end)))
    end, function() core.zip.open(path) end)
  end)

  it("the objects of an HDF5 file, and paths with a long name in common", function()
    local function make(n, name)
      path = folder .. "/m.weights.h5"
      core.hdf5.save(path, list(n, function(i) return {"tensor", name .. "/" .. i, one} end))
    end
    linear(3000, function(n) make(n, "g") end, look)
    make(2000, ("x"):rep(50000)) -- paths of 100 MB in a file of 1 MB
    assert.has_error(look)
    assert.matches("paths are long beyond reason", select(2, pcall(look)))
  end)

  it("the attributes of an HDF5 file", function()
    linear(50, function(n)
      local items = {}
      for i = 1, n do
        for k = 1, 40 do items[#items + 1] = {"text", "g" .. i, "a" .. k, ("x"):rep(90)} end
      end
      path = folder .. "/m.weights.h5"
      core.hdf5.save(path, items)
    end, look)
  end)

  it("escapes, digits, keys and brackets of JSON", function()
    local text
    local function decode() json.decode(text) end
    for _, make in ipairs {
      function(n) return '"' .. ("\\u0041"):rep(n) .. '"' end,
      function(n) return '"' .. ("\\u0041"):rep(n) end, -- not closed
      function(n) return ("1"):rep(n) end, function(n) return "0." .. ("1"):rep(n) end,
      function(n) return ("["):rep(n) end, function(n) return ("\n"):rep(n) .. "x" end,
      function(n) return "[" .. ("[],"):rep(n) .. "[]]" end,
      function(n)
        return "{" .. table.concat(list(n, function(i) return '"' .. i .. '":1' end), ",") .. "}"
      end,
      function(n) -- a key that stands twice, at the end
        return "{" .. table.concat(list(n, function(i) return '"' .. i .. '":1' end), ",")
          .. ',"1":2}'
      end,
    } do
      linear(30000, function(n) text = make(n) end, decode)
    end
  end)

  it("layers in a row", function()
    linear(300, function(n)
      local layers = list(n, activation)
      table.insert(layers, 1, input "in")
      keras(sequential(layers))
    end, load_model)
    linear(300, function(n) keras(sequential(list(n, function(i)
      return {class_name = "Sequential", config = {name = "m" .. i, layers = json.array{}}}
    end))) end, load_model)
  end)

  it("layers with weights", function()
    local function dense(i)
      return {class_name = "Dense", config = {name = "d" .. i, units = 1, use_bias = false}}
    end
    local matrix = core.new({{1}}, "float32")
    linear(300, function(n)
      local layers = list(n, dense)
      table.insert(layers, 1, input "in")
      keras(sequential(layers), list(n, function(i)
        return {"tensor", ("layers/dense%s/vars/0"):format(i > 1 and "_" .. i - 1 or ""), matrix}
      end))
    end, load_model)
    linear(300, function(n) -- the legacy layout
      local layers = list(n, dense)
      table.insert(layers, 1, input "in")
      local items = {{"text", "", "model_config", json.encode(sequential(layers))},
        {"texts", "model_weights", "layer_names", list(n, function(i) return "d" .. i end)}}
      for i = 1, n do
        items[#items + 1] = {"tensor", ("model_weights/d%d/k"):format(i), matrix}
        items[#items + 1] = {"texts", "model_weights/d" .. i, "weight_names", {"k"}}
      end
      path = folder .. "/m.h5"
      core.hdf5.save(path, items)
    end, load_model)
  end)

  it("calls of a functional model", function()
    linear(300, function(n) -- a chain
      local layers = list(n, function(i)
        return activation(i, json.array{call("a" .. (i - 1), 0)})
      end)
      table.insert(layers, 1, input "a0")
      keras{class_name = "Functional", config = {name = "f", layers = json.array(layers),
        input_layers = json.array{"a0", 0, 0}, output_layers = json.array{"a" .. n, 0, 0}}}
    end, load_model)
    linear(300, function(n) -- one layer, many times
      local nodes = list(n, function(i) return call("a1", i - 2) end)
      nodes[1] = call("a0", 0)
      keras{class_name = "Functional", config = {name = "f", input_layers = json.array{"a0", 0, 0},
        layers = json.array{input "a0", activation(1, json.array(nodes))},
        output_layers = json.array{"a1", n - 1, 0}}}
    end, load_model)
  end)

  it("nodes of ONNX", function()
    local B = require "spec.support.onnx_bytes"
    linear(1000, function(n)
      local nodes = list(n, function(i) return B.node("Relu", {"h" .. (i - 1)}, {"h" .. i}) end)
      table.insert(nodes, B.node("MatMul", {"h" .. n, "w"}, {"y"}))
      write("m.onnx", B.model{nodes = nodes, inputs = {B.value("h0", {"n", 1})},
        outputs = {B.value("y", {"n", 1})}, tensors = {B.tensor("w", {1, 1}, 1, B.raw("<f", {1}))}})
    end, look)
  end)
end)

describe("a file cannot repeat what it holds:", function()
  local function legacy(layer_names, weight_names)
    path = folder .. "/m.h5"
    core.hdf5.save(path, {{"text", "", "model_config", json.encode(sequential{input "in"})},
      {"texts", "model_weights", "layer_names", layer_names},
      {"texts", "model_weights/a", "weight_names", weight_names},
      {"tensor", "model_weights/a/k", one}})
  end

  setup(function() folder = scratch.make() end)
  teardown(function() scratch.remove(folder) end)

  it("a list names each layer and each data set once", function()
    legacy({"a", "a"}, {"k"})
    assert.matches("layer 'a' is listed twice", select(2, pcall(load_model)))
    legacy({"a"}, {"k", "/k"})
    assert.matches("/k is listed twice", select(2, pcall(load_model)))
  end)

  it("long names are not repeated in the paths of variables", function()
    keras(sequential({input "in"}, {name = "x"}))
    load_model()
    keras(sequential{input "in", activation(("x"):rep(1000))})
    assert.matches("a name of 1001 bytes, at most 512", select(2, pcall(load_model)))
  end)

  it("initializers, whose work grows faster than the file, do not run", function()
    local n = 700
    local model = nn.Sequential{nn.layers.Input{shape = {n}},
      nn.layers.Dense{n, kernel_initializer = "zeros", use_bias = false}}
    model:save(folder .. "/m.keras")
    local zip = core.zip.open(folder .. "/m.keras")
    local config = zip:read("config.json"):gsub('"Zeros"', '"Orthogonal"')
    core.behind.zip(folder .. "/o.keras", {{"config.json", config},
      {"model.weights.h5", zip:read "model.weights.h5"}}):wait()
    path = folder .. "/o.keras"
    local own = seconds(function() nn.initializers.Orthogonal{}({n, n}) end)
    local load = seconds(load_model)
    assert.is_true(load < own / 2, ("%.3f s, the initializer alone takes %.3f s"):format(load, own))
  end)
end)
