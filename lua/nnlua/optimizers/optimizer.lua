-- The base of optimizers. Built-in ones run in C (`native`, see src/model/optimizer.h); one made
-- by a script defines update_step(gradient, variable, learning_rate) and runs through `eager`.
--
--   local Mine = nn.optimizers.Optimizer:extend("Mine")
--   function Mine:build(variables)
--     Mine.super.build(self, variables)
--     self.momentums = self:add_optimizer_variables(variables, "momentum")
--   end
--   function Mine:update_step(g, v, lr) ... v:assign(v - lr * g) ... end

local core = require "nnlua.core"
local class = require "nnlua.class"
local args = require "nnlua.args"
local err = require "nnlua.err"
local names = require "nnlua.names"
local checks = require "nnlua.optimizers.checks"
local rate = require "nnlua.optimizers.rate"
local state = require "nnlua.optimizers.state"
local schedules = require "nnlua.optimizers.schedules"

local COMMON = [[clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
  ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
  gradient_accumulation_steps=None, name=None]]

---@class nn.Optimizer
---@field learning_rate number the value at present; set it to a number, a schedule or a function
---@field iterations integer completed updates
---@field variables nn.Variable[]
local Optimizer = class.new("Optimizer", {
  module = "keras.optimizers",
  args = "learning_rate=0.001, weight_decay=None, " .. COMMON,
  common_args = "weight_decay=None, " .. COMMON, -- for the signatures of classes
  common_args_without_decay = COMMON,
  own = {}, -- names of the class's own arguments, in the order of its config
})

Optimizer.shared = {"weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema",
  "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps"}

function Optimizer:init(a)
  a = a or {}
  for _, key in ipairs(Optimizer.shared) do self[key] = a[key] end
  for _, key in ipairs(self.own) do self[key] = a[key] end
  if self.use_ema == nil then self.use_ema = false end
  if self.ema_momentum == nil then self.ema_momentum = 0.99 end
  self.name = a.name
  checks.common(self)
  self.name = a.name or names.auto(self.class_name)
  self.rate_source = rate.read(self, a.learning_rate == nil and 0.001 or a.learning_rate)
  self.built = false
  self.own_calls = 0
end

-- properties ----------------------------------------------------------------------------------

-- Calls of apply so far; with accumulation these are more than the updates.
Optimizer.getters.calls = function(self)
  return self.native and self.native:iterations() or self.own_calls
end
Optimizer.setters.calls = function(self, n)
  if not math.tointeger(n) or n < 0 then
    err.raise("%s: iterations is %s, expected an integer of 0 or more", self.class_name,
      err.show(n))
  end
  self.own_calls = math.tointeger(n)
  if self.native then self.native:iterations(self.own_calls) end
end

Optimizer.getters.iterations = function(self)
  if self.traced then return self.traced.count end
  return self.calls // (self.gradient_accumulation_steps or 1)
end
Optimizer.setters.iterations = function(self, n)
  self.calls = n * (self.gradient_accumulation_steps or 1)
end

Optimizer.getters.learning_rate = function(self)
  if self.traced then return self.traced.rate end
  return rate.at(self.rate_source, self.calls)
end
Optimizer.setters.learning_rate = function(self, value)
  if type(value) == "number" and schedules.is(self.rate_source) then
    err.raise("%s: learning_rate comes from a schedule and cannot be set to a number; "
      .. "set it to a schedule, or compile with a new optimizer", self.class_name)
  end
  self.rate_source = rate.read(self, value)
end

Optimizer.getters.variables = function(self) return state.list(self) end
Optimizer.getters.averages = function(self) return state.averages(self) end

--- The learning rates of the next n calls: one number, or a list where they change.
function Optimizer:rates(n)
  if type(self.rate_source) == "number" then return self.rate_source end
  local list, from = {}, self.calls
  for i = 1, n do list[i] = rate.at(self.rate_source, from + i - 1) end
  return list
end

-- building ------------------------------------------------------------------------------------

-- A class runs in C when it has a kind there and nobody has overridden the rule.
local function runs_native(self)
  return self.kind and self.update_step == Optimizer.update_step
end

--- True when the rule runs in Lua: a class made by a script.
Optimizer.getters.is_custom = function(self) return not runs_native(self) end

-- The hyperparameters that C wants.
function Optimizer:hyperparameters()
  local h = {}
  for _, list in ipairs {Optimizer.shared, self.hyper or self.own} do
    for _, key in ipairs(list) do
      local v = self[key]
      h[key] = v == nil and 0 or v
    end
  end
  return h
end

-- True for variables that Muon leaves to Adam.
function Optimizer:alternative(_) return false end

--- Whether weight decay applies to a variable.
function Optimizer:uses_weight_decay(variable)
  for _, v in ipairs(self.excluded_variables or {}) do
    if v == variable then return false end
  end
  return not state.matches(variable.name or "", self.excluded_names)
end

local exclude = args.signature("exclude_from_weight_decay", "var_list=None, var_names=None")

