-- Layers around functions and other layers: Lambda, TimeDistributed, Wrapper.

local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

-- y = function(x, arguments...): a Lua function of tensors.
M.Lambda = Layer:extend("Lambda", {
  args = "function, output_shape=None, mask=None, arguments=None",
})

function M.Lambda:init(a)
  local fn = a["function"]
  err.check(type(fn) == "function", "Lambda: function is %s, expected a function", err.show(fn))
  Layer.init(self, a)
  self["function"] = fn
  self.arguments = a.arguments
  self.given_shape = a.output_shape
  self.mask_function = a.mask
  self.built = true
end

function M.Lambda:call(x, ctx)
  return self["function"](x, self.arguments or ctx, self.arguments and ctx)
end

-- A layer around another one.
M.Wrapper = Layer:extend("Wrapper", {args = "layer"})

function M.Wrapper:init(a)
  if not class.is(a.layer, Layer) then
    err.raise("%s: layer is %s, expected a layer", self.class_name, err.show(a.layer))
  end
  Layer.init(self, a)
  self.layer = a.layer
end

function M.Wrapper:get_config()
  local config = Layer.get_config(self)
  config.layer = self.layer
  return config
end

-- Applies a layer to every step of (batch, steps, ...).
M.TimeDistributed = M.Wrapper:extend("TimeDistributed", {args = "layer", supports_masking = true})

function M.TimeDistributed:build(input_shape)
  local inner = {input_shape[1]}
  for i = 3, #input_shape do inner[#inner + 1] = input_shape[i] end
  self.layer:ensure_built(inner)
end

function M.TimeDistributed:call(x, ctx)
  local shape = x.shape
  err.check(#shape >= 3, "TimeDistributed: input has %d dimensions, expected at least 3", #shape)
  local n, t = shape[1], shape[2]
  local rows = {n * t}
  for i = 3, #shape do rows[#rows + 1] = shape[i] end
  local y = self.layer(ops().reshape(x, rows), {training = ctx.training, mask = args.None})
  local out = y.shape
  table.remove(out, 1)
  return ops().reshape(y, {n, t, table.unpack(out)})
end

return M
