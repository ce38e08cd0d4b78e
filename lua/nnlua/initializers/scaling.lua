-- VarianceScaling and the families of Glorot & Bengio 2010 ("Understanding the difficulty of
-- training deep feedforward neural networks"), He et al. 2015 ("Delving deep into rectifiers") and
-- LeCun et al. 1998 ("Efficient backprop"): the variance is scale / n with n the fan-in, fan-out or
-- their mean.

local err = require "nnlua.err"
local Initializer = require "nnlua.initializers.initializer"

local scaling = {}

local function axis_product(shape, axes, name)
  local n = 1
  for _, axis in ipairs(type(axes) == "table" and axes or {axes}) do
    local at = axis < 0 and #shape + 1 + axis or axis
    if not shape[at] then
      err.raise("%s: axis %d, the shape (%s) has %d dimensions", name, axis,
        table.concat(shape, ", "), #shape)
    end
    n = n * shape[at]
  end
  return n
end

--- Fan-in and fan-out: of a matrix its rows and columns, of a longer shape the last two dimensions,
--- each times the product of the others.
local function fans(self, shape)
  if self.input_axes and self.output_axes then
    return axis_product(shape, self.input_axes, self.class_name),
      axis_product(shape, self.output_axes, self.class_name)
  end
  if #shape == 0 then return 1, 1 end
  if #shape == 1 then return shape[1], shape[1] end
  local field = 1
  for i = 1, #shape - 2 do field = field * shape[i] end
  return shape[#shape - 1] * field, shape[#shape] * field
end

-- The standard deviation of a standard normal that is cut at 2.
local CUT = 0.87962566103423978

local modes = {fan_in = true, fan_out = true, fan_avg = true}
local draws = {uniform = true, truncated_normal = true, untruncated_normal = true, normal = true}

local VarianceScaling = Initializer:extend("VarianceScaling", {
  args = [[scale=1.0, mode="fan_in", distribution="truncated_normal", seed=None, input_axes=None,
    output_axes=None]],
  own = {"scale", "mode", "distribution", "seed", "input_axes", "output_axes"},
})

function VarianceScaling:init(a)
  Initializer.init(self, a)
  if type(self.scale) ~= "number" or self.scale <= 0 then
    err.raise("%s: scale is %s, expected a number above 0", self.class_name, err.show(self.scale))
  end
  if not modes[self.mode] then
    err.raise("%s: mode is %s, expected fan_in, fan_out or fan_avg", self.class_name,
      tostring(self.mode))
  end
  if not draws[self.distribution] then
    err.raise("%s: distribution is %s, expected uniform, truncated_normal or untruncated_normal",
      self.class_name, tostring(self.distribution))
  end
  if (self.input_axes == nil) ~= (self.output_axes == nil) then
    err.raise("%s: input_axes and output_axes go together", self.class_name)
  end
  self:take_seed(a.seed)
end

function VarianceScaling:call(shape, dtype)
  local fan_in, fan_out = fans(self, shape)
  local n = self.mode == "fan_in" and fan_in or self.mode == "fan_out" and fan_out
    or (fan_in + fan_out) / 2
  local s = self.scale / math.max(1, n)
  if self.distribution == "uniform" then
    local limit = math.sqrt(3 * s)
    return self:draw("uniform", shape, -limit, limit, dtype)
  elseif self.distribution == "untruncated_normal" then
    return self:draw("normal", shape, 0, math.sqrt(s), dtype)
  end
  return self:draw("truncated_normal", shape, 0, math.sqrt(s) / CUT, dtype)
end

scaling.VarianceScaling = VarianceScaling

local function family(name, scale, mode, distribution)
  local cls = VarianceScaling:extend(name, {
    args = "seed=None, input_axes=None, output_axes=None",
    own = {"seed", "input_axes", "output_axes"},
    gives_new = true,
  })
  function cls:init(a)
    self.scale, self.mode, self.distribution = scale, mode, distribution
    VarianceScaling.init(self, a)
  end
  scaling[name] = cls
end

family("GlorotUniform", 1, "fan_avg", "uniform")
family("GlorotNormal", 1, "fan_avg", "truncated_normal")
family("HeUniform", 2, "fan_in", "uniform")
family("HeNormal", 2, "fan_in", "truncated_normal")
family("LecunUniform", 1, "fan_in", "uniform")
family("LecunNormal", 1, "fan_in", "truncated_normal")

return scaling
