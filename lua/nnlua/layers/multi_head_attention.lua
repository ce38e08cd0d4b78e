-- MultiHeadAttention (Vaswani et al. 2017) and GroupQueryAttention, whose heads share keys and
-- values. Inputs are {query, value} or {query, value, key}, or one tensor for all three.

local core = require "nnlua.core"
local args = require "nnlua.args"
local class = require "nnlua.class"
local err = require "nnlua.err"
local mask = require "nnlua.mask"
local common = require "nnlua.ops.common"
local seed = require "nnlua.seed"
local EinsumDense = require "nnlua.layers.einsum_dense"
local Layer = require "nnlua.layers.layer"

local M = {}

local function ops() return require "nnlua.ops" end

local shared_args = [[kernel_initializer="glorot_uniform", bias_initializer="zeros",
  kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
  kernel_constraint=None, bias_constraint=None, use_gate=False, seed=None]]

local kinds = {"initializer", "regularizer", "constraint"}

local function count(self, name, v)
  if math.tointeger(v) == nil or v < 1 then
    err.raise("%s: %s is %s, expected an integer above 0", self.class_name, name, err.show(v))
  end
  return math.tointeger(v)
end

local function keep(self, a)
  Layer.init(self, a)
  for _, entry in ipairs(self.signature) do
    if entry.name ~= "activity_regularizer" then self[entry.name] = a[entry.name] end
  end
  for _, part in ipairs {"kernel", "bias"} do
    for _, kind in ipairs(kinds) do
      local name = part .. "_" .. kind
      self[name] = require("nnlua." .. kind .. "s").get(a[name], self.class_name)
    end
  end
  err.check(type(a.dropout) == "number" and a.dropout >= 0 and a.dropout <= 1,
    "%s: dropout is %s, expected 0 to 1", self.class_name, err.show(a.dropout))
  if a.sliding_window ~= nil then count(self, "sliding_window", a.sliding_window) end
  rawset(self, "stream", (a.seed or seed.next()) & 0x7fffffff)
end

-- An initializer of its own for each part, so that they do not draw the same numbers.
local function fresh(initializer)
  local cls = getmetatable(initializer)
  if class.is_class(cls) and cls.from_config and initializer.get_config then
    return cls.from_config(cls, initializer:get_config())
  end
  return initializer
end

local function dense(self, name, equation, output_shape, bias_axes)
  return EinsumDense{equation, output_shape, name = name,
    bias_axes = self.use_bias and bias_axes or nil,
    kernel_initializer = fresh(self.kernel_initializer),
    bias_initializer = fresh(self.bias_initializer),
    kernel_regularizer = self.kernel_regularizer, bias_regularizer = self.bias_regularizer,
    kernel_constraint = self.kernel_constraint, bias_constraint = self.bias_constraint}
end

-- From features to heads: (N, T, d) to (N, T, heads, size)
local function to_heads(self, name, heads, size)
  return dense(self, name, "abc,cde->abde", {false, heads, size}, "de")
end

