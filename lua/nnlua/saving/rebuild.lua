-- Models from configurations: layers are made from fixed tables, then called as they were. Work is
-- in proportion to the configuration's size.

local budget = require "nnlua.saving.budget"
local core = require "nnlua.core"
local err = require "nnlua.err"
local names = require "nnlua.names"
local objects = require "nnlua.saving.objects"
local operations = require "nnlua.saving.operations"
local tree = require "nnlua.tree"

local rebuild = {}

local null = core.json.null
local metric_bytes = 1 << 26 -- what metrics that a file names may take

rebuild.most_layers = 10000 -- of one model

local function symbolic() return require "nnlua.keras_tensor" end

-- layers -----------------------------------------------------------------------------------------

local function clean_shape(shape)
  local out = {}
  for i = 1, #shape do out[i] = math.tointeger(shape[i]) or false end
  return out
end

local function is_shape(v)
  if type(v) ~= "table" or #v == 0 then return false end
  for i = 1, #v do
    if v[i] ~= null and math.tointeger(v[i]) == nil then return false end
  end
  return true
end

local function make_input(v)
  local c = v.config
  local shape = c.batch_shape or c.batch_input_shape
  if not is_shape(shape) then err.raise("load: an InputLayer without batch_shape") end
  return symbolic().InputLayer{batch_shape = clean_shape(shape), name = c.name,
    dtype = type(c.dtype) == "string" and c.dtype or nil}
end

-- What Lua says where a value is not of the kind that the code expects.
local internal = {"^attempt to ", "^bad argument #", "^number has no ", "^stack overflow",
  "^'for' ", "^C stack overflow", "^error in error handling"}

local function without_place(text)
  text = err.text(text)
  for _, pattern in ipairs(internal) do
    if text:find(pattern) then
      return ("the configuration has a value of the wrong kind (%s)"):format(text)
    end
  end
  return text
end

local function name_of(v)
  local name = v.name or (type(v.config) == "table" and v.config.name)
  return type(name) == "string" and name or nil
end

local function check_name(v)
  local name = type(v.config) == "table" and v.config.name
  if type(name) == "string" then names.check(name, "load") end
end

-- Errors of a layer's constructor say which layer of the file it is.
local function make_layer(v)
  if type(v) ~= "table" or type(v.config) ~= "table" then
    err.raise("load: a layer without config")
  end
  check_name(v)
  local make = v.class_name == "InputLayer" and make_input or objects.make
  local ok, layer = pcall(make, v)
  if not ok then
    local text = without_place(layer):gsub("^load: ", "")
    local name = name_of(v)
    err.raise("%s", name and ("layer '%s': %s"):format(name, text) or text)
  end
  return layer
end