--- Keeps weight decay from the listed variables, and from those in whose name one of `var_names`
--- (plain text or a Lua pattern) occurs. Before the optimizer is built.
function Optimizer:exclude_from_weight_decay(...)
  local a = args.collect(exclude, ...)
  err.check(not self.built, "exclude_from_weight_decay: the optimizer is built already")
  self.excluded_variables, self.excluded_names = a.var_list, a.var_names
end

local function build_native(self, tensors)
  local no_decay, alt = {}, {}
  for i, v in ipairs(self.trainable_variables) do
    no_decay[i] = not self:uses_weight_decay(v)
    alt[i] = self:alternative(v)
  end
  local native = core.optimizer.new(self.kind, self:hyperparameters())
  native:build(tensors, no_decay, alt)
  native:iterations(self.own_calls)
  self.native = native
  self.gradients = {}
  for i = 1, #tensors do self.gradients[i] = native:gradient(i) end
end

--- Makes the slots for a list of variables; `apply` does it by itself.
---@param variables nn.Variable[]
function Optimizer:build(variables)
  if self.built then return self:check_variables(variables) end
  err.check(type(variables) == "table", "build: expected a list of variables, got %s",
    err.show(variables))
  local list, index, tensors = {}, {}, {}
  for i, v in ipairs(variables) do
    tensors[i] = state.tensor(v)
    err.check(tensors[i], "build: variable %d is %s, expected a variable", i, err.show(v))
    list[i], index[v] = v, i
  end
  self.trainable_variables, self.positions = list, index
  if runs_native(self) then build_native(self, tensors) end
  self.built = true
  if not self.native then require("nnlua.optimizers.eager").build(self) end
end

--- Raises unless the optimizer was built for exactly these variables.
---@param where? string what the message begins with
function Optimizer:check_variables(variables, where)
  for _, v in ipairs(variables) do
    if not self.positions[v] then
      err.raise("%s: this optimizer already belongs to another model", where or "fit")
    end
  end
end

-- updates --------------------------------------------------------------------------------------

