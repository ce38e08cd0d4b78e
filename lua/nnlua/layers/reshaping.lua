-- Layers that move elements: Flatten, Reshape, Permute, RepeatVector, Identity.

local err = require "nnlua.err"
local shapes = require "nnlua.shapes"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local function spec(shape, dtypes)
  return {shape = shape, dtype = dtypes and dtypes[1] or "float32", leaf = true}
end

-- (N, a, b, ...) -> (N, a*b*...), row-major; (N) -> (N, 1).
M.Flatten = Layer:extend("Flatten", {args = "data_format=None"})

function M.Flatten:init(a)
  Layer.init(self, a)
  self.data_format = a.data_format or "channels_last"
  self.built = true
end

function M.Flatten:call(x)
  if self.data_format == "channels_first" and x.ndim > 2 then
    local order = {1}
    for i = 3, x.ndim do order[#order + 1] = i end
    order[#order + 1] = 2
    x = ops().transpose(x, order)
  end
  local shape = x.shape
  return ops().reshape(x, {shape[1], shapes.product(shape, 2) or 1})
end

function M.Flatten:output_spec(input_shape, dtypes)
  return spec({input_shape[1], #input_shape == 1 and 1 or shapes.product(input_shape, 2) or false},
    dtypes)
end

-- Gives every row the shape target_shape (without batch); one -1 is inferred.
M.Reshape = Layer:extend("Reshape", {args = "target_shape"})

function M.Reshape:init(a)
  Layer.init(self, a)
  err.check(type(a.target_shape) == "table", "Reshape: target_shape is %s, expected a shape",
    err.show(a.target_shape))
  self.target_shape = a.target_shape
  self.built = true
end

local function fill_in(target, total)
  local out, rest, known = {}, nil, 1
  for i, n in ipairs(target) do
    out[i] = n
    if n == -1 then rest = i else known = known * n end
  end
  if rest then
    if not total then
      out[rest] = false
    elseif known > 0 and total % known == 0 then
      out[rest] = total // known
      known = total
    end
  end
  return out, known
end

function M.Reshape:output_spec(input_shape, dtypes)
  local total = shapes.product(input_shape, 2)
  local out, known = fill_in(self.target_shape, total)
  if total and known ~= total then
    err.raise("Reshape: %d numbers do not fill %s", total, shapes.text(self.target_shape))
  end
  return spec(shapes.with_batch(out, input_shape[1]), dtypes)
end

function M.Reshape:call(x)
  local shape = x.shape
  return ops().reshape(x, self:output_spec(shape).shape)
end

-- Orders the axes behind the batch axis; dims counts them from 1.
M.Permute = Layer:extend("Permute", {args = "dims"})

function M.Permute:init(a)
  Layer.init(self, a)
  local seen = {}
  for _, d in ipairs(a.dims) do seen[d] = true end
  for i = 1, #a.dims do
    err.check(seen[i], "Permute: dims is (%s), expected a permutation of 1 to %d",
      table.concat(a.dims, ", "), #a.dims)
  end
  self.dims = a.dims
  self.built = true
end

function M.Permute:call(x)
  local order = {1}
  for i, d in ipairs(self.dims) do order[i + 1] = d + 1 end
  return ops().transpose(x, order)
end

-- (N, F) -> (N, n, F).
M.RepeatVector = Layer:extend("RepeatVector", {args = "n", ndim = 2})

function M.RepeatVector:init(a)
  Layer.init(self, a)
  if math.tointeger(a.n) == nil or a.n < 1 then
    err.raise("RepeatVector: n is %s, expected an integer above 0", err.show(a.n))
  end
  self.n = a.n
  self.built = true
end

function M.RepeatVector:call(x)
  return ops().repeat_(ops().expand_dims(x, 2), self.n, 2)
end

M.Identity = Layer:extend("Identity", {args = "", supports_masking = true})

function M.Identity:init(a)
  Layer.init(self, a)
  self.built = true
end

function M.Identity:call(x) return x end

return M
