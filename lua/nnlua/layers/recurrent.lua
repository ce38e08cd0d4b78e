-- Layers that go through the steps of (batch, steps, features): RNN around any cell, SimpleRNN,
-- LSTM, GRU. The steps are written out one by one while they are traced.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local cells = require "nnlua.layers.recurrent_cells"
local common = require "nnlua.ops.common"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local RNN = Layer:extend("RNN", {
  args = [[cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False,
    unroll=False, zero_output_for_mask=False]],
  supports_masking = true, tensor_arguments = "states",
})
M.RNN = RNN

local flags = {"return_sequences", "return_state", "go_backwards", "stateful", "unroll"}

local function keep_flags(self, a)
  for _, name in ipairs(flags) do self[name] = a[name] end
  self.zero_output_for_mask = a.zero_output_for_mask or false
  self.ndim = 3
end

function RNN:init(a)
  Layer.init(self, a)
  keep_flags(self, a)
  local cell = a.cell
  if args.is_record(cell) then cell = cells.StackedRNNCells{cells = cell} end
  if not (class.is(cell, Layer) and cell.state_size) then
    err.raise("%s: cell is %s, expected a cell with a state_size", self.class_name, err.show(cell))
  end
  self.cell = cell
end

local function sequence_shape(input_shape)
  return type(input_shape[1]) == "table" and input_shape[1] or input_shape
end