local function given_gradients(self, grads, variables)
  local missing, any = {}, false
  for i, v in ipairs(variables) do
    if grads[i] then any = true else missing[#missing + 1] = v.name or tostring(i) end
  end
  err.check(any, "%s: no gradients provided for any variable", self.class_name)
  if #missing > 0 then
    warn("gradients do not exist for variables ", table.concat(missing, ", "))
  end
end

local function copy_gradient(self, i, g)
  local to = self.gradients[i]
  g = state.tensor(g) or core.new(g)
  if g.size ~= to.size then
    err.raise("%s: gradient %d has shape (%s), expected (%s)", self.class_name, i,
      table.concat(g.shape, ", "), table.concat(to.shape, ", "))
  end
  core.copy(to, g)
end

local function apply_native(self, grads, variables, squares)
  local native, seen, squared = self.native, {}, {}
  for k, v in ipairs(variables) do
    if grads[k] then
      local i = self.positions[v]
      copy_gradient(self, i, grads[k])
      seen[i] = true
      if squares and squares[k] then
        core.copy(native:squares(i), core.reshape(squares[k], v.shape))
        squared[i] = true
      end
    end
  end
  for i = 1, #self.trainable_variables do native:has_gradient(i, seen[i], squared[i]) end
  native:step(self.learning_rate)
  for i = 1, #self.trainable_variables do native:has_gradient(i, true) end
end

--- One update. A gradient that is nil or false leaves its variable alone.
---@param grads (nn.Tensor|false)[] in the order of the variables
---@param variables? nn.Variable[] those that the optimizer was built for when absent
---@param squares? (nn.Tensor|false)[] of embeddings: the sums of their gradient's squares
function Optimizer:apply(grads, variables, squares)
  variables = variables or self.trainable_variables
  err.check(type(grads) == "table" and type(variables) == "table",
    "apply: expected a list of gradients and a list of variables")
  given_gradients(self, grads, variables)
  if not self.built then
    self:build(variables)
    err.check(self.built, "%s: build does not call %s.super.build(self, variables)",
      self.class_name, self.class_name)
  end
  self:check_variables(variables, "apply")
  if self.native then
    apply_native(self, grads, variables, squares)
  else
    require("nnlua.optimizers.eager").apply(self, grads, variables)
  end
  for _, v in ipairs(variables) do
    if type(v) == "table" and v.constraint then v:assign(v.constraint(v.tensor)) end
  end
  return self.iterations
end

--- One update from a list of {gradient, variable}.
function Optimizer:apply_gradients(pairs_)
  local grads, variables = {}, {}
  for i, pair in ipairs(pairs_) do grads[i], variables[i] = pair[1], pair[2] end
  return self:apply(grads, variables)
end

--- The rule of a class made by a script.
function Optimizer:update_step(_, _, _)
  err.raise("%s: the method update_step(gradient, variable, learning_rate) is missing",
    self.class_name)
end

--- The loss that gradients are taken of: loss * loss_scale_factor.
function Optimizer:scale_loss(loss)
  return self.loss_scale_factor and loss * self.loss_scale_factor or loss
end

--- Writes the averages into the variables (use_ema); fit does it at its end.
function Optimizer:finalize_variable_values(variables)
  if not self.use_ema or not self.built then return end
  local averages = self.averages
  for _, v in ipairs(variables or self.trainable_variables) do
    local i = self.positions[v]
    if i then core.copy(state.tensor(v), averages[i].tensor) end
  end
end

-- own variables of classes made by scripts ------------------------------------------------------

local add = args.signature("add_variable",
  'shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None')

local function keep(self, v)
  self.own_variables = self.own_variables or {}
  table.insert(self.own_variables, v)
  return v
end

local function fresh(shape, initializer, name, path)
  local t
  if core.is_tensor(initializer) then t = core.new(initializer)
  elseif initializer == nil or initializer == "zeros" then t = core.full(shape, 0)
  elseif initializer == "ones" then t = core.full(shape, 1)
  else t = require("nnlua.initializers").get(initializer)(shape, "float32") end
  return state.over(core.mark_variable(t), name, path)
end

--- A variable of the optimizer: add_variable{shape, initializer=, name=}.
function Optimizer:add_variable(...)
  local a = args.collect(add, ...)
  local name = a.name or names.auto("Variable")
  return keep(self, fresh(a.shape, a.initializer, name, self.name .. "/" .. name))
end

--- A variable with the shape of another: its slot `name`.
function Optimizer:add_variable_from_reference(reference, name, initializer)
  if args.is_record(reference) and reference.reference_variable then
    reference, name, initializer = reference.reference_variable, reference.name,
      reference.initializer
  end
  name = state.slot_name(reference, name or "slot")
  return keep(self, fresh(reference.shape, initializer, name, self.name .. "/" .. name))
end

--- One slot for each variable, or with a list of names a list of slots for each name.
function Optimizer:add_optimizer_variables(variables, name, initializer)
  local many = type(name) == "table"
  local lists = {}
  for k in ipairs(many and name or {name}) do lists[k] = {} end
  for i, v in ipairs(variables) do
    for k, n in ipairs(many and name or {name}) do
      local start = type(initializer) == "table" and not core.is_tensor(initializer)
        and initializer[k] or initializer
      lists[k][i] = self:add_variable_from_reference(v, n, start)
    end
  end
  if many then return table.unpack(lists) end
  return lists[1]
end

function Optimizer:assign(variable, value) variable:assign(value) end
function Optimizer:assign_add(variable, value) variable:assign_add(value) end
function Optimizer:assign_sub(variable, value) variable:assign_sub(value) end

--- An update that changes nothing: gives the new values of the variables and of the optimizer's.
function Optimizer:stateless_apply(optimizer_variables, grads, trainable_variables)
  local before, own = {}, self.variables
  if not self.built then
    self:build(trainable_variables)
    own = self.variables
  end
  for i, v in ipairs(own) do before[i] = core.new(v.tensor) end
  local weights = {}
  for i, v in ipairs(trainable_variables) do weights[i] = core.new(state.tensor(v)) end
  state.set(self, optimizer_variables)
  self:apply(grads, trainable_variables)
  local new_weights, new_own = {}, {}
  for i, v in ipairs(trainable_variables) do
    new_weights[i] = core.new(state.tensor(v))
    core.copy(state.tensor(v), weights[i])
  end
  for i, v in ipairs(own) do new_own[i] = core.new(v.tensor) end
  state.set(self, before)
  return new_weights, new_own
end

--- Writes values into `variables`, in their order.
function Optimizer:set_weights(weights) state.set(self, weights) end

--- Copies all variables into store["0"], store["1"], ...
function Optimizer:save_own_variables(store)
  for i, v in ipairs(self.variables) do store[tostring(i - 1)] = core.new(v.tensor) end
end

--- Reads what save_own_variables wrote.
function Optimizer:load_own_variables(store)
  local list = {}
  while store[tostring(#list)] ~= nil do list[#list + 1] = store[tostring(#list)] end
  state.set(self, list)
end

-- config ----------------------------------------------------------------------------------------

--- The keys of the config, in Keras's order.
function Optimizer:config_keys()
  local keys = {"name", "learning_rate"}
  table.move(Optimizer.shared, 1, #Optimizer.shared, 3, keys)
  table.move(self.own, 1, #self.own, #keys + 1, keys)
  return keys
end

--- All arguments by name. A value that is None where the default is not stands as nn.None.
function Optimizer:get_config()
  local config = {}
  for _, key in ipairs(self:config_keys()) do
    local entry = self.signature and self.signature.index[key]
    local v = self[key]
    if v == nil and entry and entry.default ~= nil then v = args.None end
    config[key] = v
  end
  config.learning_rate = rate.config(self.rate_source)
  return config
end

--- The optimizer that `config` describes.
function Optimizer.from_config(cls, config)
  local record = {}
  for key, value in pairs(config) do record[key] = value end
  return cls(record)
end

Optimizer.__tostring = function(o) return ("<%s '%s'>"):format(o.class_name, o.name) end

return Optimizer
