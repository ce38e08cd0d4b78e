-- Attention over the steps of a value: Attention (products, Luong) and AdditiveAttention
-- (Bahdanau). Inputs are {query, value} or {query, value, key}.

local core = require "nnlua.core"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local common = require "nnlua.ops.common"
local seed = require "nnlua.seed"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local Attention = Layer:extend("Attention", {
  args = 'use_scale=False, score_mode="dot", dropout=0.0, seed=None', supports_masking = true,
})
M.Attention = Attention

local function init(self, a)
  Layer.init(self, a)
  err.check(type(a.dropout) == "number" and a.dropout >= 0 and a.dropout <= 1,
    "%s: dropout is %s, expected 0 to 1", self.class_name, err.show(a.dropout))
  self.use_scale, self.dropout, self.seed = a.use_scale, a.dropout, a.seed
  rawset(self, "stream", (a.seed or seed.next()) & 0x7fffffff)
end

function Attention:init(a)
  err.check(a.score_mode == "dot" or a.score_mode == "concat",
    "Attention: score_mode is %s, expected 'dot' or 'concat'", err.show(a.score_mode))
  init(self, a)
  self.score_mode = a.score_mode
end

local function check_shapes(self, shapes)
  err.check(type(shapes[1]) == "table" and (#shapes == 2 or #shapes == 3),
    "%s: expected a list of query and value, or query, value and key", self.class_name)
end

function Attention:build(shapes)
  check_shapes(self, shapes)
  if self.use_scale then
    self.scale = self:add_weight{name = "scale", shape = {}, initializer = "ones"}
  end
  if self.score_mode == "concat" then
    self.concat_score_weight = self:add_weight{name = "concat_score_weight", shape = {},
      initializer = "ones"}
  end
end

-- query (N, Tq, d) + key (N, Tv, d): (N, Tq, Tv, d)
local function sums(query, key)
  return ops().expand_dims(query, 3) + ops().expand_dims(key, 2)
end

function Attention:scores(query, key)
  if self.score_mode == "dot" then
    local s = core.apply("matmul", {query, ops().transpose(key, {1, 3, 2})})
    return self.scale and s * self.scale.tensor or s
  end
  local s = sums(query, key)
  if self.scale then s = s * self.scale.tensor end
  return ops().sum(ops().tanh(s), {axis = -1}) * self.concat_score_weight.tensor
end

-- 1 where query step i may look at value step j: real values, none that come later.
local function allowed(scores, value_mask, causal)
  local out = value_mask and ops().expand_dims(mask.tensor(value_mask), 2)
  if causal then
    local s = scores.shape
    local earlier = ops().tri(s[2], s[3])
    out = out and common.cast(out, "float32") * earlier or earlier
  end
  return out and common.cast(out, "float32")
end

local function mask_of(ctx, inputs, i)
  local m = ctx.mask
  if m ~= nil then
    if not m or core.is_tensor(m) then m = {m} end
    return m[i] or nil
  end
  return mask.get(inputs[i])
end

function Attention:call(inputs, ctx)
  local query, value = inputs[1], inputs[2]
  local scores = self:scores(query, inputs[3] or value)
  local query_mask = mask_of(ctx, inputs, 1)
  local marks = allowed(scores, mask_of(ctx, inputs, 2), ctx.use_causal_mask)
  if marks then scores = scores - 1e9 * (1 - marks) end
  local weights = ops().softmax(scores, {axis = -1})
  if ctx.training and self.dropout > 0 then
    weights = core.apply("dropout", {weights}, {self.stream, 0}, {self.dropout})
  end
  local y = core.apply("matmul", {weights, value})
  if query_mask then
    query_mask = mask.tensor(query_mask)
    y = y * common.cast(ops().expand_dims(query_mask, -1), "float32")
    mask.set(y, query_mask)
  end
  if ctx.return_attention_scores then return {y, weights} end
  return y
end

function Attention:compute_mask(_, m)
  return not core.is_tensor(m) and m and m[1] or nil
end

local AdditiveAttention = Attention:extend("AdditiveAttention", {
  args = "use_scale=True, dropout=0.0",
})
AdditiveAttention.extra_args = setmetatable({seed = true}, {__index = Layer.extra_args})
AdditiveAttention.signature.extra = AdditiveAttention.extra_args
M.AdditiveAttention = AdditiveAttention

AdditiveAttention.init = init

function AdditiveAttention:build(shapes)
  check_shapes(self, shapes)
  if not self.use_scale then return end
  self.scale = self:add_weight{name = "scale", shape = {shapes[1][#shapes[1]]},
    initializer = "glorot_uniform"}
end

function AdditiveAttention:scores(query, key)
  local s = ops().tanh(sums(query, key))
  if self.scale then s = s * self.scale.tensor end
  return ops().sum(s, {axis = -1})
end

function AdditiveAttention:get_config()
  local config = Layer.get_config(self)
  config.seed = self.seed == nil and require("nnlua.args").None or self.seed
  return config
end

return M
