-- One step of recurrent layers: SimpleRNNCell, LSTMCell, GRUCell, and StackedRNNCells.
--
--   output, states = cell(x, states)          -- x (batch, features), states a list
--
-- RNN layers ask a cell for more speed: `project(x, ctx)` does the product of the inputs of all
-- steps (steps, batch, features) at once, and `step(z, states, masks)` takes one step's part of it.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local common = require "nnlua.ops.common"
local seed = require "nnlua.seed"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local M = {}

local function product(a, b) return core.apply("matmul", {a, b}) end

-- Arguments that all three share: the weights' and dropout's.
M.weight_args = [[kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
  bias_initializer="zeros",]]
M.rule_args = [[kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,]]
M.constraint_args = [[kernel_constraint=None, recurrent_constraint=None, bias_constraint=None,
  dropout=0.0, recurrent_dropout=0.0,]]

local Cell = Layer:extend("RecurrentCell", {args = "units"})

local function check_rate(self, name, rate)
  if type(rate) ~= "number" or rate < 0 or rate > 1 then
    err.raise("%s: %s is %s, expected 0 to 1", self.class_name, name, err.show(rate))
  end
end

function Cell:init(a)
  if math.tointeger(a.units) == nil or a.units <= 0 then
    err.raise("%s: units is %s, expected an integer above 0", self.class_name, err.show(a.units))
  end
  Layer.init(self, a)
  for _, entry in ipairs(self.signature) do self[entry.name] = a[entry.name] end
  self.units = math.tointeger(a.units)
  local activations = require "nnlua.activations"
  self.activation = activations.get(a.activation)
  if a.recurrent_activation ~= nil then
    self.recurrent_activation = activations.get(a.recurrent_activation)
  end
  parts.keep(self, a, {"kernel", "recurrent", "bias"})
  check_rate(self, "dropout", a.dropout)
  check_rate(self, "recurrent_dropout", a.recurrent_dropout)
  self.state_size = self.states == 2 and {self.units, self.units} or self.units
  self.output_size = self.units
  rawset(self, "stream", (a.seed or seed.next()) & 0x7fffffff)
end

