-- Embedding (rows of a table by id) and Masking.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local Layer = require "nnlua.layers.layer"
local parts = require "nnlua.layers.parts"

local M = {}

local function ops() return require "nnlua.ops" end

-- Output: input shape + (output_dim); ids count from 0. mask_zero: id 0 is padding.
M.Embedding = Layer:extend("Embedding", {
  args = [[input_dim, output_dim, embeddings_initializer="uniform", embeddings_regularizer=None,
    embeddings_constraint=None, mask_zero=False, weights=None, lora_rank=None, lora_alpha=None,
    quantization_config=None]],
})
M.Embedding.extra_args = setmetatable({input_length = true}, {__index = Layer.extra_args})
M.Embedding.signature.extra = M.Embedding.extra_args
M.Embedding.input_dtype = "int32"

function M.Embedding:init(a)
  for _, name in ipairs {"input_dim", "output_dim"} do
    if math.tointeger(a[name]) == nil or a[name] < 1 then
      err.raise("Embedding: %s is %s, expected an integer above 0", name, err.show(a[name]))
    end
  end
  local base = setmetatable({}, {__index = a}) -- input_dim is no input's size here
  base.input_dim = false
  Layer.init(self, base)
  if a.input_length and not self.batch_shape then self.batch_shape = {false, a.input_length} end
  self.input_dim, self.output_dim = a.input_dim, a.output_dim
  self.mask_zero = a.mask_zero
  parts.keep(self, a, {"embeddings"})
  self.initial = a.weights
end

function M.Embedding:build()
  self.embeddings = parts.add(self, "embeddings", {self.input_dim, self.output_dim})
  -- the table as a line: where the gradient's squares are asked for (see the op)
  local line = core.reshape(self.embeddings.tensor, {self.input_dim * self.output_dim})
  rawset(self.embeddings, "squares", core.mark_variable(line))
  if self.initial then
    self.embeddings:assign(type(self.initial) == "table" and self.initial[1] or self.initial)
  end
end

function M.Embedding:call(x)
  local y = core.apply("embedding", {self.embeddings.tensor, ops().cast(x, "int32"),
    self.embeddings.squares})
  if self.mask_zero then mask.set(y, ops().not_equal(x, 0)) end
  return y
end

function M.Embedding:output_spec(input_shape)
  local shape = table.move(input_shape, 1, #input_shape, 1, {})
  shape[#shape + 1] = self.output_dim
  return {shape = shape, dtype = "float32", leaf = true}
end

function M.Embedding:get_config()
  local config = Layer.get_config(self)
  config.weights, config.lora_rank, config.lora_alpha = nil, nil, nil
  config.quantization_config = args.None
  return config
end

-- Steps that are mask_value in every feature are set to 0 and masked.
M.Masking = Layer:extend("Masking", {args = "mask_value=0.0", supports_masking = true})

function M.Masking:init(a)
  Layer.init(self, a)
  self.mask_value = a.mask_value
  self.built = true
end

function M.Masking:call(x)
  local real = ops().any(ops().not_equal(x, self.mask_value), {axis = -1})
  local y = x * ops().cast(ops().expand_dims(real, -1), x.dtype)
  return mask.set(y, real)
end

return M
