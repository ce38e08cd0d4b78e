-- The base of all layers: names, weights, building at the first call, what a call does around
-- `call`.
--
-- A call on tensors (real or traced) runs `call(inputs, ctx)`; a call on the symbolic tensors of a
-- functional model records a node (nnlua.keras_tensor). `ctx.training` is true in fit; a layer that
-- calls others hands its ctx on by itself: the innermost call's ctx is the default.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local names = require "nnlua.names"
local shapes = require "nnlua.shapes"
local tree = require "nnlua.tree"
local Variable = require "nnlua.variable"

local base_args = {
  activity_regularizer = true, trainable = true, dtype = true, autocast = true, name = true,
  input_shape = true, input_dim = true, batch_input_shape = true, batch_size = true,
}

---@class nn.Layer
---@field name string
---@field built boolean
---@field trainable boolean
---@field weights nn.Variable[] trainable, then non-trainable, then those of sub-layers
---@field losses nn.Tensor[] penalties of the weights (regularizers)
local Layer = class.new("Layer", {
  args = "activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None",
  extra_args = base_args, module = "keras.layers",
})

local inherited_extend = Layer.extend

--- A new kind of layer. Without `args` (a Keras-style signature) it takes any named arguments,
--- which become its fields.
---@param name string
---@param fields table? may hold `args = "units, activation=None"`
function Layer.extend(self, name, fields)
  fields = fields or {}
  if fields.args then
    fields.extra_args = fields.extra_args or base_args
    fields.free_args = false
  elseif self == Layer or self.free_args then
    fields.args, fields.extra_args, fields.free_args = "", true, true
  end
  return inherited_extend(self, name, fields)
end

local function check_common(self, a)
  local name = self.class_name
  if a.trainable ~= nil then
    err.check(type(a.trainable) == "boolean", "%s: trainable is %s, expected a boolean", name,
      err.show(a.trainable))
  end
  if a.name ~= nil then
    names.check(a.name, name)
  end
end

--- Keeps the arguments that every layer takes. Own layers call it from their `init(a)`.
function Layer:init(a)
  a = a or {}
  check_common(self, a)
  rawset(self, "sublayers", {})
  rawset(self, "own_weights", {})
  self.name = a.name or names.auto(self.class_name)
  self.auto_named = a.name == nil
  self.is_trainable = a.trainable ~= false
  self.dtype = a.dtype or "float32"
  self.built = false
  self.steps_done = self.is_model and 0 or nil
  if a.activity_regularizer then
    self.activity_regularizer = require("nnlua.regularizers").get(
      a.activity_regularizer, self.class_name)
  end
  local input = a.input_shape
  if a.batch_input_shape then
    self.batch_shape = shapes.clean(a.batch_input_shape)
  elseif input or a.input_dim then
    self.batch_shape = shapes.with_batch(input or {a.input_dim}, a.batch_size)
  end
  if self.free_args then
    self.free_config = {}
    for key, value in pairs(a) do
      if not base_args[key] then
        self[key] = value
        self.free_config[key] = value
      end
    end
  end
end

-- Sub-layers and variables that are stored in fields belong to the layer.
function Layer.on_assign(self, _, value)
  if type(value) ~= "table" or getmetatable(value) == nil then return end
  if class.is(value, Layer) then
    if rawget(self, "sublayers") then table.insert(self.sublayers, value) end
  elseif class.is(value, Variable) and rawget(self, "own_weights") then
    for _, w in ipairs(self.own_weights) do if w == value then return end end
    table.insert(self.own_weights, value)
  end
end

-- weights ------------------------------------------------------------------------------------

--- Makes a weight of the layer. Named arguments as in Keras.
---@param a table shape, initializer, dtype, trainable, name, regularizer, constraint
---@return nn.Variable
function Layer:add_weight(a)
  local budget = require "nnlua.saving.budget"
  budget.spend(a.shape or {}, a.name)
  local initializer = a.initializer
  if initializer == nil then initializer = "glorot_uniform" end
  if not core.is_tensor(initializer) then
    initializer = require("nnlua.initializers").get(initializer, self.class_name)
  end
  local value, is_new = initializer, false
  if not core.is_tensor(initializer) and budget.is_blank() then
    value, is_new = core.full(a.shape or {}, 0, a.dtype or "float32"), true
  elseif not core.is_tensor(initializer) then
    value = core.paused(function() return initializer(a.shape or {}, a.dtype or "float32") end)
    is_new = rawget(getmetatable(initializer) or {}, "gives_new")
  end
  local v = setmetatable({}, Variable)
  v:init{initializer = value, is_new = is_new, dtype = a.dtype, name = a.name or "variable",
    path = names.path(a.name or "variable"), trainable = a.trainable ~= false}
  v.regularizer = a.regularizer and require("nnlua.regularizers").get(
    a.regularizer, self.class_name)
  v.constraint = a.constraint and require("nnlua.constraints").get(a.constraint, self.class_name)
  table.insert(self.own_weights, v)
  return v
