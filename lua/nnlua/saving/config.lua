-- Models as configurations (config.json of Keras) and back.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local objects = require "nnlua.saving.objects"
local operations = require "nnlua.saving.operations"
local tree = require "nnlua.tree"

local config = {}

local null = core.json.null

-- writing
-- ------------------------------------------------------------------------------------------

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
  local numbers, count, own = {}, {}, {}
  for _, node in ipairs(model.nodes) do own[node] = true end
  for _, t in ipairs(model.flat_inputs) do
    numbers[t.node], count[t.node.layer] = 0, 1
  end
  for _, layer in ipairs(model.layers) do
    for _, node in ipairs(layer.inbound_nodes or {}) do
      if own[node] and not numbers[node] then
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

-- A call's tensors as Keras passes them: in one list, each by itself, or the states apart.
local function call_config(layer, inputs, ctx)
  local kwargs = {}
  for _, name in ipairs {"training", "use_causal_mask", "return_attention_scores", "reverse"} do
    kwargs[name] = ctx[name]
  end
  if layer.tensor_arguments == "positions" and inputs[1] then
    return {args = core.json.array(inputs), kwargs = kwargs}
  elseif layer.tensor_arguments == "states" and inputs[1] then
    kwargs.initial_state = core.json.array(table.move(inputs, 2, #inputs, 1, {}))
    inputs = inputs[1]
  end
  if inputs[1] then inputs = core.json.array(inputs) end
  return {args = core.json.array{inputs}, kwargs = kwargs}
end

local function inbound(layer, calls, numbers)
  local list = {}
  for i, node in ipairs(calls or {}) do
    local given = tree.map(function(t) return tensor_config(t, numbers) end, node.inputs)
    list[i] = call_config(layer, given, node.ctx or {})
  end
  return core.json.array(list)
end

-- The model's nodes by their layer, each layer's in order.
local function calls_of(model)
  local calls = {}
  for _, node in ipairs(model.nodes) do
    calls[node.layer] = calls[node.layer] or {}
    table.insert(calls[node.layer], node)
  end
  return calls
end

local function as_given(given, numbers)
  if tree.is_leaf(given) then return history(given, numbers) end
  local out = tree.map(function(t) return history(t, numbers) end, given)
  return given[1] and core.json.array(out) or out
end

local function functional_config(model)
  local numbers, calls, layers = node_numbers(model), calls_of(model), {}
  for i, layer in ipairs(model.layers) do
    if layer.is_operation then
      layers[i] = operations.serialize(layer, function(t) return tensor_config(t, numbers) end)
    else
      layers[i] = objects.serialize(layer)
      layers[i].name = layer.name
      layers[i].inbound_nodes = inbound(layer, calls[layer], numbers)
    end
  end
  return {name = model.name, trainable = model.is_trainable, layers = core.json.array(layers),
    input_layers = as_given(model.inputs_as_given, numbers),
    output_layers = as_given(model.outputs_as_given, numbers)}
end

-- No more than what loading takes.
local function check_count(model)
  local most = require("nnlua.saving.rebuild").most_layers
  if #model.layers >= most then
    err.raise("save: the model has %d layers, at most %d can be saved", #model.layers, most - 1)
  end
end

--- The object of a model as data, ready for JSON.
function config.serialize_model(model)
  check_count(model)
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
  local own = model.free_config or {}
  local c = {name = model.name}
  for key, v in pairs(own) do c[key] = v end
  return {module = null, class_name = model.class_name, registered_name = name,
    config = objects.serialize_config(c), build_config = objects.build_config(model)}
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

--- The whole object with its compile configuration, and what else belongs to the model
--- (extra_config: key -> plain values; the feature space is one).
function config.full(model)
  local out, extra = config.serialize_model(model), rawget(model, "extra_config")
  out.compile_config = config.compile_config(model)
  if extra and next(extra) ~= nil then out.extra_config = extra end
  return out
end

--- The configuration as a Lua table (axes count from 0, as in Keras's files).
function config.model_config(model) return config.serialize_model(model).config end

--- The model as JSON text: architecture and compile arguments, without weights.
function config.to_json(model) return core.json.encode(config.full(model), true) end

-- reading ----------------------------------------------------------------------------------------

local function rebuild() return require "nnlua.saving.rebuild" end

function config.make_model(v) return rebuild().make_model(v) end
function config.compile(model, c) return rebuild().compile(model, c) end
function config.build(...) return rebuild().build(...) end
function config.with_custom(custom, f, ...) return rebuild().with_custom(custom, f, ...) end

--- nn.Sequential.from_config and nn.Model.from_config.
function config.model_from_config(cls, c, custom)
  local name = cls.class_name == "Sequential" and "Sequential" or c.input_layers and "Functional"
    or cls.class_name
  return config.with_custom(custom, config.make_model, {class_name = name, config = c})
end

--- A model from the text of to_json.
config.model_from_json = args.fn("model_from_json", "json_string, custom_objects=None",
  function(text, custom)
    local limits = require("nnlua.saving").current_limits or {}
    local v = core.json.decode(text, "model_from_json", limits)
    return config.build(v, {custom_objects = custom, compile = true}, limits.bytes or 1 << 32,
      "model_from_json")
  end)

return config