local function flat_shape(shape)
  local steps = 1
  for i = 2, #shape - 1 do steps = steps and shape[i] and steps * shape[i] end
  return {shape[1], steps or false, shape[#shape]}
end

local function build(self, shapes, fields)
  if type(shapes[1]) ~= "table" then shapes = {shapes, shapes} end
  local query, value = flat_shape(shapes[1]), flat_shape(shapes[2])
  local key = shapes[3] and flat_shape(shapes[3]) or value
  local d = self:dimensions()
  local function add(part, name, shape, heads, size)
    self[fields[part]] = to_heads(self, name, heads, size)
    self[fields[part]]:ensure_built(shape)
  end
  add("query", "query", query, d.heads, d.key)
  add("key", "key", key, d.key_heads, d.key)
  if self.use_gate then add("gate", "gate", query, d.heads, d.value) end
  add("value", "value", value, d.key_heads, d.value)
  local out = d.output or query[3]
  if type(out) == "number" then out = {out} end
  local letters = ("efghij"):sub(1, #out)
  local last = dense(self, "attention_output", "abcd,cd" .. letters .. "->ab" .. letters,
    {false, table.unpack(out)}, letters)
  self[fields.output] = last
  last:ensure_built{query[1], query[2], d.heads, d.value}
  rawset(self, "fields", fields)
end

-- masks -------------------------------------------------------------------------------------------

local function float(m) return common.cast(mask.tensor(m), "float32") end

local function given_mask(ctx, inputs, i, name)
  local m = ctx[name]
  if m == nil and ctx.mask ~= nil then
    m = not core.is_tensor(ctx.mask) and ctx.mask and ctx.mask[i] or nil
  elseif m == nil and inputs[i] then
    m = mask.get(inputs[i])
  end
  return m or nil
end

-- 1 where query step i is near or behind value step j.
local function band(self, ctx, steps, others)
  if not ctx.use_causal_mask and not self.sliding_window then return nil end
  local w = self.sliding_window
  local marks = ops().ones({steps, others})
  if ctx.use_causal_mask then marks = ops().tril(marks) end
  if w then marks = ops().triu(ops().tril(marks, w - 1), 1 - w) end
  return marks
end

local function both(a, b)
  if not a or not b then return a or b end
  return a * b
end

-- All masks but the query's as one of (N or 1, heads or 1, Tq, Tv) of zeros and ones, or nil; and
-- the query's.
local function attention_mask(self, inputs, ctx, steps, others)
  local out = ctx.attention_mask and float(ctx.attention_mask)
  if out and out.ndim == 3 then out = ops().expand_dims(out, 2) end
  local query = given_mask(ctx, inputs, 1, "query_mask")
  local value = given_mask(ctx, inputs, 2, "value_mask")
  local key = given_mask(ctx, inputs, 3, "key_mask")
  for _, m in ipairs {value or false, key or false} do
    if m then out = both(out, common.reshape(float(m), {m.shape[1], 1, 1, others})) end
  end
  return both(out, band(self, ctx, steps, others)), query
end

-- the work ----------------------------------------------------------------------------------------

-- (N, T, heads, size) to (N, heads, T, size), every head `times` times.
local function heads_first(x, times)
  x = ops().transpose(x, {1, 3, 2, 4})
  if times == 1 then return x end
  local s = x.shape
  x = common.reshape(x, {s[1], s[2], 1, s[3], s[4]})
  return common.reshape(common.broadcast_to(x, {s[1], s[2], times, s[3], s[4]}),
    {s[1], s[2] * times, s[3], s[4]})
end

-- Weights of the values: 0 where nothing may be seen.
local function weights_of(scores, marks)
  if not marks then return ops().softmax(scores, {axis = -1}) end
  local weights = ops().softmax(scores - 1e9 * (1 - marks), {axis = -1})
  return weights * marks
end

local function flat(x)
  return x.ndim == 3 and x or common.reshape(x, flat_shape(x.shape))
end

-- As in Keras, rows that the query's mask leaves out see all values alike in GroupQueryAttention,
-- and nothing where the weights are asked for or dropped; in MultiHeadAttention the mask is only
-- handed on.
local function without_rows(self, weights, query_mask, ctx)
  if not query_mask or not self.masks_queries then return weights end
  local s = weights.shape
  local marks = common.reshape(float(query_mask), {s[1], 1, s[3], 1})
  if ctx.return_attention_scores or self.dropout > 0 then return weights * marks end
  return weights * marks + (1 - marks) / s[4]
end

local function attend(self, query, key, value, ctx, marks, query_mask)
  local d, f = self:dimensions(), self.fields
  local times = d.heads // d.key_heads
  local q = heads_first(self[f.query]:call(query) * (1 / math.sqrt(d.key)), 1)
  local k = heads_first(self[f.key]:call(key), times)
  local v = heads_first(self[f.value]:call(value), times)
  local scores = core.apply("matmul", {q, ops().transpose(k, {1, 2, 4, 3})})
  local weights = without_rows(self, weights_of(scores, marks), query_mask, ctx)
  local used = weights
  if ctx.training and self.dropout > 0 then
    used = core.apply("dropout", {weights}, {self.stream, 0}, {self.dropout})
  end
  local y = ops().transpose(core.apply("matmul", {used, v}), {1, 3, 2, 4})
  if self.use_gate then y = y * ops().sigmoid(self[f.gate]:call(query)) end
  return self[f.output]:call(y), weights
end

local function middle(shape) return table.move(shape, 2, #shape - 1, 1, {}) end

local function call(self, inputs, ctx)
  if core.is_tensor(inputs) then inputs = {inputs, inputs} end
  local shape, other = inputs[1].shape, inputs[2].shape
  local query, value = flat(inputs[1]), flat(inputs[2])
  local key = inputs[3] and flat(inputs[3]) or value
  local marks, query_mask = attention_mask(self, inputs, ctx, query.shape[2], value.shape[2])
  local y, weights = attend(self, query, key, value, ctx, marks, query_mask)
  if #shape > 3 then
    local out = {shape[1], table.unpack(middle(shape))}
    y = common.reshape(y, table.move(y.shape, 3, y.ndim, #out + 1, out))
    local sizes = {weights.shape[1], weights.shape[2]}
    for _, s in ipairs {middle(shape), middle(other)} do
      table.move(s, 1, #s, #sizes + 1, sizes)
    end
    weights = common.reshape(weights, sizes)
  end
  if query_mask then mask.set(y, mask.tensor(query_mask)) end
  if ctx.return_attention_scores then return {y, weights} end
  return y
end

local function compute_mask(_, _, m) return not core.is_tensor(m) and m and m[1] or nil end

local function get_config(self)
  local config = Layer.get_config(self)
  config.flash_attention = nil
  config.activity_regularizer = self.activity_regularizer or args.None
  return config
end

local function attention_class(name, signature, fields)
  local cls = Layer:extend(name, {args = signature .. shared_args, supports_masking = true,
    call = call, compute_mask = compute_mask, get_config = get_config,
    tensor_arguments = "positions"})
  function cls:build(shapes) build(self, shapes, fields) end
  M[name] = cls
  return cls
end

-- the layers --------------------------------------------------------------------------------------

local MultiHead = attention_class("MultiHeadAttention", [[num_heads, key_dim, value_dim=None,
  dropout=0.0, use_bias=True, output_shape=None, attention_axes=None, sliding_window=None,
  flash_attention=None,]], {query = "query_dense", key = "key_dense", gate = "gate_dense",
  value = "value_dense", output = "output_dense"})

function MultiHead:init(a)
  keep(self, a)
  self.num_heads, self.key_dim = count(self, "num_heads", a.num_heads),
    count(self, "key_dim", a.key_dim)
  if a.value_dim ~= nil then count(self, "value_dim", a.value_dim) end
end

function MultiHead:build(shapes)
  local rank = type(shapes[1]) == "table" and #shapes[1] or #shapes
  local axes = self.attention_axes
  if axes ~= nil then
    if type(axes) == "number" then axes = {axes} end
    err.check(#axes == rank - 2, "MultiHeadAttention: attention_axes names %d of %d axes; only all "
      .. "axes between the first and the last are supported", #axes, rank - 2)
  end
  build(self, shapes, {query = "query_dense", key = "key_dense", gate = "gate_dense",
    value = "value_dense", output = "output_dense"})
end

function MultiHead:dimensions()
  return {heads = self.num_heads, key_heads = self.num_heads, key = self.key_dim,
    value = self.value_dim or self.key_dim, output = self.output_shape}
end

function MultiHead:get_config()
  local config = get_config(self)
  if self.value_dim == nil then config.value_dim = self.key_dim end
  return config
end

local GroupQuery = attention_class("GroupQueryAttention", [[head_dim, num_query_heads,
  num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None, flash_attention=None,]],
  {query = "_query_dense", key = "_key_dense", gate = "_gate_dense", value = "_value_dense",
    output = "_output_dense"})

GroupQuery.masks_queries = true

function GroupQuery:init(a)
  keep(self, a)
  for _, name in ipairs {"head_dim", "num_query_heads", "num_key_value_heads"} do
    self[name] = count(self, name, a[name])
  end
  if a.num_query_heads % a.num_key_value_heads ~= 0 then
    err.raise("GroupQueryAttention: %d query heads do not divide into %d groups",
      a.num_query_heads, a.num_key_value_heads)
  end
end

function GroupQuery:dimensions()
  return {heads = self.num_query_heads, key_heads = self.num_key_value_heads,
    key = self.head_dim, value = self.head_dim}
end

return M
