-- SpectralNormalization (Miyato et al. 2018): keeps the largest singular value of a layer's kernel
-- near 1. Each training call improves one singular vector by power iteration and divides the
-- kernel.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local wrappers = require "nnlua.layers.wrappers"

local function ops() return require "nnlua.ops" end

local SpectralNormalization = wrappers.Wrapper:extend("SpectralNormalization", {
  args = "layer, power_iterations=1",
})

function SpectralNormalization:init(a)
  if math.tointeger(a.power_iterations) == nil or a.power_iterations < 1 then
    err.raise("SpectralNormalization: power_iterations is %s, expected an integer above 0",
      err.show(a.power_iterations))
  end
  wrappers.Wrapper.init(self, a)
  self.power_iterations = math.tointeger(a.power_iterations)
end

function SpectralNormalization:build(input_shape)
  self.layer:ensure_built(input_shape)
  local layer = self.layer
  rawset(self, "target", rawget(layer, "kernel") or rawget(layer, "embeddings"))
  if not self.target then
    err.raise("SpectralNormalization: the layer '%s' (%s) has neither kernel nor embeddings",
      layer.name, layer.class_name)
  end
  local shape = self.target.shape
  rawset(self, "rows", shapes.product(shape) // shape[#shape])
  self.kernel = self.target
  self.vector_u = self:add_weight{name = "vector_u", shape = {1, shape[#shape]},
    initializer = require("nnlua.initializers").TruncatedNormal{stddev = 0.02}, trainable = false}
end

local function unit(v) return ops().normalize{v, axis = -1, order = 2, epsilon = 1e-12} end

local function normalize_weights(self)
  local columns = self.vector_u.shape[2]
  local w = ops().reshape(self.target.tensor, {self.rows, columns})
  local u, v = self.vector_u.tensor, nil
  for _ = 1, self.power_iterations do
    v = unit(ops().matmul(u, ops().transpose(w)))
    u = unit(ops().matmul(v, w))
  end
  u, v = ops().stop_gradient(u), ops().stop_gradient(v)
  local sigma = ops().matmul(ops().matmul(v, w), ops().transpose(u))
  self.vector_u:assign(u)
  self.target:assign(ops().reshape(w / sigma, self.target.shape))
end

function SpectralNormalization:call(x, ctx)
  if ctx.training then normalize_weights(self) end
  return self.layer(x, {training = ctx.training})
end

return SpectralNormalization