function RNN:build(input_shape)
  local shape = sequence_shape(input_shape)
  err.check(#shape >= 3, "%s: input has %d dimensions, expected (batch, steps, features)",
    self.class_name, #shape)
  local inner = {shape[1]}
  for i = 3, #shape do inner[#inner + 1] = shape[i] end
  self.cell:ensure_built(inner)
  if not self.stateful then return end
  err.check(shape[1], "%s: a stateful layer needs a fixed batch size; give batch_shape",
    self.class_name)
  local kept = {}
  for i, t in ipairs(cells.initial_state(self.cell, shape[1])) do
    kept[i] = self:add_weight{name = "rnn_state", shape = t.shape, initializer = "zeros",
      trainable = false}
  end
  rawset(self, "kept_states", kept)
end

--- Sets the states that a stateful layer keeps to zero.
function RNN:reset_state()
  for _, v in ipairs(rawget(self, "kept_states") or {}) do core.copy(v.tensor, v.tensor * 0) end
end

RNN.reset_states = RNN.reset_state

-- The sequence, the states before the first step, and the mask, from what the call was given.
local function given(self, inputs, ctx)
  local x, states = inputs, ctx.initial_state
  if not core.is_tensor(inputs) then
    x = inputs[1]
    if #inputs > 1 then states = table.move(inputs, 2, #inputs, 1, {}) end
  end
  local m = ctx.mask
  if m == nil then m = mask.get(x) end
  if m and not core.is_tensor(m) then m = m[1] end
  return x, states, m or nil
end

local function first_states(self, states, batch)
  if core.is_tensor(states) then states = {states} end
  if states then
    local n = cells.state_count(self.cell)
    err.check(#states == n, "%s: initial_state has %d tensors, expected %d", self.class_name,
      #states, n)
    return states
  end
  local kept = rawget(self, "kept_states")
  if not kept then return cells.initial_state(self.cell, batch) end
  local list = {}
  for i, v in ipairs(kept) do list[i] = core.apply("copy", {v.tensor}) end
  return list
end

-- t (from 0) of a tensor whose first axis are the steps.
local function at_step(x, t)
  local shape = x.shape
  table.remove(shape, 1)
  return common.reshape(common.part(x, 0, t, 1), shape)
end

local function steps_first(x)
  local order = {2, 1}
  for i = 3, x.ndim do order[i] = i end
  return ops().transpose(x, order)
end

-- The function (t, states) -> output, states of one step.
local function stepper(cell, x, ctx)
  local inner = {training = ctx.training}
  if cell.project then
    local z = cell:project(x, inner)
    local masks = cell:state_masks(x.shape[2], inner)
    return function(t, states) return cell:step(at_step(z, t), states, masks) end
  end
  return function(t, states)
    local y, new = cell:call(at_step(x, t), states, inner)
    return y, core.is_tensor(new) and {new} or new
  end
end

-- At masked steps the states stay, and the output is the last one or zero.
local function hold(self, m, y, new, before, states)
  local out = ops().where(m, y, (self.zero_output_for_mask or not before) and 0.0 or before)
  local kept = {}
  for i, s in ipairs(new) do kept[i] = ops().where(m, s, states[i]) end
  return out, kept
end

--- Goes through all steps: the last output, the list of outputs, the last states.
local function go(self, x, states, m, ctx)
  local n = x.shape[2]
  local step = stepper(self.cell, steps_first(x), ctx)
  local marks = m and ops().transpose(mask.tensor(m))
  local y, list = nil, {}
  for k = 0, n - 1 do
    local t = self.go_backwards and n - 1 - k or k
    local out, new = step(t, states)
    if marks then
      local mark = common.reshape(at_step(marks, t), {x.shape[1], 1})
      out, new = hold(self, mark, out, new, y, states)
    end
    y, states, list[k + 1] = out, new, out
  end
  return y, list, states
end

local function stack(list)
  local rows = {}
  for i, y in ipairs(list) do rows[i] = common.reshape(y, {1, table.unpack(y.shape)}) end
  return steps_first(#rows == 1 and rows[1] or common.concat(rows, 0))
end

local function store(self, states)
  for i, v in ipairs(rawget(self, "kept_states") or {}) do
    v:assign(ops().stop_gradient(states[i]))
  end
end

function RNN:call(inputs, ctx)
  local x, states, m = given(self, inputs, ctx)
  err.check(x.ndim >= 3 and x.shape[2] > 0, "%s: the sequence has no steps", self.class_name)
  local y, list, last = go(self, x, first_states(self, states, x.shape[1]), m, ctx)
  store(self, last)
  if self.return_sequences then
    y = stack(list)
    if m then mask.set(y, mask.tensor(m)) end
  end
  if not self.return_state then return y end
  return {y, table.unpack(last)}
end

function RNN:compute_mask(_, m)
  if m and not core.is_tensor(m) then m = m[1] end
  return self.return_sequences and m or nil
end

local function leaf(...) return {shape = {...}, dtype = "float32", leaf = true} end

function RNN:output_spec(input_shape)
  local shape = sequence_shape(input_shape)
  local size = cells.output_size(self.cell)
  local y = self.return_sequences and leaf(shape[1], shape[2], size) or leaf(shape[1], size)
  if not self.return_state then return y end
  local list, sizes = {y}, self.cell.state_size
  for i, n in ipairs(type(sizes) == "table" and sizes or {sizes}) do
    list[i + 1] = leaf(shape[1], n)
  end
  return list
end

function RNN:compute_output_shape(input_shape)
  local spec = self:output_spec(input_shape)
  if spec.leaf then return spec.shape end
  local list = {}
  for i, s in ipairs(spec) do list[i] = s.shape end
  return list
end

-- layers of one cell ------------------------------------------------------------------------------

local config_only = {return_sequences = true, return_state = true, go_backwards = true,
  stateful = true, unroll = true, use_cudnn = true, activity_regularizer = true}

local function layer_class(name, cell_name, signature, left_out)
  local Cell = cells[name .. "Cell"]
  local cls = RNN:extend(name, {args = signature})
  cls.extra_args = setmetatable({zero_output_for_mask = true, implementation = true,
    time_major = true}, {__index = Layer.extra_args})
  cls.signature.extra = cls.extra_args

  function cls:init(a)
    Layer.init(self, a)
    keep_flags(self, a)
    local own = {name = cell_name, seed = a.seed}
    for _, entry in ipairs(cls.signature) do
      if not config_only[entry.name] then
        local value = a[entry.name]
        own[entry.name] = value == nil and args.None or value
      end
    end
    self.cell = Cell(own)
    for _, entry in ipairs(cls.signature) do
      local key = entry.name
      if not config_only[key] then self[key] = self.cell[key] end
    end
    self.seed, self.use_cudnn = a.seed, a.use_cudnn
  end

  function cls:get_config()
    local config = Layer.get_config(self)
    config[left_out] = nil
    config.zero_output_for_mask = self.zero_output_for_mask
    config.activity_regularizer = self.activity_regularizer or args.None
    return config
  end

  M[name] = cls
end

local constraints = cells.constraint_args
local rules = cells.rule_args .. "activity_regularizer=None,"
local walk = [[return_sequences=False, return_state=False, go_backwards=False, stateful=False,
  unroll=False,]]

layer_class("SimpleRNN", "simple_rnn_cell", 'units, activation="tanh", use_bias=True,'
  .. cells.weight_args .. rules .. constraints .. walk .. "seed=None", "seed")

layer_class("LSTM", "lstm_cell", 'units, activation="tanh", recurrent_activation="sigmoid",'
  .. "use_bias=True," .. cells.weight_args .. "unit_forget_bias=True," .. rules .. constraints
  .. "seed=None," .. walk .. 'use_cudnn="auto"', "use_cudnn")

layer_class("GRU", "gru_cell", 'units, activation="tanh", recurrent_activation="sigmoid",'
  .. "use_bias=True," .. cells.weight_args .. rules .. constraints .. "seed=None," .. walk
  .. 'reset_after=True, use_cudnn="auto"', "use_cudnn")

return M
