-- ReversibleEmbedding: ids to rows of a table, and rows back to a score for each id.

local core = require "nnlua.core"
local args = require "nnlua.args"
local err = require "nnlua.err"
local Layer = require "nnlua.layers.layer"
local Embedding = require("nnlua.layers.embedding").Embedding

local ReversibleEmbedding = Embedding:extend("ReversibleEmbedding", {
  args = [[input_dim, output_dim, tie_weights=True, embeddings_initializer="uniform",
    embeddings_regularizer=None, embeddings_constraint=None, mask_zero=False, reverse_dtype=None,
    logit_soft_cap=None]],
  extra_args = setmetatable({quantization_config = true}, {__index = Layer.extra_args}),
})

function ReversibleEmbedding:init(a)
  Embedding.init(self, a)
  self.tie_weights, self.reverse_dtype = a.tie_weights, a.reverse_dtype
  self.logit_soft_cap = a.logit_soft_cap
end

function ReversibleEmbedding:build(input_shape)
  Embedding.build(self, input_shape)
  if self.tie_weights then
    rawset(self.embeddings, "squares", nil) -- its gradient is an ordinary one
  else
    self.reverse_embeddings = self:add_weight{name = "reverse_embeddings",
      shape = {self.output_dim, self.input_dim}, initializer = self.embeddings_initializer}
  end
end

--- layer(ids) gives rows; layer(rows, {reverse=true}) gives rows times the table transposed.
function ReversibleEmbedding:call(x, ctx)
  if not ctx.reverse then return Embedding.call(self, x, ctx) end
  local ops = require "nnlua.ops"
  if x.shape[x.ndim] ~= self.output_dim then
    err.raise("ReversibleEmbedding: the last axis of the input is %d, expected %d",
      x.shape[x.ndim], self.output_dim)
  end
  local table_of = self.tie_weights and ops.transpose(self.embeddings.tensor)
    or self.reverse_embeddings.tensor
  local logits = core.apply("dense", {x, table_of}, {0})
  local cap = self.logit_soft_cap
  return cap and ops.tanh(logits / cap) * cap or logits
end

-- What comes out depends on the call: traced.
ReversibleEmbedding.output_spec = false

function ReversibleEmbedding:get_config()
  local config = Layer.get_config(self)
  config.activity_regularizer = self.activity_regularizer or args.None
  config.quantization_config = args.None
  return config
end

return ReversibleEmbedding