local function check_layers(layers)
  if type(layers) ~= "table" then err.raise("load: a model without a list of layers") end
  if #layers > rebuild.most_layers then
    err.raise("load: %d layers, at most %d are possible", #layers, rebuild.most_layers)
  end
  return layers
end

-- Sequential -------------------------------------------------------------------------------------

local function make_sequential(v)
  local c = v.config
  if c[1] ~= nil then c = {layers = c} end -- files of the first versions: the list alone
  local layers = {}
  for i, one in ipairs(check_layers(c.layers or {})) do layers[i] = make_layer(one) end
  local model = require("nnlua.sequential"){layers = layers, name = c.name}
  if not model.nodes and is_shape(c.build_input_shape) and #model.list > 0 then
    model:build(clean_shape(c.build_input_shape))
  end
  if c.trainable == false then model.trainable = false end
  return model
end

-- functional models ------------------------------------------------------------------------------

local function is_reference(v)
  return type(v) == "table" and type(v[1]) == "string" and math.type(v[2]) == "integer"
    and math.type(v[3]) == "integer"
end

local function output_at(made, ref)
  local outputs = made[ref[1]] and made[ref[1]][ref[2] + 1]
  return outputs and outputs[ref[3] + 1]
end

local function references(made, v)
  if is_reference(v) then
    return output_at(made, v) or err.raise("load: the configuration refers to an output '%s' that "
      .. "no layer gives", v[1])
  end
  if type(v) ~= "table" then err.raise("load: this is no list of outputs: %s", err.show(v)) end
  local out = {}
  for key, one in pairs(v) do out[key] = references(made, one) end
  return out
end

-- Before Keras 3 a call was a list of {layer, node, tensor, arguments}.
local function modern_node(node)
  if type(node) ~= "table" then err.raise("load: a call that is no table") end
  if node.args or node[1] == nil then
    for _, key in ipairs {"args", "kwargs"} do
      local v = node[key]
      if v ~= nil and type(v) ~= "table" then
        err.raise("load: the %s of a call are %s, expected a table", key, err.show(v))
      end
    end
    return node
  end
  local list, given = {}, {}
  for i, one in ipairs(is_reference(node) and {node} or node) do
    if not is_reference(one) then err.raise("load: a call that names no layer") end
    list[i] = {class_name = "__keras_tensor__", config = {keras_history = one}}
    given = type(one[4]) == "table" and one[4] or given
  end
  return {args = {#list == 1 and list[1] or list}, kwargs = given}
end

local function is_tensor_config(v)
  return type(v) == "table" and v.class_name == "__keras_tensor__" and type(v.config) == "table"
    and is_reference(v.config.keras_history)
end

-- f(history) for every tensor in the arguments of a call.
local function each_tensor(f, v)
  if type(v) ~= "table" then return end
  if is_tensor_config(v) then return f(v.config.keras_history) end
  for _, one in pairs(v) do each_tensor(f, one) end
end

local function with_tensors(made, v)
  if type(v) ~= "table" then return v ~= null and v or nil end
  if is_tensor_config(v) then return output_at(made, v.config.keras_history) end
  local out = {}
  for key, one in pairs(v) do out[key] = with_tensors(made, one) end
  return out
end

local switches = {training = true, use_causal_mask = true, return_attention_scores = true,
  reverse = true}

-- Tensors that Keras passes by name stand behind the others here, in this order.
local tensor_names = {"value", "key", "initial_state"}
local tensors_by_name = {value = true, key = true, initial_state = true}

local function add_named(inputs, made, v)
  local more = with_tensors(made, v)
  if is_tensor_config(v) then more = {more} end
  local list = inputs[1] and table.move(inputs, 1, #inputs, 1, {}) or {inputs}
  return table.move(more, 1, #more, #list + 1, list)
end

local function call_arguments(made, node, name)
  local given = node.args or {}
  local inputs = with_tensors(made, #given == 1 and given[1] or given)
  local ctx
  for _, key in ipairs(tensor_names) do
    local v = (node.kwargs or {})[key]
    if v ~= nil and v ~= null then inputs = add_named(inputs, made, v) end
  end
  for key, v in pairs(node.kwargs or {}) do
    if switches[key] and type(v) == "boolean" then
      ctx = ctx or {}
      ctx[key] = v
    elseif v ~= null and key ~= "training" and not tensors_by_name[key] then
      err.raise("load: the call of layer '%s' passes '%s', which is not supported", name, key)
    end
  end
  return inputs, ctx
end

-- Calls that wait: each knows how many outputs it lacks; an output knows who waits for it.
local function add_call(graph, layer_entry, index, node)
  local call = {entry = layer_entry, index = index, node = modern_node(node), missing = 0}
  local seen = {}
  each_tensor(function(ref)
    local key = ref[1] .. "\0" .. ref[2]
    local source = graph.made[ref[1]]
    if not source then err.raise("load: layer '%s' takes the output of '%s', which the model lacks",
      layer_entry.name, ref[1]) end
    if not seen[key] and not source[ref[2] + 1] then
      seen[key] = true
      call.missing = call.missing + 1
      graph.waiting[key] = graph.waiting[key] or {}
      table.insert(graph.waiting[key], call)
    end
  end, {call.node.args, call.node.kwargs})
  layer_entry.calls[index] = call
  graph.count = graph.count + 1
end

local function ready(call) return call.missing == 0 and call.entry.done == call.index - 1 end

-- The call of an operation makes the layer that the model has of it.
local function run_operation(graph, entry, node)
  local out = operations.call(entry.operation, entry.config, node, function(v)
    if is_tensor_config(v) then return output_at(graph.made, v.config.keras_history) end
  end)
  graph.order[entry.place] = tree.flatten(out)[1].node.layer
  return out
end

local function run_layer(graph, entry, node)
  local inputs, ctx = call_arguments(graph.made, node, entry.name)
  if type(inputs) ~= "table" or next(inputs) == nil then
    err.raise("load: the call of layer '%s' passes no tensor", entry.name)
  end
  return entry.layer(inputs, ctx)
end

local function run_call(graph, call, queue)
  local entry = call.entry
  local run = entry.operation and run_operation or run_layer
  local ok, out = pcall(run, graph, entry, call.node)
  if not ok then
    err.raise("layer '%s': %s", entry.name, without_place(out))
  end
  graph.made[entry.name][call.index] = tree.flatten(out)
  entry.done, graph.count = call.index, graph.count - 1
  for _, waiter in ipairs(graph.waiting[entry.name .. "\0" .. (call.index - 1)] or {}) do
    waiter.missing = waiter.missing - 1
    if ready(waiter) then queue[#queue + 1] = waiter end
  end
  local following = entry.calls[call.index + 1]
  if following and ready(following) and not following.queued then
    queue[#queue + 1] = following
  end
end

local function run_calls(graph)
  local queue, at = {}, 1
  for _, entry in ipairs(graph.entries) do
    if entry.calls[1] and ready(entry.calls[1]) then queue[#queue + 1] = entry.calls[1] end
  end
  while queue[at] do
    local call = queue[at]
    if not call.queued then
      call.queued = true
      run_call(graph, call, queue)
    end
    at = at + 1
  end
  if graph.count > 0 then err.raise("load: the calls of the model's layers wait for each other") end
end

local function read_layers(c)
  local graph = {made = {}, waiting = {}, entries = {}, order = {}, count = 0}
  for i, one in ipairs(check_layers(c.layers)) do
    local operation = type(one) == "table" and type(one.config) == "table" and operations.find(one)
    local layer = not operation and make_layer(one)
    local name = name_of(one) or layer and layer.name or one.class_name
    if graph.made[name] then err.raise("load: two layers are named '%s'", name) end
    graph.made[name] = {}
    graph.order[i] = layer
    if one.class_name == "InputLayer" then
      graph.made[name][1] = {layer.output}
    else
      local nodes = one.inbound_nodes or {}
      if type(nodes) ~= "table" then
        err.raise("load: inbound_nodes of layer '%s' are %s, expected a list", name,
          err.show(nodes))
      end
      table.insert(graph.entries, {name = name, layer = layer, calls = {}, done = 0,
        operation = operation, config = one.config, place = i, nodes = nodes})
    end
  end
  for _, entry in ipairs(graph.entries) do
    for i, node in ipairs(entry.nodes) do add_call(graph, entry, i, node) end
  end
  return graph
end

-- The layers in the file's order, by which its weights are named.
local function keep_order(model, order)
  local known, count = {}, 0
  for _, layer in ipairs(model.layer_list) do known[layer] = true end
  for _, layer in ipairs(order) do count = count + (known[layer] and 1 or 0) end
  if count == #model.layer_list and count == #order then rawset(model, "layer_list", order) end
end

local function is_old(c)
  for _, one in ipairs(c.layers) do
    local node = type(one.inbound_nodes) == "table" and one.inbound_nodes[1]
    if type(node) == "table" and node[1] ~= nil then return true end
  end
end

-- Old files list a single input or output too.
local function unwrapped(v, old)
  if old and type(v) == "table" and #v == 1 and is_reference(v[1]) then return v[1] end
  return v
end

local function make_functional(v)
  local c = v.config
  check_layers(c.layers)
  local graph, old = read_layers(c), is_old(c)
  run_calls(graph)
  local model = require("nnlua.model"){inputs = references(graph.made,
    unwrapped(c.input_layers, old)), outputs = references(graph.made,
    unwrapped(c.output_layers, old)), name = c.name}
  keep_order(model, graph.order)
  if c.trainable == false then model.trainable = false end
  return model
end

-- models -----------------------------------------------------------------------------------------

local function make_own(v)
  local model = objects.make(v)
  local shape = type(v.build_config) == "table" and v.build_config.input_shape
  if model.is_model and not model.built and type(shape) == "table" then
    model:build(is_shape(shape) and clean_shape(shape) or tree.map(function(s) return s end,
      shape))
  end
  return model
end

--- A model from {class_name, config}; weights are those of the initializers.
function rebuild.make_model(v)
  if type(v) ~= "table" or type(v.config) ~= "table" then
    err.raise("load: this is no configuration of a model")
  end
  check_name(v)
  if v.class_name == "Sequential" then return make_sequential(v) end
  if v.class_name == "Functional" or v.class_name == "Model" then return make_functional(v) end
  return make_own(v)
end

--- Compiles from compile_config.
function rebuild.compile(model, c)
  if type(c) ~= "table" or c.optimizer == nil then return end
  local function plain(key)
    local value = objects.deserialize(c[key], key)
    if type(value) == "table" and next(value) == nil then return nil end
    return value
  end
  model:compile{optimizer = plain "optimizer", loss = plain "loss",
    loss_weights = plain "loss_weights", metrics = plain "metrics",
    weighted_metrics = plain "weighted_metrics", run_eagerly = c.run_eagerly == true,
    steps_per_execution = math.tointeger(c.steps_per_execution) or 1}
end

--- Runs f with custom objects in force.
function rebuild.with_custom(custom, f, ...)
  local old = objects.custom
  objects.custom = custom or old
  local function finish(ok, ...)
    objects.custom = old
    if not ok then error((...), 0) end
    return ...
  end
  return finish(pcall(f, ...))
end

--- The compiled model of a file. options: custom_objects, compile; limits, whose bytes cap the
--- weights too; blank, when values for all weights follow. bytes: what its weights may take. where:
--- begins error texts.
function rebuild.build(object, options, bytes, where)
  bytes = math.min(bytes, options.limits and options.limits.bytes or bytes)
  local function make()
    local model = budget.within(bytes, where, options.blank, rebuild.make_model, object)
    if options.compile then
      budget.within(metric_bytes, where, false, rebuild.compile, model, object.compile_config)
    end
    if type(object.extra_config) == "table" then
      objects.check_plain(object.extra_config)
      rawset(model, "extra_config", object.extra_config)
    end
    return model
  end
  local ok, model = pcall(rebuild.with_custom, options.custom_objects, make)
  if ok then return model end
  local text = without_place(model):gsub("^load: ", "")
  if text:sub(1, #where) == where then err.raise("%s", text) end
  return err.raise("%s: %s", where, text)
end

return rebuild
