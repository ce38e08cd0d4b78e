-- Bidirectional: a recurrent layer and its copy that goes from the last step to the first.

local core = require "nnlua.core"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local Layer = require "nnlua.layers.layer"

local Bidirectional = Layer:extend("Bidirectional", {
  args = 'layer, merge_mode="concat", weights=None, backward_layer=None',
  supports_masking = true, tensor_arguments = "states",
})

local function ops() return require "nnlua.ops" end

local modes = {concat = true, sum = true, ave = true, mul = true}

local function bare(name, prefix) return (name:gsub("^" .. prefix, "")) end

-- A layer of the same configuration under another name.
local function copy(layer, changes)
  local config = layer:get_config()
  for key, v in pairs(changes) do config[key] = v end
  return getmetatable(layer).from_config(getmetatable(layer), config)
end

local function is_recurrent(layer)
  return class.is(layer, Layer) and layer.go_backwards ~= nil and layer.return_sequences ~= nil
end

local function check_pair(self, forward, backward)
  if forward.go_backwards == backward.go_backwards then
    err.raise("%s: forward layer and backward layer both have go_backwards=%s, expected one of "
      .. "each", self.class_name, tostring(forward.go_backwards))
  end
  for _, name in ipairs {"stateful", "return_sequences", "return_state"} do
    if forward[name] ~= backward[name] then
      err.raise("%s: forward layer and backward layer have different %s", self.class_name, name)
    end
  end
end

--- merge_mode: "concat", "sum", "mul", "ave", or None for a list of both outputs.
function Bidirectional:init(a, _)
  local layer = a.layer
  err.check(is_recurrent(layer), "Bidirectional: layer is %s, expected a recurrent layer",
    err.show(layer))
  err.check(a.backward_layer == nil or is_recurrent(a.backward_layer),
    "Bidirectional: backward_layer is %s, expected a recurrent layer", err.show(a.backward_layer))
  err.check(a.merge_mode == nil or modes[a.merge_mode],
    "Bidirectional: merge_mode is %s, expected 'concat', 'sum', 'mul', 'ave' or None",
    type(a.merge_mode) == "string" and ("'%s'"):format(a.merge_mode) or err.show(a.merge_mode))
  Layer.init(self, a)
  self.merge_mode = a.merge_mode
  self.forward_layer = copy(layer, {name = "forward_" .. bare(layer.name, "forward_")})
  self.backward_layer = a.backward_layer or copy(layer, {
    name = "backward_" .. bare(layer.name, "backward_"), go_backwards = not layer.go_backwards})
  check_pair(self, self.forward_layer, self.backward_layer)
  rawset(self, "given_backward", a.backward_layer ~= nil)
  for _, one in ipairs {self.forward_layer, self.backward_layer} do
    one.zero_output_for_mask = one.return_sequences
  end
  self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
  self.stateful = layer.stateful
  rawset(self, "initial_weights", a.weights)
  self.ndim = 3
end

function Bidirectional:build(input_shape)
  self.forward_layer:ensure_built(input_shape)
  self.backward_layer:ensure_built(input_shape)
  if self.initial_weights then self:set_weights(self.initial_weights) end
end

function Bidirectional:reset_state()
  self.forward_layer:reset_state()
  self.backward_layer:reset_state()
end

Bidirectional.reset_states = Bidirectional.reset_state

local function merge(self, a, b)
  local mode = self.merge_mode
  if mode == "concat" then return ops().concatenate({a, b}, -1) end
  if mode == "mul" then return a * b end
  return mode == "sum" and a + b or (a + b) / 2
end

-- The halves of initial_state, or of the inputs behind the sequence.
local function contexts(inputs, ctx)
  local x, states = inputs, ctx.initial_state
  if not core.is_tensor(inputs) then
    x = inputs[1]
    if #inputs > 1 then states = table.move(inputs, 2, #inputs, 1, {}) end
  end
  local m = ctx.mask
  if m == nil then m = mask.get(x) or nil end
  local a, b = {training = ctx.training, mask = m}, {training = ctx.training, mask = m}
  if states then
    local half = #states // 2
    err.check(#states == 2 * half, "Bidirectional: initial_state has %d tensors, expected as many "
      .. "for the forward as for the backward layer", #states)
    a.initial_state = table.move(states, 1, half, 1, {})
    b.initial_state = table.move(states, half + 1, 2 * half, 1, {})
  end
  return x, a, b
end

local function apart(self, y)
  if not self.return_state then return y, {} end
  return y[1], table.move(y, 2, #y, 1, {})
end

function Bidirectional:call(inputs, ctx)
  local x, ahead, back = contexts(inputs, ctx)
  local a, states_a = apart(self, self.forward_layer:call(x, ahead))
  local b, states_b = apart(self, self.backward_layer:call(x, back))
  if self.return_sequences then b = ops().flip(b, 2) end
  local out = self.merge_mode and {merge(self, a, b)} or {a, b}
  local m = ahead.mask
  if m and self.return_sequences and core.is_tensor(m) then
    for _, y in ipairs(out) do mask.set(y, mask.tensor(m)) end
  end
  if #out == 1 and not self.return_state then return out[1] end
  for _, states in ipairs {states_a, states_b} do
    table.move(states, 1, #states, #out + 1, out)
  end
  return out
end

function Bidirectional:compute_mask(_, m)
  return self.return_sequences and core.is_tensor(m) and m or nil
end

function Bidirectional:output_spec(input_shape)
  local a, b = self.forward_layer:output_spec(input_shape),
    self.backward_layer:output_spec(input_shape)
  local first, second = self.return_state and a[1] or a, self.return_state and b[1] or b
  if self.merge_mode == "concat" then
    local last = #first.shape
    first.shape[last] = first.shape[last] + second.shape[last]
  end
  local out = self.merge_mode and {first} or {first, second}
  if #out == 1 and not self.return_state then return first end
  if self.return_state then
    table.move(a, 2, #a, #out + 1, out)
    table.move(b, 2, #b, #out + 1, out)
  end
  return out
end

function Bidirectional:compute_output_shape(input_shape)
  local spec = self:output_spec(input_shape)
  if spec.leaf then return spec.shape end
  local list = {}
  for i, s in ipairs(spec) do list[i] = s.shape end
  return list
end

function Bidirectional:get_config()
  local config = self:base_config()
  config.merge_mode = self.merge_mode or require("nnlua.args").None
  config.layer, config.backward_layer = self.forward_layer, self.backward_layer
  return config
end

return Bidirectional
