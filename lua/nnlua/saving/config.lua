-- Models as configurations (config.json of Keras) and back.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"
local tree = require "nnlua.tree"

local config = {}

local null = core.json.null

-- writing
-- ------------------------------------------------------------------------------------------

local function symbolic() return require "nnlua.keras_tensor" end

local function serialize_layer(layer)
  local out = objects.serialize(layer)
  out.name = nil
  return out
end

local function sequential_config(model)
  local layers = {}
  if model.input_layer then layers[1] = serialize_layer(model.input_layer) end
  for _, layer in ipairs(model.layers) do layers[#layers + 1] = serialize_layer(layer) end
  local out = {name = model.name, trainable = model.is_trainable, dtype = {module = "keras",
    class_name = "DTypePolicy", config = {name = "float32"}, registered_name = null},
    layers = core.json.array(layers)}
  if model.flat_inputs then
    out.build_input_shape = objects.shape_list(model.flat_inputs[1].shape)
  end
  return out
end

-- A node's number among those of its layer that belong to the model (files count from 0).
local function node_numbers(model)
  local numbers, count = {}, {}
  for _, t in ipairs(model.flat_inputs) do
    numbers[t.node], count[t.node.layer] = 0, 1
  end
  for _, layer in ipairs(model.layers) do
    for _, node in ipairs(layer.inbound_nodes or {}) do
      local belongs = false
      for _, n in ipairs(model.nodes) do belongs = belongs or n == node end
      if belongs and not numbers[node] then
        numbers[node] = count[layer] or 0
        count[layer] = numbers[node] + 1
      end
    end
  end
  return numbers
end

local function history(t, numbers)
  return core.json.array{t.node.layer.name, numbers[t.node] or 0, t.tensor_index - 1}
end

local function tensor_config(t, numbers)
  return {class_name = "__keras_tensor__", config = {shape = objects.shape_list(t.shape),
    dtype = t.dtype, keras_history = history(t, numbers)}}
end

local function inbound(layer, model, numbers)
  local list = {}
  for _, node in ipairs(model.nodes) do
    if node.layer == layer then
      local inputs = tree.map(function(t) return tensor_config(t, numbers) end, node.inputs)
      if inputs[1] then inputs = core.json.array(inputs) end
      list[#list + 1] = {args = core.json.array{inputs}, kwargs = node.ctx and
        {training = node.ctx.training} or {}}
    end
  end
  return core.json.array(list)
end

local function as_given(given, numbers)
  if tree.is_leaf(given) then return history(given, numbers) end
  local out = tree.map(function(t) return history(t, numbers) end, given)
  return given[1] and core.json.array(out) or out
end

local function functional_config(model)
  local numbers, layers = node_numbers(model), {}
  for i, layer in ipairs(model.layers) do
    if layer.class_name and layer.sig then
      err.raise("save: the model calls nn.ops.%s on its symbolic tensors; put it into a layer",
        layer.sig.name)
    end
    layers[i] = objects.serialize(layer)
    layers[i].name = layer.name
    layers[i].inbound_nodes = inbound(layer, model, numbers)
  end
  return {name = model.name, trainable = model.is_trainable, layers = core.json.array(layers),
    input_layers = as_given(model.inputs_as_given, numbers),
    output_layers = as_given(model.outputs_as_given, numbers)}
end

--- The object of a model as data, ready for JSON.
function config.serialize_model(model)
  local Sequential = require "nnlua.sequential"
  if class.is(model, Sequential) then
    return {module = "keras", class_name = "Sequential", config = sequential_config(model),
      registered_name = null, build_config = model.flat_inputs
        and {input_shape = objects.shape_list(model.flat_inputs[1].shape)} or nil}
  elseif model.nodes then
    return {module = "keras.src.models.functional", class_name = "Functional",
      config = functional_config(model), registered_name = "Functional",
      build_config = {input_shape = null}}
  end
  local name = objects.registered_name(getmetatable(model))
  if not name then
    err.raise("save: the class %s is not registered; see nn.saving.register_serializable",
      model.class_name)
  end
  return {module = null, class_name = model.class_name, registered_name = name,
    config = objects.serialize_config(model.free_config or {name = model.name})}
end

--- What compile was given, nil when the model is not compiled.
function config.compile_config(model)
  local a = model.compiled_with
  if not a then return nil end
  local function plain(v)
    if v == nil then return null end
    return objects.serialize(v)
  end
  return {optimizer = objects.serialize(model.optimizer), loss = plain(a.loss),
    loss_weights = plain(a.loss_weights), metrics = plain(a.metrics),
    weighted_metrics = plain(a.weighted_metrics), run_eagerly = a.run_eagerly or false,
    steps_per_execution = a.steps_per_execution, jit_compile = false}
end

--- The whole object with its compile configuration.
function config.full(model)
  local out = config.serialize_model(model)
  out.compile_config = config.compile_config(model)
  return out
end

--- The configuration as a Lua table (axes count from 0, as in Keras's files).
function config.model_config(model) return config.serialize_model(model).config end

--- The model as JSON text: architecture and compile arguments, without weights.
function config.to_json(model) return core.json.encode(config.full(model), true) end

-- reading
-- ------------------------------------------------------------------------------------------

local function clean_shape(shape)
  local out = {}
  for i = 1, #shape do out[i] = math.tointeger(shape[i]) or false end
  return out
end

local function make_input(v)
  local c = v.config
  local shape = c.batch_shape or c.batch_input_shape
  err.check(type(shape) == "table", "load: an InputLayer without batch_shape")
  return symbolic().InputLayer{batch_shape = clean_shape(shape), name = c.name,
    dtype = type(c.dtype) == "string" and c.dtype or nil}
end

local function make_layer(v)
  if v.class_name == "InputLayer" then return make_input(v) end
  return objects.make(v)
end

local function make_sequential(v)
  local c = v.config
  local layers = {}
  for i, one in ipairs(c.layers or {}) do layers[i] = make_layer(one) end
  local model = require("nnlua.sequential"){layers = layers, name = c.name}
  local shape = c.build_input_shape
  if not model.nodes and type(shape) == "table" and #layers > 0 then
    model:build(clean_shape(shape))
  end
  if c.trainable == false then model.trainable = false end
  return model
end

local function resolve(made, ref)
  local node_list = made[ref[1]]
  local outputs = node_list and node_list[ref[2] + 1]
  local t = outputs and outputs[ref[3] + 1]
  return t or err.raise("load: the configuration refers to an output '%s' that no layer gives",
    tostring(ref[1]))
end

local function is_reference(v)
  return type(v) == "table" and type(v[1]) == "string" and math.type(v[2]) == "integer"
end

local function references(made, v)
  if is_reference(v) then return resolve(made, v) end
  local out = {}
  for key, one in pairs(v) do out[key] = references(made, one) end
  return out
end

-- Inputs of a call; nil while a layer that they come from has not been called yet.
local function call_inputs(made, v)
  if type(v) ~= "table" then return v end
  if v.class_name == "__keras_tensor__" then
    local ref = v.config.keras_history
    local outputs = made[ref[1]] and made[ref[1]][ref[2] + 1]
    return outputs and outputs[ref[3] + 1]
  end
  local out = {}
  for key, one in pairs(v) do
    local t = call_inputs(made, one)
    if t == nil then return nil end
    out[key] = t
  end
  return out
end

local function run_pending(pending, made)
  local progressed = false
  for i = #pending, 1, -1 do
    local p = pending[i]
    local node = p.nodes[p.done + 1]
    local inputs = call_inputs(made, node.args and node.args[1])
    if inputs ~= nil then
      local training = node.kwargs and node.kwargs.training
      local ctx = type(training) == "boolean" and {training = training} or nil
      made[p.name][p.done + 1] = tree.flatten(p.layer(inputs, ctx))
      p.done = p.done + 1
      if p.done == #p.nodes then table.remove(pending, i) end
      progressed = true
    end
  end
  return progressed
end

local function make_functional(v)
  local c, made, pending = v.config, {}, {}
  for _, one in ipairs(c.layers or {}) do
    local name = one.name or one.config.name
    made[name] = {}
    if one.class_name == "InputLayer" then
      made[name][1] = {make_input(one).output}
    else
      local nodes = one.inbound_nodes or {}
      if #nodes > 0 then
        table.insert(pending, 1, {name = name, layer = make_layer(one), nodes = nodes, done = 0})
      end
    end
  end
  while #pending > 0 do
    if not run_pending(pending, made) then
      err.raise("load: the calls of layer '%s' depend on each other", pending[1].name)
    end
  end
  local model = require("nnlua.model"){inputs = references(made, c.input_layers),
    outputs = references(made, c.output_layers), name = c.name}
  if c.trainable == false then model.trainable = false end
  return model
end

--- A model from {class_name, config}; weights are those of the initializers.
function config.make_model(v)
  err.check(type(v) == "table" and type(v.config) == "table", "load: this is no model configuration")
  if v.class_name == "Sequential" then return make_sequential(v) end
  if v.class_name == "Functional" or v.class_name == "Model" then return make_functional(v) end
  local cls = objects.find_class(v)
  return cls(objects.deserialize_config(v.config))
end

--- Compiles from compile_config.
function config.compile(model, c)
  if type(c) ~= "table" then return end
  local function plain(v)
    local value = objects.deserialize(v)
    if type(value) == "table" and next(value) == nil then return nil end
    return value
  end
  model:compile{optimizer = plain(c.optimizer), loss = plain(c.loss),
    loss_weights = plain(c.loss_weights), metrics = plain(c.metrics),
    weighted_metrics = plain(c.weighted_metrics), run_eagerly = c.run_eagerly == true,
    steps_per_execution = math.tointeger(c.steps_per_execution) or 1}
end

--- Runs f with custom objects in force.
function config.with_custom(custom, f, ...)
  local old = objects.custom
  objects.custom = custom
  local function finish(ok, ...)
    objects.custom = old
    if not ok then error((...), 0) end
    return ...
  end
  return finish(pcall(f, ...))
end

--- nn.Sequential.from_config and nn.Model.from_config.
function config.model_from_config(cls, c, custom)
  local name = cls.class_name == "Sequential" and "Sequential" or c.input_layers and "Functional"
    or cls.class_name
  return config.with_custom(custom, config.make_model, {class_name = name, config = c})
end

--- A model from the text of to_json.
config.model_from_json = args.fn("model_from_json", "json_string, custom_objects=None",
  function(text, custom)
    local v = core.json.decode(text, "model_from_json")
    return config.with_custom(custom, function()
      local model = config.make_model(v)
      config.compile(model, v.compile_config)
      return model
    end)
  end)

return config
