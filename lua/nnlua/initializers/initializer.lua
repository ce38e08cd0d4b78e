-- The base of initializers. An own one defines call(shape, dtype):
--
--   local Half = nn.initializers.Initializer:extend("Half")
--   function Half:call(shape, dtype) return nn.full{shape, 0.5} end

local core = require "nnlua.core"
local class = require "nnlua.class"
local args = require "nnlua.args"
local err = require "nnlua.err"
local seed = require "nnlua.seed"

---@class nn.Initializer
local Initializer = class.new("Initializer", {
  args = "",
  module = "keras.initializers",
  own = {}, -- names of the arguments, in the order of the config
  -- gives_new = true on a class itself, not inherited: nobody else holds the tensors that it gives
})

function Initializer:init(a)
  for _, key in ipairs(self.own) do self[key] = a and a[key] end
end

--- A tensor of that shape.
---@param shape integer[]
---@param dtype? string
---@return nn.Tensor
function Initializer.__call(self, shape, dtype)
  if args.is_record(shape) and shape.shape then shape, dtype = shape.shape, shape.dtype end
  if type(shape) ~= "table" then
    err.raise("%s: shape is %s, expected a list of integers", self.class_name, err.show(shape))
  end
  return core.paused(function() return self:call(shape, dtype) end)
end

function Initializer:call()
  err.raise("%s: the initializer has no call(shape, dtype)", self.class_name)
end

--- Draws the object's own seed where none is given, so that its numbers can be had again.
function Initializer:take_seed(given)
  if given ~= nil and math.tointeger(given) == nil then
    err.raise("%s: seed is %s, expected an integer", self.class_name, err.show(given))
  end
  rawset(self, "given_seed", given and math.tointeger(given))
  rawset(self, "seed", self.given_seed or seed.next())
end

local STREAM = 1 -- of initial weights; others are those of layers and shuffling

--- `draw` is a name of core.rng: uniform, normal or truncated_normal.
function Initializer:draw(draw, shape, a, b, dtype)
  local t = core.rng[draw](shape, a, b, self.seed, STREAM, 0)
  return dtype and dtype ~= "float32" and core.astype(t, dtype) or t
end

--- The arguments as given: what from_config needs. A seed that was drawn is not among them.
function Initializer:get_config()
  local config = {}
  for _, key in ipairs(self.own) do
    local value = self[key]
    if key == "seed" then value = self.given_seed end
    config[key] = value == nil and args.None or value
  end
  return config
end

function Initializer.from_config(cls, config) return cls(config) end

--- A new object with the same arguments: other numbers, unless a seed was given.
function Initializer:clone() return getmetatable(self)(self:get_config()) end

return Initializer
