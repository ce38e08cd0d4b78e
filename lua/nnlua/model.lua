-- Models: layers that know their layers, and train (nnlua.trainer). `nn.Model{inputs=, outputs=}`
-- is a functional model; `nn.Model:extend("Name")` with `call` a model of one's own.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.core"
local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"
local Layer = require "nnlua.layers.layer"
local symbolic = require "nnlua.keras_tensor"

---@class nn.Model: nn.Layer
---@field layers nn.Layer[]
---@field stop_training boolean
local Model = Layer:extend("Model", {
  args = "inputs=None, outputs=None, name=None", is_model = true,
})

-- the graph of calls -----------------------------------------------------------------------------

-- Nodes that lead from the inputs to the outputs, each with its depth: 0 at the outputs.
local function find_nodes(inputs, outputs)
  local depth, order, at_input = {}, {}, {}
  for _, t in ipairs(inputs) do at_input[t] = true end
  local state = {}
  local function visit(t)
    local node = t.node
    if at_input[t] or not node or state[node] then return end
    state[node] = true
    for _, source in ipairs(tree.flatten(node.inputs)) do visit(source) end
    order[#order + 1] = node
  end
  for _, t in ipairs(outputs) do visit(t) end
  local input_nodes = {}
  for i, t in ipairs(inputs) do input_nodes[i] = t.node end
  for i = #order, 1, -1 do
    local node = order[i]
    depth[node] = depth[node] or 0
    for _, source in ipairs(tree.flatten(node.inputs)) do
      local from = source.node
      if from then depth[from] = math.max(depth[from] or 0, depth[node] + 1) end
    end
  end
  return order, input_nodes, depth
end

-- Layers by depth, inputs first; equal depths in the order in which the traversal met them.
local function order_layers(order, input_nodes, depth)
  local met, layer_depth, list = {}, {}, {}
  local function meet(layer, d)
    if not met[layer] then
      list[#list + 1] = layer
      met[layer] = #list
    end
    layer_depth[layer] = math.max(layer_depth[layer] or 0, d)
  end
  for _, node in ipairs(input_nodes) do meet(node.layer, depth[node] or 0) end
  for _, node in ipairs(order) do meet(node.layer, depth[node]) end
  local function is_input(l) return class.is(l, symbolic.InputLayer) and 1 or 0 end
  table.sort(list, function(a, b)
    if layer_depth[a] ~= layer_depth[b] then return layer_depth[a] > layer_depth[b] end
    if is_input(a) ~= is_input(b) then return is_input(a) > is_input(b) end
    return met[a] < met[b]
  end)
  return list
end

local function check_unique(name, layers)
  local seen = {}
  for _, layer in ipairs(layers) do
    if seen[layer.name] and seen[layer.name] ~= layer then
      err.raise("%s: two layers are named '%s'", name, layer.name)
    end
    seen[layer.name] = layer
  end
end

Model.check_unique = check_unique

local function check_connected(self, order)
  local inputs = {}
  for _, t in ipairs(self.flat_inputs) do inputs[t] = true end
  local reached = {}
  for _, node in ipairs(order) do
    for _, t in ipairs(tree.flatten(node.inputs)) do
      if inputs[t] or reached[t] then
        for _, y in ipairs(node.flat_outputs) do reached[y] = true end
      end
    end
  end
  for _, t in ipairs(self.flat_outputs) do
    if not inputs[t] and not reached[t] then
      err.raise("Model: the output does not depend on the inputs")
    end
  end
  for _, node in ipairs(order) do
    for _, t in ipairs(tree.flatten(node.inputs)) do
      if not inputs[t] and class.is(t.node.layer, symbolic.InputLayer) then
        err.raise("Model: the output depends on the input '%s', which is not among the inputs",
          t.node.layer.name)
      end
    end
  end
end

--- Fixes inputs and outputs (symbolic tensors, lists or tables of them).
function Model:set_graph(inputs, outputs)
  for _, t in ipairs(tree.flatten({inputs, outputs})) do
    if not class.is(t, symbolic.KerasTensor) then
      err.raise("Model: inputs and outputs are symbolic tensors, got %s", err.show(t))
    end
  end
  rawset(self, "inputs_as_given", inputs)
  rawset(self, "outputs_as_given", outputs)
  rawset(self, "flat_inputs", tree.flatten(inputs))
  rawset(self, "flat_outputs", tree.flatten(outputs))
  local order, input_nodes, depth = find_nodes(self.flat_inputs, self.flat_outputs)
  check_connected(self, order)
  rawset(self, "nodes", order)
  rawset(self, "node_depth", depth)
  rawset(self, "layer_list", order_layers(order, input_nodes, depth))
  rawset(self, "input_names", {})
  rawset(self, "output_names", {})
  for i, t in ipairs(self.flat_inputs) do self.input_names[i] = t.node.layer.name end
  for i, t in ipairs(self.flat_outputs) do self.output_names[i] = t.node.layer.name end
  self.built = true
end

function Model:init(a)
  Layer.init(self, a)
  if rawget(a, "inputs") or rawget(a, "outputs") then
    if self.class_name == "Model" then self.class_name = "Functional" end
    if self.auto_named then self.name = require("nnlua.names").unique("functional") end
    err.check(a.inputs, "Model: inputs is missing")
    err.check(a.outputs, "Model: outputs is missing")
    self:set_graph(a.inputs, a.outputs)
    check_unique("Model", self.layer_list)
  end
end

-- inputs of a call, in the model's order
-- -----------------------------------------------------------

local function match_rank(x, want)
  local n = x.ndim
  if n == #want + 1 and x.shape[n] == 1 then return require("nnlua.ops").squeeze(x, -1) end
  if n == #want - 1 and want[#want] == 1 then return require("nnlua.ops").expand_dims(x, -1) end
  return x
end

--- The model's inputs as a flat list from what a caller passes: one, a list or a table by name.
function Model:flatten_inputs(x, where)
  local names, count = self.input_names, #self.flat_inputs
  where = where or "call"
  if core.is_tensor(x) then
    if count ~= 1 then
      err.raise("%s: the model has %d inputs (%s) but x is one tensor", where, count,
        table.concat(names, ", "))
    end
    return {x}
  end
  local list = {}
  if x[1] == nil then
    local keys = {}
    for i, k in ipairs(tree.keys(x)) do keys[i] = tostring(k) end
    for i, name in ipairs(names) do
      local key = name
      if x[key] == nil and not tree.is_leaf(self.inputs_as_given) then
        for k, t in pairs(self.inputs_as_given) do if t == self.flat_inputs[i] then key = k end end
      end
      if x[key] == nil then
        err.raise("%s: x has no '%s'; its keys are %s", where, name, table.concat(keys, ", "))
      end
      list[i] = x[key]
    end
    return list
  end
  list = tree.flatten(x)
  if #list ~= count then
    err.raise("%s: the model has %d inputs (%s) but x is a list of %d", where, count,
      table.concat(names, ", "), #list)
  end
  return list
end

-- running ----------------------------------------------------------------------------------------

local function run_nodes(self, values, ctx)
  for _, node in ipairs(self.nodes) do
    if not values[node.flat_outputs[1]] then
      local inputs = tree.map(function(t) return values[t] end, node.inputs)
      local call_ctx = ctx
      if node.ctx then
        call_ctx = {}
        for k, v in pairs(ctx or {}) do call_ctx[k] = v end
        for k, v in pairs(node.ctx) do call_ctx[k] = v end
      end
      local y = node.layer(inputs, call_ctx)
      for i, t in ipairs(tree.flatten(y)) do values[node.flat_outputs[i]] = t end
    end
  end
end

function Model:call(x, ctx)
  if not self.nodes then err.raise("%s: the model has no call(x, ctx)", self.class_name) end
  local values = {}
  for i, t in ipairs(self:flatten_inputs(x)) do
    values[self.flat_inputs[i]] = match_rank(t, self.flat_inputs[i].shape)
  end
  run_nodes(self, values, ctx and {training = ctx.training} or nil)
  return tree.map(function(t) return values[t] end, self.outputs_as_given)
end

function Model:check_inputs() end

function Model:output_spec(input_shape, dtypes)
  if not self.nodes then return symbolic.spec_of(self, input_shape, dtypes) end
  local exact = true
  for i, t in ipairs(self.flat_inputs) do
    local shape = tree.is_leaf(self.inputs_as_given) and input_shape or input_shape[i]
    exact = exact and type(shape) == "table" and shapes.same(shape, t.shape)
  end
  if not exact then return symbolic.spec_of(self, input_shape, dtypes) end
  return tree.map(function(t) return {shape = t.shape, dtype = t.dtype, leaf = true} end,
    self.outputs_as_given)
end

-- what a model shows
-- -------------------------------------------------------------------------------

function Model:ordered_sublayers() return self.layer_list or self.sublayers end

Model.getters.layers = function(self)
  local list = {}
  for i, layer in ipairs(self:ordered_sublayers()) do list[i] = layer end
  return list
end

local function one_or_all(given, flat)
  if given == nil then return nil end
  return tree.is_leaf(given) and flat[1] or flat
end

Model.getters.inputs = function(self) return self.flat_inputs end
Model.getters.outputs = function(self) return self.flat_outputs end
Model.getters.input_shape = function(self)
  return self.flat_inputs and one_or_all(self.inputs_as_given,
    tree.map(function(t) return t.shape end, self.flat_inputs))
end
Model.getters.output_shape = function(self)
  return self.flat_outputs and one_or_all(self.outputs_as_given,
    tree.map(function(t) return t.shape end, self.flat_outputs))
end

-- Raw rows to inputs: an nn.utils.FeatureSpace, saved with the model.
Model.getters.feature_space = function(self)
  return require("nnlua.utils.feature_rows").of(self)
end
Model.setters.feature_space = function(self, space)
  require("nnlua.utils.feature_rows").attach(self, space)
end

--- A layer by `name` or by `index` (from 1; InputLayers of functional models count).
---@param a {name: string?, index: integer?}
function Model:get_layer(a, index)
  local name = a
  if type(a) == "table" then name, index = a.name or a[1], a.index or a[2] end
  if math.type(name) == "integer" then name, index = nil, name end
  local layers = self.layers
  if index and name then err.raise("get_layer: name and index are both given, expected one") end
  if index then
    err.check(layers[index], "get_layer: index %d, the model has %d layers", index, #layers)
    return layers[index]
  end
  err.check(name, "get_layer: name or index is missing")
  local known = {}
  for i, layer in ipairs(layers) do
    if layer.name == name then return layer end
    known[i] = layer.name
  end
  return err.raise("get_layer: no layer '%s'; there are %s%s", tostring(name),
    table.concat(known, ", "), err.suggest(name, known))
end

--- Makes the weights for a batch shape such as {nil, 39} or {false, 39}.
function Model:build(input_shape)
  if input_shape and not self.nodes then
    self.built = true -- the call that infers would build again
    local ok, message = pcall(symbolic.infer, self, shapes.clean(input_shape))
    self.built = ok
    if not ok then error(message, 0) end
  end
  self.built = true
end

--- Prints Keras's table of layers. Arguments as in Keras.
function Model:summary(options)
  return require("nnlua.summary").print(self, options or {})
end

-- A function of nnlua.saving on this model: m:save(path, {overwrite = false}) or
-- m:save{path, overwrite = false}.
local function file_call(self, name, path, options)
  local call = require("nnlua.saving")[name]
  if options ~= nil or not args.is_record(path) then return call(self, path, options) end
  local record = {self, table.unpack(path)}
  for key, v in pairs(path) do
    if type(key) == "string" then record[key] = v end
  end
  return call(record)
end

function Model:save(path, options) return file_call(self, "save_model", path, options) end
function Model:save_weights(path, options) return file_call(self, "save_weights", path, options) end
function Model:load_weights(path, options) return file_call(self, "load_weights", path, options) end
function Model:export(path, options) return file_call(self, "export", path, options) end

--- Writes the state of a training run to a file: weights, optimizer, random state, the place in the
--- data, callbacks. position: {epoch=, batch=} that are done.
function Model:save_training_state(path, position)
  return require("nnlua.saving.training_state").save(self, path, position)
end

--- Reads such a file; `fit{resume=path}` goes on from it. Gives {epoch=, batch=, ...}.
function Model:load_training_state(path)
  return require("nnlua.saving.training_state").load(self, path)
end

function Model:get_config() return require("nnlua.saving.config").model_config(self) end

function Model:to_json(options) return require("nnlua.saving.config").to_json(self, options) end

function Model.from_config(cls, config, custom_objects)
  return require("nnlua.saving.config").model_from_config(cls, config, custom_objects)
end

require("nnlua.layers.surface").model(Model)
require("nnlua.trainer").mix_into(Model)

return Model