function Cell:build(input_shape)
  local inputs, width = input_shape[#input_shape], self.units * self.gates
  err.check(inputs, "%s: the features of the input are unknown", self.class_name)
  self.kernel = parts.add(self, "kernel", {inputs, width})
  self.recurrent_kernel = parts.add(self, "recurrent", {self.units, width}, "recurrent_kernel")
  if self.use_bias then
    self.bias = parts.add(self, "bias", self:bias_shape(width), nil, self:first_bias())
  end
end

function Cell.bias_shape(_, width) return {width} end
function Cell.first_bias() return nil end

--- Zeros for `batch` rows: a list of tensors.
function Cell:get_initial_state(batch)
  local list = {}
  for i = 1, self.states do list[i] = core.full({batch, self.units}, 0) end
  return list
end

-- x with what one stream drops: the same for all steps where x is (steps, batch, features).
local function drop(self, x, rate, number)
  if rate == 1 then return x * 0 end
  local noise = x.shape
  if #noise == 3 then noise[1] = 1 end
  local stream = (self.stream + number * 0x9e3779b1) & 0x7fffffff
  return core.apply("dropout", {x}, {stream, #noise, table.unpack(noise)}, {rate})
end

local function gate(self, w, k)
  return common.part(w, w.ndim - 1, (k - 1) * self.units, self.units)
end

-- Each gate drops its own where the states drop too.
local function dropped_product(self, x)
  if self.recurrent_dropout == 0 or self.gates == 1 then
    return product(drop(self, x, self.dropout, 0), self.kernel.tensor)
  end
  local list = {}
  for k = 1, self.gates do
    list[k] = product(drop(self, x, self.dropout, k), gate(self, self.kernel.tensor, k))
  end
  return common.concat(list, x.ndim - 1)
end

--- The inputs' part of all gates, with the bias: x (..., features) gives (..., gates * units).
function Cell:project(x, ctx)
  local z
  if ctx.training and self.dropout > 0 then
    z = dropped_product(self, x)
  else
    z = product(x, self.kernel.tensor)
  end
  local bias = self:input_bias()
  return bias and z + bias or z
end

function Cell:input_bias() return self.bias and self.bias.tensor end

--- What the states are multiplied by in training, one tensor a gate; nil where nothing drops.
function Cell:state_masks(batch, ctx)
  if not ctx.training or self.recurrent_dropout == 0 then return nil end
  local list = {}
  for k = 1, self.gates do
    list[k] = drop(self, core.full({batch, self.units}, 1), self.recurrent_dropout, 8 + k)
  end
  return list
end

-- h times the recurrent kernel of the gates first .. last.
local function recurrent(self, h, masks, first, last)
  local w = self.recurrent_kernel.tensor
  first, last = first or 1, last or self.gates
  if masks then
    local list = {}
    for k = first, last do list[#list + 1] = product(h * masks[k], gate(self, w, k)) end
    return #list == 1 and list[1] or common.concat(list, 1)
  elseif first == 1 and last == self.gates then
    return product(h, w)
  end
  return product(h, common.part(w, 1, (first - 1) * self.units, (last - first + 1) * self.units))
end

function Cell:call(x, states, ctx)
  ctx = ctx or {}
  return self:step(self:project(x, ctx), states, self:state_masks(x.shape[1], ctx))
end

--- cell(x, states, ctx): the output and the list of new states.
function Cell.__call(self, x, states, ctx)
  if not self.built then self:ensure_built(x.shape) end
  if core.is_tensor(states) then states = {states} end
  return self:call(x, states or self:get_initial_state(x.shape[1]), ctx)
end

function Cell:get_config()
  local config = Layer.get_config(self)
  config.activity_regularizer = nil
  return config
end

-- cells -------------------------------------------------------------------------------------------

local function cell_class(name, fields)
  fields.extra_args = setmetatable({implementation = true}, {__index = Layer.extra_args})
  M[name] = Cell:extend(name, fields)
  M[name].__call = Cell.__call
  return M[name]
end

local SimpleRNNCell = cell_class("SimpleRNNCell", {
  args = 'units, activation="tanh", use_bias=True,' .. M.weight_args .. M.rule_args
    .. M.constraint_args .. "seed=None",
  gates = 1, states = 1,
})

function SimpleRNNCell:step(z, states, masks)
  local h = self.activation(z + recurrent(self, states[1], masks))
  return h, {h}
end

local LSTMCell = cell_class("LSTMCell", {
  args = 'units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,'
    .. M.weight_args .. "unit_forget_bias=True," .. M.rule_args .. M.constraint_args .. "seed=None",
  gates = 4, states = 2,
})

-- The gate that forgets starts open: with a bias of 1.
function LSTMCell:first_bias()
  if not self.unit_forget_bias then return nil end
  local first, rest = {self.units}, {2 * self.units}
  return common.concat({self.bias_initializer(first, "float32"), core.full(first, 1),
    self.bias_initializer(rest, "float32")}, 0)
end

function LSTMCell:step(z, states, masks)
  z = z + recurrent(self, states[1], masks)
  local i, f = self.recurrent_activation(gate(self, z, 1)),
    self.recurrent_activation(gate(self, z, 2))
  local c = f * states[2] + i * self.activation(gate(self, z, 3))
  local h = self.recurrent_activation(gate(self, z, 4)) * self.activation(c)
  return h, {h, c}
end

local GRUCell = cell_class("GRUCell", {
  args = 'units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,'
    .. M.weight_args .. M.rule_args .. M.constraint_args .. "reset_after=True, seed=None",
  gates = 3, states = 1,
})

function GRUCell:bias_shape(width) return self.reset_after and {2, width} or {width} end

local function bias_row(self, at)
  return common.reshape(common.part(self.bias.tensor, 0, at, 1), {3 * self.units})
end

function GRUCell:input_bias()
  if not self.bias then return nil end
  return self.reset_after and bias_row(self, 0) or self.bias.tensor
end

function GRUCell:step(x, states, masks)
  local h, act = states[1], self.recurrent_activation
  local new, z
  if self.reset_after then
    local rec = recurrent(self, h, masks)
    if self.bias then rec = rec + bias_row(self, 1) end
    z = act(gate(self, x, 1) + gate(self, rec, 1))
    local r = act(gate(self, x, 2) + gate(self, rec, 2))
    new = self.activation(gate(self, x, 3) + r * gate(self, rec, 3))
  else
    local rec = recurrent(self, h, masks, 1, 2)
    z = act(gate(self, x, 1) + gate(self, rec, 1))
    local r = act(gate(self, x, 2) + gate(self, rec, 2))
    new = self.activation(gate(self, x, 3) + recurrent(self, r * h, masks, 3, 3))
  end
  h = z * h + (1 - z) * new
  return h, {h}
end

-- stacked -----------------------------------------------------------------------------------------

--- The number of a cell's states.
function M.state_count(cell)
  return type(cell.state_size) == "table" and #cell.state_size or 1
end

--- The states of a cell before the first step.
function M.initial_state(cell, batch)
  if cell.get_initial_state then
    local states = cell:get_initial_state(batch)
    return core.is_tensor(states) and {states} or states
  end
  local list = {}
  local sizes = type(cell.state_size) == "table" and cell.state_size or {cell.state_size}
  for i, n in ipairs(sizes) do list[i] = core.full({batch, n}, 0) end
  return list
end

--- The features of a cell's output.
function M.output_size(cell)
  local size = cell.output_size or cell.state_size
  while type(size) == "table" do size = size[1] end
  return size
end

local Stacked = Layer:extend("StackedRNNCells", {args = "cells"})
M.StackedRNNCells = Stacked

function Stacked:init(a)
  err.check(type(a.cells) == "table" and #a.cells > 0, "StackedRNNCells: cells is %s, expected a "
    .. "list of cells", err.show(a.cells))
  Layer.init(self, a)
  rawset(self, "cells", a.cells)
  local sizes = {}
  for i, cell in ipairs(a.cells) do
    if not class.is(cell, Layer) then
      err.raise("StackedRNNCells: cell %d is %s, expected a cell", i, err.show(cell))
    end
    table.insert(self.sublayers, cell)
    local size = type(cell.state_size) == "table" and cell.state_size or {cell.state_size}
    table.move(size, 1, #size, #sizes + 1, sizes)
  end
  self.state_size, self.output_size = sizes, M.output_size(a.cells[#a.cells])
end

function Stacked:build(input_shape)
  local shape = input_shape
  for _, cell in ipairs(self.cells) do
    shape = table.move(shape, 1, #shape, 1, {}) -- each cell keeps its own
    cell:ensure_built(shape)
    shape = table.move(shape, 1, #shape - 1, 1, {})
    shape[#shape + 1] = M.output_size(cell)
  end
end

function Stacked:get_initial_state(batch)
  local list = {}
  for _, cell in ipairs(self.cells) do
    local states = M.initial_state(cell, batch)
    table.move(states, 1, #states, #list + 1, list)
  end
  return list
end

function Stacked:call(x, states, ctx)
  local new, at = {}, 0
  for _, cell in ipairs(self.cells) do
    local n = M.state_count(cell)
    local own = table.move(states, at + 1, at + n, 1, {})
    local after
    x, after = cell:call(x, own, ctx)
    if core.is_tensor(after) then after = {after} end
    table.move(after, 1, n, at + 1, new)
    at = at + n
  end
  return x, new
end

Stacked.__call = Cell.__call

function Stacked:get_config()
  local config = self:base_config()
  config.cells = self.cells
  return config
end



return M