end

Layer.add_variable = Layer.add_weight

local function collect(layer, list, seen)
  for _, wanted in ipairs {true, false} do
    for _, v in ipairs(layer.own_weights) do
      if v.trainable == wanted and not seen[v] then
        seen[v] = true
        list[#list + 1] = v
      end
    end
  end
  for _, sub in ipairs(layer:ordered_sublayers()) do collect(sub, list, seen) end
  return list
end

--- Layers inside this one, in the order of their weights.
function Layer:ordered_sublayers() return self.sublayers end

local function frozen_set(layer, set, frozen)
  frozen = frozen or not layer.is_trainable
  for _, v in ipairs(layer.own_weights) do
    if frozen or not v.trainable then set[v] = true end
  end
  for _, sub in ipairs(layer:ordered_sublayers()) do frozen_set(sub, set, frozen) end
  return set
end

local function filtered(layer, trainable)
  local frozen, list = frozen_set(layer, {}), {}
  for _, v in ipairs(layer.weights) do
    if (not frozen[v]) == trainable then list[#list + 1] = v end
  end
  return list
end

Layer.getters.weights = function(self) return collect(self, {}, {}) end
Layer.getters.variables = Layer.getters.weights
Layer.getters.trainable_weights = function(self) return filtered(self, true) end
Layer.getters.non_trainable_weights = function(self) return filtered(self, false) end
Layer.getters.trainable_variables = Layer.getters.trainable_weights
Layer.getters.non_trainable_variables = Layer.getters.non_trainable_weights
Layer.getters.trainable = function(self) return self.is_trainable end

local function set_trainable(layer, value)
  layer.is_trainable = value
  for _, sub in ipairs(layer:ordered_sublayers()) do set_trainable(sub, value) end
end

Layer.setters.trainable = function(self, value)
  err.check(type(value) == "boolean", "%s: trainable is %s, expected a boolean", self.class_name,
    err.show(value))
  set_trainable(self, value)
end

--- Number of weights' elements, trainable or not.
function Layer:count_params()
  err.check(self.built, "count_params: %s is not built; give input_shape or call build",
    self.is_model and "the model" or ("layer '%s'"):format(self.name))
  local n = 0
  for _, v in ipairs(self.weights) do n = n + v.size end
  return n
end

--- Copies of the weights, in the order of `weights`.
---@return nn.Tensor[]
function Layer:get_weights()
  local list = {}
  for i, v in ipairs(self.weights) do list[i] = v:numpy() end
  return list
end

--- Sets all weights; number and shapes must match.
---@param list (nn.Tensor|table)[]
function Layer:set_weights(list)
  local weights, values = self.weights, {}
  err.check(type(list) == "table", "set_weights: got %s, expected a list of arrays", err.show(list))
  if #list ~= #weights then
    err.raise("set_weights: got %d arrays, the %s has %d", #list,
      self.is_model and "model" or "layer", #weights)
  end
  for i, v in ipairs(weights) do
    values[i] = core.new(list[i])
    if not shapes.same(values[i].shape, v.shape) then
      err.raise("set_weights: array %d is %s, expected %s", i, shapes.text(values[i].shape),
        shapes.text(v.shape))
    end
  end
  for i, v in ipairs(weights) do core.copy(v.tensor, values[i]) end
end

-- penalties ------------------------------------------------------------------------------------

--- Penalties of the trainable weights that have a regularizer: scalars.
function Layer:weight_losses()
  local list = {}
  for _, v in ipairs(self.trainable_weights) do
    if v.regularizer then list[#list + 1] = v.regularizer(v.tensor) end
  end
  return list
end

Layer.getters.losses = function(self) return self:weight_losses() end

-- calling --------------------------------------------------------------------------------------

local current -- ctx of the innermost call under way

--- Adds a scalar to the loss of the step under way (inside `call`).
function Layer.add_loss(_, loss)
  if current and current.losses then table.insert(current.losses, loss) end
end

--- Makes the weights; own layers write their own. shape has the batch axis (false = unknown).
function Layer:build(_) self.built = true end

--- y = call(x, ctx): own layers write it.
function Layer:call(_)
  err.raise("%s: the layer has no call(x, ctx)", self.class_name)
end

local function shape_of(x)
  local s = x.shape
  return table.move(s, 1, #s, 1, {})
end

--- Makes the weights for inputs of that shape, once, with names under the layer's.
function Layer:ensure_built(input_shape)
  if self.built then return end
  names.within(self.name, function()
    core.paused(function() self:build(input_shape) end)
  end)
  self.built_shape = input_shape
  self.built = true
end

local function call_context(ctx)
  if current == nil then return ctx or {} end
  local merged = {}
  for k, v in pairs(current) do merged[k] = v end
  for k, v in pairs(ctx or {}) do merged[k] = v end
  return merged
end

local function restore(saved, ok, ...)
  current = saved
  if not ok then error((...), 0) end
  return ...
end

local function penalize_activity(self, y)
  for _, t in ipairs(tree.flatten(y)) do
    self:add_loss(self.activity_regularizer(t) / t.shape[1])
  end
end

-- What masks do: most layers hand them on; `compute_mask(inputs, mask)` says what else.
local function pass_mask(self, inputs, ctx, y)
  local m = ctx.mask
  if m == nil then m = tree.map(function(t) return mask.get(t) or false end, inputs) end
  if core.is_tensor(y) and mask.get(y) == nil then
    local out
    if self.compute_mask then
      out = self:compute_mask(inputs, m or nil)
    elseif self.supports_masking and core.is_tensor(m) then
      out = m
    end
    if out and y ~= inputs then mask.set(y, out) end
  end
end

local function run(self, inputs, ctx)
  local y = self:call(inputs, ctx)
  if self.activity_regularizer then penalize_activity(self, y) end
  pass_mask(self, inputs, ctx, y)
  return y
end

local function to_tensor(x)
  if core.is_tensor(x) then return x end
  if class.is(x, Variable) then return x.tensor end
  return x
end

local function is_data_table(x)
  return args.is_record(x) and (type(x[1]) == "number" or (args.is_record(x[1]) and #x[1] > 0))
end

--- layer(x[, ctx]): x a tensor, nested numbers, or a list or table of tensors.
function Layer.__call(self, inputs, ctx)
  local symbolic = args.symbolic
  if symbolic and symbolic.contains(inputs) then return symbolic.layer_call(self, inputs, ctx) end
  if is_data_table(inputs) or type(inputs) == "number" then inputs = core.new(inputs) end
  inputs = tree.map(to_tensor, inputs)
  if not self.built then self:ensure_built(tree.map(shape_of, inputs)) end
  self:check_inputs(inputs)
  local saved = current
  local context = call_context(ctx)
  context.mask = ctx and ctx.mask
  current = context
  return restore(saved, pcall(run, self, inputs, context))
end

--- Checks shapes before `call`; layers say what they accept in `min_ndim`, `ndim`, `last_dim`.
function Layer:check_inputs(inputs)
  if not core.is_tensor(inputs) then return end
  local shape = inputs.shape
  local function wrong(expected)
    err.raise("layer '%s' (%s): input %s, expected %s", self.name, self.class_name,
      shapes.text(shape), expected)
  end
  if self.min_ndim and #shape < self.min_ndim then
    wrong(("at least %d dimensions"):format(self.min_ndim))
  elseif self.ndim and #shape ~= self.ndim then
    wrong(("%d dimensions"):format(self.ndim))
  elseif self.last_dim and shape[#shape] ~= self.last_dim then
    local want = shape
    want[1], want[#want] = #want > 1 and "batch" or self.last_dim, self.last_dim
    err.raise("layer '%s' (%s): input %s, expected %s", self.name, self.class_name,
      shapes.text(inputs.shape), shapes.text(want))
  end
end

--- The output's shape for an input's shape (with batch axis, false = unknown), by tracing.
function Layer:compute_output_shape(input_shape)
  return require("nnlua.keras_tensor").infer(self, input_shape)
end

-- configuration --------------------------------------------------------------------------------

--- The arguments as stored: what `from_config` needs to make the layer again.
function Layer:base_config()
  local config = {name = self.name, trainable = self.is_trainable, dtype = self.dtype}
  if self.activity_regularizer then config.activity_regularizer = self.activity_regularizer end
  return config
end

--- The arguments and the base keys. Fields named like the arguments are read; objects in them are
--- serialized by the saver.
function Layer:get_config()
  local config = self:base_config()
  for _, entry in ipairs(self.signature) do
    local value = self[entry.name]
    config[entry.name] = value == nil and args.None or value
  end
  for key, value in pairs(self.free_config or {}) do config[key] = value end
  return config
end

--- Makes an object from a configuration.
function Layer.from_config(cls, config)
  return cls(config)
end

require("nnlua.layers.surface").layer(Layer)

Layer.__tostring = function(self)
  return ("<%s name=%s, built=%s>"):format(self.class_name, self.name, tostring(self.built))
end

return Layer
