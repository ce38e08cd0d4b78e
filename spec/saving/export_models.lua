-- Models for the specs of export and for make interop: a model around each row of
-- spec/layers/rows.lua, and what no row shows: masks, states, own code, bare ops.
--
--   {name=, x = shape without batch or list of shapes, dtype=, build = function(inputs) -> outputs,
--    batch = size where it is fixed}

local nn = require "nnlua"
local core = require "nnlua.core"
local support = require "spec.saving.export_support"

local L, ops = nn.layers, nn.ops
local zoo = {}

local function is_shape(s) return s[1] == nil or type(s[1]) == "number" end

local function make_layer(name, arguments)
  local a = {}
  for key, v in pairs(arguments) do a[key] = v end
  for _, key in ipairs {"layer", "cell"} do
    if a[key] then a[key] = make_layer(a[key][1], a[key][2]) end
  end
  return L[name](a)
end

local function inputs_of(list, dtype, batch)
  local tensors = {}
  for i, shape in ipairs(list) do
    tensors[i] = support.numbers({batch, table.unpack(shape)}, dtype, i)
  end
  return tensors
end

--- The model and inputs of `batch` rows.
function zoo.make(m, batch)
  local shapes = is_shape(m.x) and {m.x} or m.x
  local xs = {}
  for i, shape in ipairs(shapes) do
    xs[i] = nn.Input{batch_shape = {m.batch or false, table.unpack(shape)},
      dtype = m.dtype or "float32", name = "x" .. i}
  end
  local y = m.build(#xs == 1 and xs[1] or xs)
  local model = nn.Model{inputs = #xs == 1 and xs[1] or xs, outputs = y}
  return support.shake(model), inputs_of(shapes, m.dtype, batch)
end

--- The same for a row.
function zoo.of_row(row, batch)
  local given = type(row[3][1]) == "number" and {row[3]} or row[3]
  local shapes = {}
  for i, s in ipairs(given) do shapes[i] = table.move(s, 2, #s, 1, {}) end
  local layer = make_layer(row[1], row[2])
  return zoo.make({x = shapes, dtype = row.dtype, build = function(x)
    return layer(x)
  end}, batch)
end

local models = {}
zoo.models = models

local function add(name, x, build, dtype)
  models[#models + 1] = {name = name, x = x, build = build, dtype = dtype}
end

for _, name in ipairs {"linear", "relu", "relu6", "elu", "selu", "celu", "gelu", "glu", "sigmoid",
  "hard_sigmoid", "tanh", "softplus", "softsign", "silu", "hard_silu", "exponential", "softmax",
  "log_softmax", "mish", "leaky_relu", "log_sigmoid", "hard_tanh", "hard_shrink", "soft_shrink",
  "tanh_shrink", "threshold", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus"} do
  add("activation " .. name, {6}, function(x)
    local y = L.Dense{6}(x)
    return L.Activation{name == "threshold" and function(v)
      return ops.threshold(v, 0.2, 0.1)
    end or name == "glu" and function(v) return ops.glu(v) end or name}(y)
  end)
end
add("gelu by tanh", {6}, function(x) return ops.gelu(x, true) end)

-- masks
add("masked LSTM", {5, 3}, function(x)
  return L.LSTM{4}(L.Masking{mask_value = 0.15}(x))
end)
for _, name in ipairs {"SimpleRNN", "LSTM", "GRU"} do
  add("embedded and masked " .. name, {6}, function(x)
    return L[name]{4, return_sequences = true}(L.Embedding{4, 3, mask_zero = true}(x))
  end, "int32")
end
add("masked Bidirectional", {6}, function(x)
  return L.Bidirectional{L.GRU{4}}(L.Embedding{4, 3, mask_zero = true}(x))
end, "int32")
add("masked pooling", {6}, function(x)
  return L.GlobalAveragePooling1D{}(L.Embedding{4, 3, mask_zero = true}(x))
end, "int32")
add("masked attention", {6}, function(x)
  local e = L.Embedding{4, 3, mask_zero = true}(x)
  return {L.Attention{}{e, e}, L.MultiHeadAttention{2, 3}{e, e}}
end, "int32")
add("masked softmax", {6}, function(x)
  return L.Softmax{}(L.Dense{5}(L.Embedding{4, 3, mask_zero = true}(x)))
end, "int32")
add("causal attention", {5, 4}, function(x)
  return L.MultiHeadAttention{2, 3}({x, x}, {use_causal_mask = true})
end)

-- states, several outputs, layers around layers
add("states", {5, 3}, function(x)
  local r = L.LSTM{4, return_sequences = true, return_state = true}(x)
  return {L.LSTM{4}{x, r[2], r[3]}, r[1]}
end)
add("stacked cells", {5, 3}, function(x)
  return L.RNN{{L.LSTMCell{4}, L.GRUCell{3}}}(x)
end)
add("long LSTM", {40, 2}, function(x) return L.LSTM{3}(L.GRU{3, return_sequences = true}(x)) end)
add("TimeDistributed convolution", {3, 4, 4, 2}, function(x)
  return L.TimeDistributed{L.Conv2D{3, 2}}(x)
end)
add("nested models", {6}, function(x)
  local inner = nn.Sequential{nn.Input{shape = {6}}, L.Dense{4, activation = "relu"}}
  return L.Dense{2}(inner(x))
end)
add("several inputs", {{6}, {4}}, function(x)
  return L.Concatenate{}{L.Dense{3}(x[1]), x[2], L.Dense{2}(x[2])}
end)
add("transformer block", {6}, function(x)
  local e = L.Embedding{4, 8}(x)
  local a = L.LayerNormalization{}(L.Add{}{e, L.MultiHeadAttention{2, 4}{e, e}})
  local f = L.Dense{8}(L.Dense{12, activation = "gelu"}(a))
  return L.Dense{3, activation = "softmax"}(L.GlobalAveragePooling1D{}(L.Add{}{a, f}))
end, "int32")
add("small ResNet", {8, 8, 2}, function(x)
  local y = L.BatchNormalization{}(L.Conv2D{4, 3, padding = "same", use_bias = false}(x))
  local z = L.Conv2D{4, 3, padding = "same"}(L.ReLU{}(y))
  return L.Dense{3}(L.GlobalAveragePooling2D{}(L.Add{}{y, z}))
end)

-- own Lua
local Own = nn.Model:extend "Own"
function Own:init(a)
  nn.Model.init(self, a)
  self.first, self.second = L.Dense{4, activation = "tanh"}, L.Dense{3}
end
function Own:call(x) return {self.second(self.first(x)), x * 2} end

--- A model with a call of its own, and its input.
function zoo.own(batch)
  local model, x = Own{}, support.numbers{batch, 5}
  model(x)
  return support.shake(model), {x}
end

local Scaled = L.Layer:extend("Scaled", {args = "factor=2"})
function Scaled:init(a)
  L.Layer.init(self, a)
  self.factor = a.factor
end
function Scaled:build(shape)
  self.w = self:add_weight{name = "w", shape = {shape[#shape]}, initializer = "ones"}
end
function Scaled:call(x) return ops.tanh(x * self.w) * self.factor + ops.mean(x, -1, true) end
add("an own layer", {6}, function(x) return Scaled{3}(x) end)
add("bare ops", {4, 3}, function(x)
  local y = ops.concatenate({ops.relu(x), x * 2 - 1}, -1)
  return {ops.sum(ops.square(y), -1), ops.transpose(y, {1, 3, 2}), ops.max(y, 2)}
end)
add("Lambda", {6}, function(x)
  return L.Lambda{["function"] = function(v)
    return ops.where(ops.greater(v, 0), ops.sqrt(ops.abs(v)), ops.exp(v) - 1)
  end}(x)
end)

-- One model whose outputs are f(name, x) for all names.
local function each(title, names, f)
  add(title, {4, 3}, function(x)
    local list = {}
    for _, name in ipairs(names) do
      for _, y in ipairs(f(name, x)) do list[#list + 1] = y end
    end
    return list
  end)
end

each("functions of a number", {"abs", "arctan", "arcsinh", "cbrt", "ceil", "cos", "cosh", "erf",
  "exp2", "expm1", "floor", "round", "sign", "sin", "sinh", "square", "tan", "trunc", "isfinite",
  "isnan", "isinf", "signbit", "logical_not"}, function(name, x) return {ops[name](x)} end)
each("functions of a large number", {"log", "log10", "log1p", "log2", "sqrt", "rsqrt",
  "reciprocal", "arccosh"}, function(name, x) return {ops[name](ops.abs(x) + 1.5)} end)
each("functions of a small number", {"arccos", "arcsin", "arctanh"}, function(name, x)
  return {ops[name](x * 0.5)}
end)
each("functions of two numbers", {"add", "subtract", "multiply", "divide", "maximum", "minimum",
  "floor_divide", "mod", "logaddexp", "divide_no_nan", "equal", "not_equal", "greater",
  "greater_equal", "less", "less_equal", "logical_and", "logical_or", "logical_xor", "arctan2"},
  function(name, x) return {ops[name](x, ops.cos(x) + 0.3)} end)
add("functions of integers", {4}, function(x)
  return {x + 1, x * x, x - 2, ops.floor_divide(x - 2, 3), ops.mod(x - 2, 3), ops.maximum(x, 2),
    ops.equal(x, 2), ops.where(ops.less(x, 2), x, -x), ops.abs(x - 2), ops.square(x),
    ops.sum(x, -1), x / 3, ops.cast(ops.greater(x, 1), "float32") * 0.5, ops.one_hot(x, 4)}
end, "int32")
each("sums and their kin", {"sum", "mean", "prod", "max", "min", "var", "std", "all", "any",
  "logsumexp"}, function(name, x) return {ops[name](x, -1), ops[name](x, {2, 3}, true)} end)
each("along an axis", {"argmax", "argmin", "cumsum", "cumprod", "sort", "argsort"},
  function(name, x) return {ops[name](x, -1), ops[name](x, 2)} end)
add("moved elements", {4, 3}, function(x)
  local list = {ops.flip(x, 2), ops.roll(x, 1, 2), ops.tile(x, {1, 2, 3}), ops["repeat"](x, 2, 3),
    ops.tril(x), ops.triu(x, 1), ops.reshape(x, {-1, 12}),
    ops.take(x, core.new({3, 1, 1}, "int32"), 2)}
  for k = -1, 1 do
    list[#list + 1] = ops.diagonal(x, k, 2, 3)
    list[#list + 1] = ops.diagonal(ops.transpose(x, {3, 2, 1}), k, 1, 2)
  end
  local vector = ops.sum(x * 0, {1, 2}) + core.new{1, 2, 3}
  list[#list + 1] = ops.matmul(x, ops.diag(vector))
  list[#list + 1] = ops.matmul(ops.transpose(x, {1, 3, 2}), ops.diag(vector, -1))
  for _, y in ipairs(ops.split(x, 3, 3)) do list[#list + 1] = y end
  return list
end)
add("padding", {4, 3}, function(x)
  local width = {{0, 0}, {1, 2}, {2, 1}}
  return {ops.pad(x, width, "constant", 0.5), ops.pad(x, width, "reflect"),
    ops.pad(x, width, "symmetric")}
end)
add("other ops", {4, 3}, function(x)
  local list = {ops.power(ops.abs(x) + 0.1, x), ops.count_nonzero(x, -1), ops.clip(x, -0.5, 0.5),
    ops.einsum("bij,bkj->bik", x, x), ops.nan_to_num(ops.log(x)), ops.normalize(x, -1)}
  for _, y in ipairs(ops.top_k(x, 2)) do list[#list + 1] = y end
  return list
end)

-- open sizes: x has false for them, `sizes` are what they are in the runs of make interop
-- -------------------------------------------------------------------------------------------------

local open = {}
zoo.open = open

local function add_open(name, x, sizes, build, dtype)
  open[#open + 1] = {name = name, x = x, sizes = sizes, build = build, dtype = dtype}
end

add_open("open steps of a convolution", {{false, 3}}, {9, 14}, function(x)
  local y = L.MaxPooling1D{2}(L.Conv1D{4, 3, padding = "same", activation = "relu"}(x))
  return L.Dense{2}(L.GlobalAveragePooling1D{}(y))
end)
add_open("open picture", {{false, false, 2}}, {8, 11}, function(x)
  local y = L.Conv2D{3, 3, strides = 2}(L.ZeroPadding2D{1}(x))
  return L.GlobalMaxPooling2D{}(L.BatchNormalization{}(y))
end)
add_open("open steps of attention", {{false}}, {5, 8}, function(x)
  local e = L.Embedding{4, 6, mask_zero = true}(x)
  return L.LayerNormalization{}(L.Add{}{e, L.MultiHeadAttention{2, 3}{e, e}})
end, "int32")
add_open("open steps of two inputs", {{false, 3}, {false, 3}}, {4, 7}, function(x)
  return L.GlobalAveragePooling1D{}(L.Multiply{}{L.Dense{3}(x[1]), x[2]})
end)
add_open("cut steps", {{false, 3}}, {6, 9}, function(x)
  return {L.Cropping1D{{1, 2}}(x), ops.flip(x, 2), L.Flatten{}(L.TimeDistributed{L.Dense{2}}(x))}
end)

--- The model of an entry of zoo.open.
function zoo.make_open(m)
  local xs = {}
  for i, shape in ipairs(m.x) do
    xs[i] = nn.Input{shape = shape, dtype = m.dtype or "float32", name = "x" .. i}
  end
  local x = #xs == 1 and xs[1] or xs
  return support.shake(nn.Model{inputs = x, outputs = m.build(x)})
end

--- Its inputs with `batch` rows, and open sizes of `size`.
function zoo.open_inputs(m, batch, size)
  local shapes = {}
  for i, shape in ipairs(m.x) do
    shapes[i] = {}
    for d = 1, #shape do shapes[i][d] = shape[d] or size end
  end
  return inputs_of(shapes, m.dtype, batch)
end

-- what is refused
zoo.refused = {
  {name = "dropout in predictions", x = {4}, word = "draws random numbers", build = function(x)
    return L.Dropout{0.5}(x, {training = true})
  end},
  {name = "a state from call to call", x = {3, 2}, batch = 2, word = "keeps something",
    build = function(x) return L.LSTM{3, stateful = true}(x) end},
  {name = "hashing in a model in a model", x = {4}, dtype = "int32", word = "hashing_inside",
    build = function(x)
      return nn.Sequential{nn.Input{shape = {4}, dtype = "int32"},
        L.Hashing{5, name = "hashing_inside"}}(x)
    end},
  {name = "a random op", x = {4}, word = "random", build = function(x)
    return L.Lambda{["function"] = function(v) return v + nn.random.normal{{4}} end}(x)
  end},
  {name = "a decomposition", x = {3, 3}, word = "qr", build = function(x)
    return L.Lambda{["function"] = function(v) return (ops.qr(v)) end}(x)
  end},
}

return zoo
