-- Tables of models that are described here by hand: shapes and sizes by the layers' formulas.

local shared = require "spec.support.shared"
local summary = require "nnlua.summary"

local function variable(shape, trainable)
  return {shape = shape, dtype = "float32", trainable = trainable ~= false}
end

local function product(shape)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  return n
end

-- input shape without the batch, config -> output shape, weights
local LAYERS = {
  Dense = function(shape, c)
    local bias = c.use_bias ~= false and variable {c.units} or nil
    return {c.units}, {variable {shape[#shape], c.units}, bias}
  end,
  BatchNormalization = function(shape)
    local n = {shape[#shape]}
    return shape, {variable(n), variable(n), variable(n, false), variable(n, false)}
  end,
  LayerNormalization = function(shape)
    return shape, {variable {shape[#shape]}, variable {shape[#shape]}}
  end,
  Embedding = function(shape, c)
    return {shape[1], c.output_dim}, {variable {c.input_dim, c.output_dim}}
  end,
  GlobalAveragePooling1D = function(shape) return {shape[#shape]}, {} end,
  Concatenate = function(a, _, b) return {a[1] + b[1]}, {} end,
  Add = function(shape) return shape, {} end,
}
for _, name in ipairs {"ReLU", "Dropout", "Activation", "GaussianNoise"} do
  LAYERS[name] = function(shape) return shape, {} end
end

local function snake(name)
  return (name:gsub("(%l)(%u)", "%1_%2"):gsub("(%u)(%u%l)", "%1_%2"):lower())
end

local function namer()
  local seen = {}
  return function(class_name)
    local base = class_name == "ReLU" and "re_lu" or snake(class_name)
    local n = seen[base] or 0
    seen[base] = n + 1
    return n == 0 and base or base .. "_" .. n
  end
end

local function layer_of(class_name, config, name)
  return {class_name = class_name, name = config.name or name(class_name), built = false,
    trainable = config.trainable ~= false, weights = {}, inbound_nodes = {}, config = config,
    count_params = function(self)
      local n = 0
      for _, w in ipairs(self.weights) do n = n + product(w.shape) end
      return n
    end}
end

-- symbolic tensors have a metatable: that makes them leaves
local tensor_mt = {}

local function tensor(shape, node)
  return setmetatable({shape = shape, node = node, tensor_index = 1}, tensor_mt)
end

local function apply(layer, shape, second)
  local out, weights = LAYERS[layer.class_name](shape, layer.config, second)
  for _, w in ipairs(weights) do w.trainable = w.trainable and layer.trainable end
  layer.weights, layer.built = weights, true
  return out
end

-- A call of the layer: what a functional model and the table see of it.
local function call(layer, inputs, shape)
  local index = #layer.inbound_nodes + 1
  local node = {layer = layer, index = index, inputs = inputs}
  node.flat_outputs = {tensor({false, table.unpack(shape)}, node)}
  layer.inbound_nodes[index] = node
  return node
end

local function all_weights(model)
  local list = {}
  for _, layer in ipairs(model.layers) do
    table.move(layer.weights, 1, #layer.weights, #list + 1, list)
  end
  return list
end

local make_sequential

local function make_layer(entry, name)
  if entry.layers or entry.type == "sequential" then return nil, make_sequential(entry, name) end
  return layer_of(entry.class_name, entry.config, name)
end

function make_sequential(description, name, shape)
  local model = {name = name "Sequential", class_name = "Sequential", layers = {}, trainable = true,
    count_params = layer_of("x", {name = "x"}).count_params}
  for _, entry in ipairs(description.layers) do
    if entry.class_name == "Input" or entry.class_name == "InputLayer" then
      shape = entry.config.shape
    elseif entry.class_name == "Sequential" then
      local inner, out = make_sequential(entry.config, name, shape)
      model.layers[#model.layers + 1], shape = inner, out
    else
      if not LAYERS[entry.class_name] then return nil end
      local layer = make_layer(entry, name)
      shape = entry.config.input_shape or shape
      if shape then
        shape = apply(layer, shape)
        call(layer, {}, shape)
      end
      model.layers[#model.layers + 1] = layer
    end
  end
  model.weights, model.built = all_weights(model), shape ~= nil
  model.inbound_nodes = {}
  if shape then call(model, {}, shape) end
  return model, shape
end

local function make_functional(description, name)
  local model = {name = "functional", class_name = "Functional", layers = {}, nodes = {}}
  local at = {} -- id -> {layer, made, shape}
  for _, node in ipairs(description.nodes) do
    local layer, shape
    if node.class_name == "Input" then
      layer = layer_of("InputLayer", node.config, name)
      shape, layer.built = node.config.shape, true
    elseif node.layer_of then
      layer = at[node.layer_of].layer
    else
      layer = layer_of(node.class_name, node.config, name)
    end
    local inputs, shapes = {}, {}
    for i, id in ipairs(node.inputs or {}) do
      inputs[i], shapes[i] = at[id].made.flat_outputs[1], at[id].shape
    end
    shape = shape or apply(layer, shapes[1], shapes[2])
    local made = call(layer, inputs, shape)
    if node.inputs then model.nodes[#model.nodes + 1] = made end
    at[node.id] = {layer = layer, made = made, shape = shape}
    if not node.layer_of then model.layers[#model.layers + 1] = layer end
  end
  model.weights = all_weights(model)
  return model
end

local function with_adam(model)
  local variables = {{name = "iteration", shape = {}}, {name = "learning_rate", shape = {}}}
  for _, w in ipairs(model.weights) do
    variables[#variables + 1], variables[#variables + 2] = variable(w.shape), variable(w.shape)
  end
  model.optimizer = {built = true, variables = variables}
  return model
end

local function make(description)
  if description.type == "functional" then
    for _, node in ipairs(description.nodes) do
      if node.class_name and node.class_name ~= "Input" and not LAYERS[node.class_name] then
        return nil
      end
    end
    return make_functional(description, namer())
  end
  return (make_sequential(description, namer()))
end

describe("summary", function()
  local cases = shared.cases "training/transcripts/summaries.json"
  if not cases then
    pending(shared.ABSENT)
  else
    for _, case in ipairs(cases) do
      local model = make(case.model)
      if model then
        it(("draws Keras's table: %s, %s"):format(case.id, case.form), function()
          if case.id == "trained" then with_adam(model) end
          local options = {columns = 80, unicode = true}
          for key, value in pairs(case.arguments) do options[key] = value end
          assert.equal(shared.text("training/transcripts/" .. case.file),
            summary.render(model, options))
        end)
      end
    end
  end

  local function small()
    return make {type = "sequential", layers = {
      {class_name = "Dense", config = {units = 3, input_shape = {2}, name = "one"}},
      {class_name = "Dense", config = {units = 3, name = "two"}},
      {class_name = "Dense", config = {units = 1, name = "three"}},
    }}
  end

  it("shows a part of the layers", function()
    local text = summary.render(small(), {layer_range = {"two", "three"}, columns = 80})
    assert.is_nil(text:find("one (Dense)", 1, true))
    assert.is_truthy(text:find("two (Dense)", 1, true))
    assert.error_matches(function() summary.render(small(), {layer_range = {"two", "thre_"}}) end,
      "no layer is named 'thre_'; did you mean 'three'?", 1, true)
  end)

  it("is plain ASCII where the locale is", function()
    local text = summary.render(small(), {columns = 80, unicode = false, show_trainable = true})
    assert.is_nil(text:find "[\128-\255]")
    for line in text:gmatch "[^\n]+" do assert.is_true(#line <= 80) end
  end)

  it("fits the terminal", function()
    for columns = 40, 200, 13 do
      for line in summary.render(small(), {columns = columns, unicode = true}):gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= columns)
      end
    end
    assert.error_matches(function() summary.render(small(), {line_length = 10}) end,
      "summary: 10 characters are too few for the table")
  end)

  it("hands its text to print_fn", function()
    local got
    summary.print(small(), {print_fn = function(text) got = text end})
    assert.is_truthy(got:find('^Model: "sequential"\n'))
  end)

  it("refuses arguments that it does not know", function()
    assert.error_matches(function() summary.print(small(), {line_lenght = 80}) end,
      "summary: unknown argument 'line_lenght'; did you mean 'line_length'?", 1, true)
  end)

  it("writes shapes of unknown size", function()
    assert.equal("(None, 5)", summary.shape_text {nil, 5})
    assert.equal("(None, None, 5)", summary.shape_text {false, -1, 5})
    assert.equal("(None, None)", summary.shape_text {n = 2})
  end)
end)
